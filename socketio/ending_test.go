package socketio_test

import (
	"bytes"
	"context"
	"log/slog"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/socketio"
	"github.com/siokit/siokit/socketio/adapter"
)

// greeter notes when the adapters of namespaces are made and closed, as those
// of a cluster tell the other servers. It holds up Close until it is told to go on.
type greeter struct {
	hold chan struct{} // Close waits for it

	mu    sync.Mutex
	lines []string
}

func (g *greeter) note(what, name string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if name != "/" {
		g.lines = append(g.lines, what+" "+name)
	}
}

func (g *greeter) said() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.lines)
}

type greetingAdapter struct {
	*adapter.Memory
	g    *greeter
	name string
}

func (g *greeter) adapter(l adapter.Local) (adapter.Adapter, error) {
	g.note("hello", l.Namespace())
	return &greetingAdapter{adapter.MakeMemory(l), g, l.Namespace()}, nil
}

func (a *greetingAdapter) Close(ctx context.Context) error {
	if a.name != "/" {
		<-a.g.hold
	}
	a.g.note("goodbye", a.name)
	return a.Memory.Close(ctx)
}

// A namespace that is cleaned up and made again greets the other servers after
// the old one's goodbye: otherwise they would forget the new one.
func TestNamespaceGreetsAfterTheOldOnesGoodbye(t *testing.T) {
	g := &greeter{hold: make(chan struct{})}
	config := quiet()
	config.Adapter = g.adapter
	config.CleanupEmptyChildNamespaces = true
	inBubbleOf(t, config, func(t *testing.T, srv *socketio.Server, c *pipeClient) {
		g.hold = make(chan struct{})
		srv.OfPattern(regexp.MustCompile(`^/dyn-`))
		c.send("0/dyn-1,")
		<-c.frames
		c.send("1/dyn-1,", "0/dyn-1,")
		synctest.Wait()
		if diff := cmp.Diff([]string{"hello /dyn-1"}, g.said()); diff != "" {
			t.Error("before the goodbye:", diff)
		}
		close(g.hold)
		<-c.frames
		if diff := cmp.Diff([]string{"hello /dyn-1", "goodbye /dyn-1", "hello /dyn-1"}, g.said()); diff != "" {
			t.Error(diff)
		}
	})
}

// However many ask for a namespace at once, it is made once.
func TestNamespaceIsMadeOnce(t *testing.T) {
	g := &greeter{hold: make(chan struct{})}
	close(g.hold)
	config := quiet()
	config.Adapter = g.adapter
	srv := newServer(t, config)
	serve(t, srv)
	var all sync.WaitGroup
	made := make(chan *socketio.Namespace, 50)
	for range 50 {
		all.Go(func() { made <- srv.Of("/x") })
	}
	all.Wait()
	close(made)
	for n := range made {
		if n != srv.Of("/x") {
			t.Fatal("two namespaces of one name")
		}
	}
	if diff := cmp.Diff([]string{"hello /x"}, g.said()); diff != "" {
		t.Error(diff)
	}
}

// slowStore takes its time to store a session.
type slowStore struct {
	*adapter.Recovery
	hold chan struct{}
}

func (s *slowStore) Persist(a adapter.Socket, session adapter.Session) ([]string, error) {
	<-s.hold
	return s.Recovery.Persist(a, session)
}

// A client that is back while the end of its old connection is under way is
// recovered.
func TestReturnDuringTheOldConnectionsEnd(t *testing.T) {
	store := new(slowStore)
	config := quiet()
	config.Recovery = &socketio.Recovery{}
	config.Adapter = func(l adapter.Local) (adapter.Adapter, error) {
		a, err := adapter.NewRecovery(adapter.RecoveryConfig{})(l)
		store.Recovery = a.(*adapter.Recovery)
		return store, err
	}
	inBubbleOf(t, config, func(t *testing.T, srv *socketio.Server, c *pipeClient) {
		store.hold = make(chan struct{})
		srv.OnConnection(func(_ context.Context, s *socketio.Socket) { _ = s.Emit("hello") })
		c.send("0")
		pid := regexp.MustCompile(`"pid":"([\w-]+)"`).FindStringSubmatch(<-c.frames)[1]
		offset := regexp.MustCompile(`"([^"]+)"\]$`).FindStringSubmatch(<-c.frames)[1]
		c.Close()
		synctest.Wait() // its end waits for the store

		again := bubbleClient(t, srv)
		recovered := make(chan bool, 1)
		srv.OnConnection(func(_ context.Context, s *socketio.Socket) { recovered <- s.Recovered() })
		again.send(`0{"pid":"` + pid + `","offset":"` + offset + `"}`)
		synctest.Wait()
		close(store.hold)
		if !<-recovered {
			t.Error("not recovered")
		}
		again.Close()
		<-again.served
	})
}

