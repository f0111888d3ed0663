package socketio_test

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/siokit/siokit/socketio"
)

// The methods of the reference that no other test is about.

// Send emits an event named "message", whoever sends.
func TestSend(t *testing.T) {
	srv := newServer(t, quiet())
	parent := srv.OfPattern(regexp.MustCompile(`^/dyn-`))
	sockets := make(chan *socketio.Socket, 2)
	srv.OnConnection(func(_ context.Context, s *socketio.Socket) { sockets <- s })
	url := serve(t, srv)
	a, b := dial(t, url), dial(t, url)
	a.join("/")
	s := receive(t, sockets)
	b.join("/")
	for name, send := range map[string]func(args ...any) error{
		"namespace": srv.Send,
		"broadcast": srv.To(s.ID()).Send,
		"socket":    s.Send,
		"unicast":   s.Compress(true).Send,
	} {
		if err := send(name, 1); err != nil {
			t.Error(err)
		}
		a.expect(`42["message","` + name + `",1]`)
	}
	b.expect(`42["message","namespace",1]`)
	if err := s.Broadcast().Send(); err != nil {
		t.Error(err)
	}
	b.expect(`42["message"]`)
	b.join("/dyn-1")
	if err := parent.Send("children"); err != nil {
		t.Error(err)
	}
	b.expect(`42/dyn-1,["message","children"]`)
}

// What is said of compression reaches the transport, from every chain, and only
// the packets that it was said of.
func TestCompressReachesTheTransport(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *socketio.Server, c *pipeClient) {
		sockets := make(chan *socketio.Socket, 1)
		srv.OnConnection(func(_ context.Context, s *socketio.Socket) { sockets <- s })
		c.send("0")
		s := <-sockets
		<-c.frames
		for _, test := range []struct {
			to   socketio.Target
			want bool
		}{
			{s, false},
			{s.Compress(false), true},
			{s.Compress(false).Compress(true), false},
			{srv.Compress(false), true},
			{srv.To(s.ID()).Compress(false).Local(), true},
			{srv, false},
		} {
			if err := test.to.Emit("x"); err != nil {
				t.Error(err)
			}
			<-c.frames
			synctest.Wait()
			if got := c.plain.Load(); got != test.want {
				t.Errorf("%T: without compression: %v, want %v", test.to, got, test.want)
			}
		}
	})
}

// What is volatile and cannot leave at once is lost, whoever sends it: here, because
// no poll is pending.
func TestVolatileIsLost(t *testing.T) {
	srv := newServer(t, quiet())
	sockets := make(chan *socketio.Socket, 1)
	srv.OnConnection(func(_ context.Context, s *socketio.Socket) { sockets <- s })
	p := startPolling(t, serve(t, srv))
	p.post("40")
	p.expect(`40{"sid":"<sid>"}`)
	s := receive(t, sockets)
	for _, to := range []socketio.Target{s.Volatile(), srv.Volatile(), srv.To(s.ID()).Volatile(), s.Volatile().Compress(false), s} {
		if err := to.Emit("x", to == socketio.Target(s)); err != nil {
			t.Error(err)
		}
	}
	p.expect(`42["x",true]`)
}

// From everything one gets to everything: server, engine, namespaces, their
// parents' children, sockets and their siblings.
func TestNavigation(t *testing.T) {
	srv := newServer(t, quiet())
	var made []string
	stop := srv.OnNewNamespace(func(n *socketio.Namespace) { made = append(made, n.Name()) })
	parent := srv.OfPattern(regexp.MustCompile(`^/dyn-`))
	if n := srv.Of("chat"); n != srv.Of("/chat") || n.Name() != "/chat" || n.Server() != srv {
		t.Error(n.Name())
	}
	child := srv.Of("/dyn-1")
	if children := slices.Collect(parent.Children()); len(children) != 1 || children[0] != child {
		t.Error(children)
	}
	stop()
	srv.Of("/later")
	if diff := cmp.Diff([]string{"/chat", "/dyn-1"}, made); diff != "" {
		t.Error(diff)
	}
	if srv.Server() != srv || srv.Name() != "/" || srv.Of("/") != srv.Namespace {
		t.Error("the server is not its main namespace")
	}

	sockets := make(chan *socketio.Socket, 2)
	srv.OnConnection(func(_ context.Context, s *socketio.Socket) { sockets <- s })
	child.OnConnection(func(_ context.Context, s *socketio.Socket) { sockets <- s })
	c := dial(t, serve(t, srv))
	c.join("/")
	a := receive(t, sockets)
	c.join("/dyn-1")
	b := receive(t, sockets)
	if found, ok := srv.Socket(a.ID()); !ok || found != a {
		t.Error("the socket is not found by its id")
	}
	if _, ok := srv.Socket(b.ID()); ok {
		t.Error("a socket of another namespace is found")
	}
	if siblings := slices.Collect(a.Siblings()); len(siblings) != 2 || !slices.Contains(siblings, b) {
		t.Error(siblings)
	}
	if a.Session() != b.Session() || a.Session().ID() != c.sid || b.Namespace() != child {
		t.Error("session or namespace")
	}
	if found, ok := srv.Engine().Session(c.sid); !ok || found != a.Session() {
		t.Error("the session is not found by its id")
	}
	if err := a.Flush(t.Context()); err != nil {
		t.Error(err)
	}
}

