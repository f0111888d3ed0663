package socketio_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio"
	"github.com/siokit/siokit/socketio/adapter"
)

// The tests of this file and of errorchain_test.go watch the ways that DESIGN.md
// draws, step by step, from the seams that an application has: a transport, a
// codec and an adapter of its own, and hooks.

// steps are what happened, in order.
type steps struct {
	mu   sync.Mutex
	list []string
}

func (s *steps) note(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, fmt.Sprintf(format, args...))
}

// take returns what was noted, and begins anew.
func (s *steps) take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.list
	s.list = nil
	return list
}

// expect compares what was noted since the last call.
func (s *steps) expect(t *testing.T, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, s.take()); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
}

// tracedCodec notes what is decoded and encoded.
type tracedCodec struct {
	sioparser.Codec
	steps *steps
}

func (c tracedCodec) AppendPacket(dst []byte, p *sioparser.Packet) ([]byte, bool, [][]byte, error) {
	head, binary, attachments, err := c.Codec.AppendPacket(dst, p)
	c.steps.note("packet encoded: %s", head)
	return head, binary, attachments, err
}

func (c tracedCodec) NewDecoder(l sioparser.Limits) sioparser.Decoder {
	return tracedDecoder{c.Codec.NewDecoder(l), c.steps}
}

type tracedDecoder struct {
	sioparser.Decoder
	steps *steps
}

func (d tracedDecoder) Decode(data []byte, binary bool) (*sioparser.Packet, error) {
	d.steps.note("message handed up: %s", data)
	p, err := d.Decoder.Decode(data, binary)
	if p != nil {
		d.steps.note("packet decoded: %v of %s", p.Type, p.Namespace)
	}
	return p, err
}

// tracedAdapter notes what an adapter is asked to do and what it does with the
// server's own sockets.
type tracedAdapter struct {
	*adapter.Memory
	steps *steps
}

func (a tracedAdapter) Join(s adapter.Socket, rooms ...string) error {
	a.steps.note("adapter: join %d rooms", len(rooms))
	return a.Memory.Join(tracedSocket{s.(*socketio.Socket), a.steps}, rooms...)
}

func (a tracedAdapter) Leave(s adapter.Socket, rooms ...string) {
	a.Memory.Leave(tracedSocket{s.(*socketio.Socket), a.steps}, rooms...)
}

func (a tracedAdapter) Remove(s adapter.Socket) []string {
	a.steps.note("adapter: remove")
	return a.Memory.Remove(tracedSocket{s.(*socketio.Socket), a.steps})
}

func (a tracedAdapter) Broadcast(p *sioparser.Packet, sel adapter.Selection) error {
	a.steps.note("adapter: broadcast %s to %v except %d", p.Name, sel.Rooms, len(sel.Except))
	return a.Memory.Broadcast(p, sel)
}

type tracedSocket struct {
	*socketio.Socket
	steps *steps
}

func (s tracedSocket) Push(d adapter.Delivery) {
	s.steps.note("queued for %s", nameOf(s.Socket))
	s.Socket.Push(d)
}

// nameOf is what a test calls a socket.
func nameOf(s *socketio.Socket) string {
	name, _ := testName.Get(s)
	return name
}

var testName = socketio.NewLocalKey[string]("test name")

// tracedLocal gives the server the sockets that are its own.
type tracedLocal struct {
	adapter.Local
	steps *steps
}

func (l tracedLocal) Flush(sockets []adapter.Socket) {
	own := make([]adapter.Socket, len(sockets))
	for i, s := range sockets {
		own[i] = s.(tracedSocket).Socket
	}
	l.steps.note("flush of %d", len(own))
	l.Local.Flush(own)
}

// traced is a configuration whose steps are noted.
func traced(s *steps) socketio.Config {
	config := quiet()
	config.Codec = tracedCodec{sioparser.Text, s}
	config.Adapter = func(l adapter.Local) (adapter.Adapter, error) {
		return tracedAdapter{adapter.MakeMemory(tracedLocal{l, s}), s}, nil
	}
	return config
}

// tracedWebSocket notes when it takes a connection over.
type tracedWebSocket struct {
	engineio.WebSocket
	steps *steps
}

func (ws tracedWebSocket) Accept(w http.ResponseWriter, r *http.Request, p *engineio.Port) (engineio.Link, error) {
	ws.steps.note("transport accepts")
	return ws.WebSocket.Accept(w, r, p)
}

type visitorKey struct{}