// A CONNECT that arrives when the server has said goodbye, but not yet forgotten
// the socket, is one like any other.
func TestConnectBetweenGoodbyeAndRemoval(t *testing.T) {
	srv := fixture(t, quiet())
	sockets := make(chan *socketio.Socket, 2)
	srv.OnConnection(func(_ context.Context, s *socketio.Socket) { sockets <- s })
	c := dial(t, serve(t, srv))
	c.join("/")
	c.next()
	finish := receive(t, sockets).Depart()
	c.expect("41")
	c.send(`42["message",1]`, "40") // the event was on its way
	c.expect(`40{"sid":"<sid>"}`, `42["auth",{}]`)
	finish()
	c.send(`42["message",2]`)
	c.expect(`42["message-back",2]`)
	eventually(t, "one socket", func() bool { return srv.Len() == 1 })
}

// So is one that comes when only the goodbye has left.
func TestConnectUponTheGoodbye(t *testing.T) {
	received := make(chan struct{}, 2)
	config := quiet()
	config.EngineConfig.Trace = &engineio.Trace{Received: func(_ *engineio.Session, p eioparser.Packet) {
		if string(p.Data) == "0" {
			received <- struct{}{}
		}
	}}
	srv := fixture(t, config)
	sockets := make(chan *socketio.Socket, 2)
	srv.OnConnection(func(_ context.Context, s *socketio.Socket) { sockets <- s })
	c := dial(t, serve(t, srv))
	c.join("/")
	receive(t, received)
	c.next()
	eventually(t, "no dispatcher", func() bool { return srv.Running() == 0 })
	finish := receive(t, sockets).Goodbye()
	c.expect("41")
	c.send("40")
	receive(t, received)
	finish()
	c.expect(`40{"sid":"<sid>"}`, `42["auth",{}]`)
	eventually(t, "one socket", func() bool { return srv.Len() == 1 })
}

// So is one that presents the session of that socket: it comes over the same
// connection, which it must not end.
func TestSessionPresentedBetweenGoodbyeAndRemoval(t *testing.T) {
	config := quiet()
	config.Recovery = &socketio.Recovery{}
	inBubbleOf(t, config, func(t *testing.T, srv *socketio.Server, c *pipeClient) {
		sockets := make(chan *socketio.Socket, 2)
		srv.OnConnection(func(_ context.Context, s *socketio.Socket) { sockets <- s })
		c.send("0")
		pid := regexp.MustCompile(`"pid":"([\w-]+)"`).FindStringSubmatch(<-c.frames)[1]
		finish := (<-sockets).Depart()
		c.send(`0{"pid":"` + pid + `"}`)
		synctest.Wait()
		finish()
		synctest.Wait()
		if goodbye, answer := c.next(), c.next(); goodbye != "41" || !strings.HasPrefix(answer, `40{"sid":`) {
			t.Errorf("%q, %q", goodbye, answer)
		}
	})
}

// stuckStore finds every session, and can't resume any before it is told to go on.
type stuckStore struct {
	*adapter.Recovery
	hold chan struct{}
}

func (s *stuckStore) Take(_ context.Context, pid, _ string) (*adapter.Session, error) {
	return &adapter.Session{SocketID: "stored", PrivateID: pid}, nil
}

func (s *stuckStore) Resume(context.Context, adapter.Socket, *adapter.Session) error {
	<-s.hold
	return adapter.ErrUnrecoverable
}

// A socket that OnError has got does not change any more, whatever its CONNECT was
// about to do.
func TestRefusedSocketKeepsItsID(t *testing.T) {
	var hold chan struct{}
	config := quiet()
	config.Recovery = &socketio.Recovery{}
	config.Adapter = func(l adapter.Local) (adapter.Adapter, error) {
		a, err := adapter.NewRecovery(adapter.RecoveryConfig{})(l)
		return &stuckStore{a.(*adapter.Recovery), hold}, err
	}
	inBubbleOf(t, config, func(t *testing.T, srv *socketio.Server, c *pipeClient) {
		hold = make(chan struct{})
		sockets, ids := make(chan *socketio.Socket, 2), make(chan string, 2)
		srv.Of("/stuck").OnError(func(_ context.Context, s *socketio.Socket, _ error) {
			sockets <- s
			ids <- s.ID()
		})
		c.send("0") // in a namespace, so that only the other one's CONNECT takes too long
		c.send(`0/stuck,{"pid":"p"}`)
		s, id := <-sockets, <-ids
		close(hold)
		synctest.Wait()
		if s.ID() != id {
			t.Errorf("it was %q, and is %q", id, s.ID())
		}
	})
}