// What can't be encoded is no answer: another one may be given.
func TestAckAfterOneThatCannotBeEncoded(t *testing.T) {
	srv := newServer(t, quiet())
	srv.On("ask", func(_ context.Context, ev *socketio.Event) error {
		var wrong *socketio.ArgumentError
		for _, args := range [][]any{
			{make(chan int)},
			{[]byte("x"), map[string]any{"_placeholder": true, "num": 0}}, // for the codec's sake
		} {
			if err := ev.Ack(args...); !errors.As(err, &wrong) {
				t.Error(err)
			}
		}
		return ev.Ack("sorry")
	})
	c := dial(t, serve(t, srv))
	c.join("/")
	c.send(`421["ask"]`)
	c.expect(`431["sorry"]`)
}

// A server-side event without types: its name, namespace, arguments, and its
// acknowledgement, once.
func TestServerSideEventWithoutTypes(t *testing.T) {
	servers := cluster(t, 2)
	heard := make(chan string, 2)
	stop := servers[1].Of("/chat").OnServerSide("x", func(_ context.Context, ev *socketio.ServerEvent) error {
		heard <- ev.Namespace().Name() + ev.Name() + string(ev.Args().Raw())
		var wrong *socketio.ArgumentError
		if err := ev.Ack(make(chan int)); ev.WantsAck() != errors.As(err, &wrong) {
			t.Error(ev.WantsAck(), err)
		}
		if err := ev.Ack("answer"); err != nil {
			t.Error(err)
		}
		if err := ev.Ack("again"); ev.WantsAck() != errors.Is(err, socketio.ErrAcked) {
			t.Error(ev.WantsAck(), err)
		}
		return nil
	})
	chat := servers[0].Of("/chat")
	n := 0
	for r, err := range chat.ServerSideEmitWithAck(t.Context(), "x", 1) {
		var answer string
		if err == nil {
			err = r.Value.Bind(&answer)
		}
		if n++; err != nil || answer != "answer" || r.Node != "b" || r.Socket != "" {
			t.Error(r, err)
		}
	}
	if err := chat.ServerSideEmit("x", 2); err != nil || n != 1 {
		t.Error(n, err)
	}
	for _, want := range []string{"/chatx1", "/chatx2"} {
		if got := receive(t, heard); got != want {
			t.Error(got)
		}
	}
	stop()
	if err := chat.ServerSideEmit("new_namespace"); !errors.Is(err, socketio.ErrReserved) {
		t.Error(err)
	}
}

// What the client gave to CONNECT is decoded, or told to be wrong.
func TestAuth(t *testing.T) {
	srv := newServer(t, quiet())
	srv.Use(func(_ context.Context, s *socketio.Socket) error {
		var auth struct {
			Token string `json:"token"`
		}
		if err := s.Auth(&auth); err != nil {
			return &socketio.PublicError{Message: "no token"}
		}
		return s.Emit("token", auth.Token)
	})
	url := serve(t, srv)
	for auth, want := range map[string]string{`{"token":"x"}`: `42["token","x"]`, ``: `42["token",""]`} {
		c := dial(t, url)
		c.send("40" + auth)
		c.expect(`40{"sid":"<sid>"}`, want)
	}
	c := dial(t, url)
	c.send(`40{"token":1}`)
	c.expect(`44{"message":"no token"}`)
}