// The Connection Establishment Flow: a request comes in, the application
// gives it data of its own, a session and its transport come into being, the
// client joins a namespace, and the connection is announced.
func TestFlowConnection(t *testing.T) {
	s := new(steps)
	config := traced(s)
	config.EngineConfig.Connect = func(r *http.Request) (context.Context, error) {
		s.note("Connect: data for this connection")
		return context.WithValue(r.Context(), visitorKey{}, "visitor 1"), nil
	}
	config.EngineConfig.GenerateID = func(*http.Request) (string, error) {
		s.note("session made")
		return "aaaaaaaaaaaaaaaaaaaa", nil
	}
	config.EngineConfig.Transports = []engineio.Transport{tracedWebSocket{steps: s}}
	srv := newServer(t, config)
	srv.Use(func(ctx context.Context, _ *socketio.Socket) error {
		s.note("middleware for %v", ctx.Value(visitorKey{}))
		return nil
	})
	announced := make(chan struct{})
	srv.OnConnection(func(ctx context.Context, _ *socketio.Socket) {
		s.note("connection announced for %v", ctx.Value(visitorKey{}))
		close(announced)
	})
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.note("request arrives")
		srv.ServeHTTP(w, r)
	}))
	defer front.Close()
	c := dial(t, front.URL)
	s.note("client has the handshake of %s", c.sid)
	c.send("40")
	f := c.next()
	receive(t, announced)
	s.expect(t,
		"request arrives",
		"Connect: data for this connection",
		"session made",
		"transport accepts",
		"client has the handshake of aaaaaaaaaaaaaaaaaaaa",
		"message handed up: 0",
		"packet decoded: CONNECT of /",
		"middleware for visitor 1",
		"packet encoded: "+f[1:],
		"adapter: join 1 rooms",
		"connection announced for visitor 1",
	)
	if err := srv.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}

// The Packet Processing Pipeline: from a link's frame to the handler, to
// whoever waits for an acknowledgement, and to the end of a socket.
func TestFlowPacket(t *testing.T) {
	s := new(steps)
	inBubbleOf(t, traced(s), func(t *testing.T, srv *socketio.Server, c *pipeClient) {
		chat := srv.Of("/chat")
		chat.OnAny(func(_ context.Context, ev *socketio.Event) { s.note("catch-all: %s", ev.Name()) })
		chat.UseEvent(func(_ context.Context, ev *socketio.Event) error { s.note("middleware: %s", ev.Name()); return nil })
		chat.On("event", func(ctx context.Context, ev *socketio.Event) error {
			var n int
			err := ev.Bind(&n)
			s.note("handler: %d", n)
			return err
		})
		chat.On("ask", func(ctx context.Context, ev *socketio.Event) error {
			ack, err := ev.Socket().EmitWithAck(ctx, "question")
			if err != nil {
				return err
			}
			s.note("acknowledged: %s", ack.Args().Raw())
			return nil
		})
		chat.OnDisconnect(func(_ context.Context, _ *socketio.Socket, why *socketio.DisconnectError) {
			s.note("disconnect: %s", why.Reason)
		})
		c.send("0/chat,")
		synctest.Wait()
		s.take()

		c.send(`2/chat,["event",7]`)
		synctest.Wait()
		s.expect(t, `message handed up: 2/chat,["event",7]`, "packet decoded: EVENT of /chat",
			"catch-all: event", "middleware: event", "handler: 7")

		c.send(`2/chat,["ask"]`)
		synctest.Wait()
		s.take()
		c.send(`3/chat,0["answer"]`)
		synctest.Wait()
		s.expect(t, `message handed up: 3/chat,0["answer"]`, "packet decoded: ACK of /chat", `acknowledged: "answer"`)

		c.send("1/chat,")
		synctest.Wait()
		s.expect(t, "message handed up: 1/chat,", "packet decoded: DISCONNECT of /chat",
			"adapter: remove", "disconnect: client namespace disconnect")
	})
}

// noticed notes when it is turned into JSON.
type noticed struct{ steps *steps }

func (n noticed) MarshalJSON() ([]byte, error) {
	n.steps.note("arguments encoded")
	return []byte(`"value"`), nil
}