// Shutdown waits for the answer that a client of Socket.IO 2 gets without having
// asked, although that is on a timer.
func TestShutdownWaitsForAnUninvitedConnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := piped(quiet())
		config.EngineConfig.AllowEIO3 = true
		srv := newServer(t, config)
		e := connectPipeOf(t, srv, "/?EIO=3&transport=pipe", func(*pipeEnd, *eioparser.Packet) {})
		synctest.Wait() // the session is open, and its time stands still
		if srv.Running() == 0 {
			t.Error("what is about to run does not count")
		}
		if err := srv.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		if n := srv.Running(); n != 0 {
			t.Error(n, "are left")
		}
		<-e.served
	})
}

// OnDisconnect, called beside a handler that hangs, may shut the server down:
// when the handler returns, nobody waits for anybody.
func TestShutdownInAHookBesideAHandler(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *socketio.Server, c *pipeClient) {
		release, began := make(chan struct{}), make(chan struct{})
		srv.On("hang", func(context.Context, *socketio.Event) error {
			close(began)
			<-release
			return nil
		})
		done := make(chan error, 1)
		srv.OnDisconnect(func(ctx context.Context, _ *socketio.Socket, _ *socketio.DisconnectError) {
			done <- srv.Shutdown(ctx)
		})
		c.send("0", `2["hang"]`)
		<-began
		c.send("1")
		<-time.After(6 * time.Second) // longer than DisconnectGrace
		close(release)
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// A handler that ends its goroutine, as testing's FailNow does, leaves nobody
// waiting.
func TestGoexit(t *testing.T) {
	exit := func(context.Context, *socketio.Event) error { runtime.Goexit(); return nil }
	t.Run("inline", func(t *testing.T) {
		srv := fixture(t, quiet())
		gone := make(chan *socketio.DisconnectError, 1)
		srv.OnDisconnect(func(_ context.Context, _ *socketio.Socket, why *socketio.DisconnectError) { gone <- why })
		srv.On("exit", exit, socketio.Inline)
		c := dial(t, serve(t, srv))
		c.join("/")
		c.next()
		eventually(t, "no dispatcher", func() bool { return srv.Running() == 0 }) // else it is queued behind it
		c.send(`42["exit"]`)
		if why := receive(t, gone); why.Reason != engineio.TransportError || why.Err == nil {
			t.Error(why)
		}
		if f := c.next(); !strings.HasPrefix(f, "CLOSE") {
			t.Error(f)
		}
		eventually(t, "no session", func() bool { return srv.Engine().Len() == 0 })
	})
	t.Run("queued", func(t *testing.T) {
		srv := fixture(t, quiet())
		srv.On("exit", exit)
		c := dial(t, serve(t, srv))
		c.join("/")
		c.next()
		c.send(`42["exit"]`, `42["message",1]`)
		c.expect(`42["message-back",1]`)
	})
	t.Run("middleware", func(t *testing.T) {
		srv := fixture(t, quiet())
		heard := make(chan error, 1)
		srv.OnError(func(_ context.Context, _ *socketio.Socket, err error) { heard <- err })
		stop := srv.Use(func(context.Context, *socketio.Socket) error { runtime.Goexit(); return nil })
		c := dial(t, serve(t, srv))
		c.send("40")
		c.expect(`44{"message":"internal error"}`)
		if err := receive(t, heard); err == nil {
			t.Error("OnError heard nothing")
		}
		stop()
		c.join("/")
	})
}

// What other servers send waits for its handlers, but not without bound.
func TestServerSideEventsAreBounded(t *testing.T) {
	var log bytes.Buffer
	h := new(hub)
	config := quiet()
	config.EngineConfig.MaxPayload = 1000
	config.Adapter = h.adapter("a")
	from := newServer(t, config)
	serve(t, from)
	config.Adapter = h.adapter("b")
	config.Logger = slog.New(slog.NewTextHandler(&log, nil))
	to := newServer(t, config)
	serve(t, to)

	began, release := make(chan struct{}, 100), make(chan struct{})
	handled := make(chan string, 100)
	to.OnServerSide("x", func(_ context.Context, ev *socketio.ServerEvent) error {
		var text string
		began <- struct{}{}
		<-release
		if err := ev.Bind(&text); err != nil {
			return err
		}
		handled <- text
		return nil
	})
	emit := func(text string) {
		if err := from.ServerSideEmit("x", text); err != nil {
			t.Fatal(err)
		}
	}
	emit("first")
	receive(t, began)
	for range 10 {
		emit(strings.Repeat("a", 900))
	}
	close(release)
	receive(t, handled)
	for range 4 {
		receive(t, handled)
	}
	eventually(t, "an empty queue", func() bool { emit("last"); return receive(t, handled) == "last" })
	if n := strings.Count(log.String(), "server-side events are dropped"); n != 1 {
		t.Errorf("%d warnings:\n%s", n, &log)
	}
}