// The Emission Data Flow: from Emit to the link's write, with the
// acknowledgement registered before anything leaves.
func TestFlowEmission(t *testing.T) {
	s := new(steps)
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t, piped(traced(s)))
		sockets := make(chan *socketio.Socket, 1)
		srv.OnConnection(func(_ context.Context, socket *socketio.Socket) { sockets <- socket })
		e := connectPipe(t, srv, func(e *pipeEnd, p *eioparser.Packet) {
			if p.Type != eioparser.Message {
				return
			}
			s.note("link writes: %s", p.Data)
			if string(p.Data) == `20["question","value"]` {
				// The fastest client there can be: it answers while it is written to.
				go e.send("30[]")
			}
		})
		e.send("0")
		socket := <-sockets
		synctest.Wait()
		s.take()
		socket.OnAnyOutgoing(func(_ *socketio.Socket, event string, _ sioparser.Args) { s.note("catch-all: %s", event) })
		if err := socket.Emit("event", noticed{s}); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		s.expect(t, "arguments encoded", "catch-all: event", `packet encoded: 2["event","value"]`, `link writes: 2["event","value"]`)

		if _, err := socket.EmitWithAck(t.Context(), "question", noticed{s}); err != nil {
			t.Error(err)
		}
		s.expect(t, "arguments encoded", "catch-all: question", `packet encoded: 20["question","value"]`,
			`link writes: 20["question","value"]`, "message handed up: 30[]", "packet decoded: ACK of /")
		if err := srv.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		<-e.served
	})
}

// The Broadcast Distribution Flow: arguments and packet are encoded once,
// rooms become sockets, each of them once; the packet is queued for all before
// the first of them is written to.
func TestFlowBroadcast(t *testing.T) {
	s := new(steps)
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t, piped(traced(s)))
		srv.On("enter", func(_ context.Context, ev *socketio.Event) error {
			var name string
			var rooms []string
			if err := ev.Bind(&name, &rooms); err != nil {
				return err
			}
			testName.Set(ev.Socket(), name)
			return ev.Socket().Join(rooms...)
		})
		var ends []*pipeEnd
		for i, rooms := range []string{`["r","r2"]`, `["r"]`, `["r","muted"]`, `["elsewhere"]`} {
			e := connectPipe(t, srv, func(_ *pipeEnd, p *eioparser.Packet) {
				if p.Type == eioparser.Message {
					s.note("link of %d writes: %s", i, p.Data)
				}
			})
			e.send("0", fmt.Sprintf(`2["enter","%d",%s]`, i, rooms))
			ends = append(ends, e)
		}
		synctest.Wait()
		s.take()
		if err := srv.To("r", "r2").Except("muted").Emit("news", noticed{s}); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		got := s.take()
		if len(got) == 8 { // in no order: which of the two comes first
			slices.Sort(got[3:5])
			slices.Sort(got[6:8])
		}
		want := []string{
			"arguments encoded",
			"adapter: broadcast news to [r r2] except 1",
			`packet encoded: 2["news","value"]`,
			"queued for 0", "queued for 1",
			"flush of 2",
			`link of 0 writes: 2["news","value"]`, `link of 1 writes: 2["news","value"]`,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("steps (-want +got):\n%s", diff)
		}
		if err := srv.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		for _, e := range ends {
			<-e.served
		}
	})
}

// The Room Management Flow: both indexes know of a join when it is told,
// the room is told of before its first member, and what is published to the room
// from then on arrives.
func TestFlowRoom(t *testing.T) {
	s := new(steps)
	inBubbleOf(t, traced(s), func(t *testing.T, srv *socketio.Server, c *pipeClient) {
		sockets := make(chan *socketio.Socket, 1)
		srv.OnConnection(func(_ context.Context, socket *socketio.Socket) { sockets <- socket })
		c.send("0")
		socket := <-sockets
		testName.Set(socket, "a")
		synctest.Wait()
		s.take()
		index := srv.Adapter().(adapter.Index)
		stop := srv.Adapter().(adapter.Observable).Observe(func(e adapter.Event) {
			members := len(index.Sockets(adapter.Selection{Rooms: []string{"r"}}))
			s.note("%v %s: %d members, socket is in it: %v", e.Kind, e.Room, members, slices.Contains(socket.Rooms(), "r"))
		})
		defer stop()
		if err := socket.Join("r"); err != nil {
			t.Error(err)
		}
		s.expect(t, "adapter: join 1 rooms",
			"created r: 1 members, socket is in it: true",
			"joined r: 1 members, socket is in it: true")
		if err := srv.To("r").Emit("x"); err != nil {
			t.Error(err)
		}
		s.expect(t, "adapter: broadcast x to [r] except 0", `packet encoded: 2["x"]`, "queued for a", "flush of 1")
		socket.Leave("r")
		s.expect(t,
			"left r: 0 members, socket is in it: false",
			"deleted r: 0 members, socket is in it: false")
		if err := srv.To("r").Emit("x"); err != nil {
			t.Error(err)
		}
		s.expect(t, "adapter: broadcast x to [r] except 0") // nobody is there: it isn't even encoded
	})
}
