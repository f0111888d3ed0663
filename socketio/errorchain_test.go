package socketio_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/socketio"
	"github.com/siokit/siokit/socketio/adapter"
)

var errWire = errors.New("the wire is cut")

// The Connection Error Propagation: what a link reports ends its session,
// and reaches OnError of each of the client's sockets, then OnDisconnect, with
// one and the same cause.
func TestErrorChainConnection(t *testing.T) {
	s := new(steps)
	inBubbleOf(t, traced(s), func(t *testing.T, srv *socketio.Server, c *pipeClient) {
		sockets := make(chan *socketio.Socket, 1)
		chat := srv.Of("/chat")
		chat.OnConnection(func(_ context.Context, socket *socketio.Socket) { sockets <- socket })
		chat.OnError(func(_ context.Context, _ *socketio.Socket, err error) { s.note("OnError: %v", err) })
		chat.OnDisconnecting(func(_ context.Context, socket *socketio.Socket, why *socketio.DisconnectError) {
			s.note("OnDisconnecting: %s, in %d rooms", why.Reason, len(socket.Rooms()))
		})
		chat.OnDisconnect(func(_ context.Context, socket *socketio.Socket, why *socketio.DisconnectError) {
			s.note("OnDisconnect: %s: %v; session: %v; context: %v", why.Reason, why.Err,
				socket.Session().State(), errors.Is(context.Cause(socket.Context()), errWire))
		})
		c.send("0/chat,")
		socket := <-sockets
		context.AfterFunc(socket.Context(), func() { s.note("context ends") })
		synctest.Wait()
		s.take()

		c.fail(errWire)
		synctest.Wait()
		got := s.take()
		for i, step := range got { // on a goroutine of its own: anywhere
			if step == "context ends" {
				got = append(got[:i:i], got[i+1:]...)
				break
			}
		}
		s.note("%q", got)
		s.expect(t, `["adapter: remove" "OnError: the wire is cut" "OnDisconnecting: transport error, in 1 rooms" `+
			`"OnDisconnect: transport error: the wire is cut; session: closed; context: true"]`)
		if srv.Engine().Len() != 0 || chat.Len() != 0 {
			t.Error("somebody is left")
		}
	})
}

// The Middleware Error Chain: the first error ends the chain, is told to
// OnError and, with its data, to the client; nobody joins.
func TestErrorChainMiddleware(t *testing.T) {
	s := new(steps)
	inBubbleOf(t, traced(s), func(t *testing.T, srv *socketio.Server, c *pipeClient) {
		srv.Use(func(context.Context, *socketio.Socket) error { s.note("first middleware"); return nil })
		srv.Use(func(_ context.Context, socket *socketio.Socket) error {
			s.note("second middleware")
			return &socketio.PublicError{Message: "not you", Data: map[string]int{"code": 401}}
		})
		srv.Use(func(context.Context, *socketio.Socket) error { s.note("third middleware"); return nil })
		srv.OnConnection(func(context.Context, *socketio.Socket) { s.note("connection") })
		srv.OnDisconnect(func(context.Context, *socketio.Socket, *socketio.DisconnectError) { s.note("disconnect") })
		srv.OnError(func(_ context.Context, socket *socketio.Socket, err error) {
			var refused *socketio.MiddlewareError
			var public *socketio.PublicError
			s.note("OnError: %v %v %v", errors.As(err, &refused), errors.As(err, &public), socket.Connected())
		})
		c.send("0")
		synctest.Wait()
		refusal := `4{"message":"not you","data":{"code":401}}`
		s.expect(t, "message handed up: 0", "packet decoded: CONNECT of /",
			"first middleware", "second middleware", "adapter: remove", "OnError: true true false", "packet encoded: "+refusal)
		if got := <-c.frames; got != refusal {
			t.Error(got)
		}
		if srv.Len() != 0 {
			t.Error("somebody has joined")
		}
	})
}

// The ACK Timeout Handling: registered with a timeout, called back with
// an error when that has passed, and forgotten.
func TestErrorChainAckTimeout(t *testing.T) {
	s := new(steps)
	inBubbleOf(t, traced(s), func(t *testing.T, srv *socketio.Server, c *pipeClient) {
		sockets := make(chan *socketio.Socket, 1)
		srv.OnConnection(func(_ context.Context, socket *socketio.Socket) { sockets <- socket })
		c.send("0")
		socket := <-sockets
		synctest.Wait()
		s.take()
		start := time.Now()
		err := socket.Timeout(3*time.Second).EmitFunc("question", func(_ context.Context, _ *socketio.Ack, err error) {
			s.note("called back after %v: %v", time.Since(start), err)
		})
		if err != nil {
			t.Error(err)
		}
		s.note("%d registered", socket.PendingAcks())
		<-time.After(2999 * time.Millisecond)
		s.expect(t, `packet encoded: 20["question"]`, "1 registered")
		<-time.After(2 * time.Millisecond)
		s.note("%d registered", socket.PendingAcks())
		s.expect(t, "called back after 3s: socketio: operation has timed out", "0 registered")
		c.send("30[]") // too late
		synctest.Wait()
		s.expect(t, "message handed up: 30[]", "packet decoded: ACK of /")
	})
}

// The Connection Lifecycle: connection, objects, active state, the end
// and its cleaning up, and nothing that refers to the client any more.
func TestLifecycle(t *testing.T) {
	s := new(steps)
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t, piped(quiet()))
		index := srv.Adapter().(adapter.Index)
		count := func(when string) {
			sockets, rooms := index.Len()
			s.note("%s: %d sessions, %d sockets, %d in the index, %d rooms", when, srv.Engine().Len(), srv.Len(), sockets, rooms)
		}
		type traces struct {
			session weak.Pointer[engineio.Session]
			socket  weak.Pointer[socketio.Socket]
			link    weak.Pointer[pipeEnd]
		}
		found := make(chan traces, 1)
		srv.OnConnection(func(_ context.Context, socket *socketio.Socket) {
			_ = socket.Join("room")
			socket.On("event", func(context.Context, *socketio.Event) error { s.note("active: an event"); return nil })
			_ = socket.Timeout(time.Hour).EmitFunc("question", func(_ context.Context, _ *socketio.Ack, err error) {
				s.note("active: an acknowledgement, disconnected: %v", errors.Is(err, socketio.ErrDisconnected))
			})
			found <- traces{weak.Make(socket.Session()), weak.Make(socket), weak.Pointer[pipeEnd]{}}
		})
		srv.OnDisconnecting(func(_ context.Context, socket *socketio.Socket, why *socketio.DisconnectError) {
			s.note("disconnecting: %s, was in %d rooms", why.Reason, len(socket.Rooms()))
		})
		srv.OnDisconnect(func(context.Context, *socketio.Socket, *socketio.DisconnectError) { s.note("disconnect") })

		gone := func() traces { // keeps the client's own references in a frame that ends
			e := connectPipe(t, srv, func(*pipeEnd, *eioparser.Packet) {})
			count("connected")
			e.send("0", `2["event"]`)
			synctest.Wait()
			count("joined")
			w := <-found
			w.link = weak.Make(e)
			e.Close()
			<-e.served
			synctest.Wait()
			return w
		}
		w := gone()
		count("cleaned up")
		s.expect(t,
			"connected: 1 sessions, 0 sockets, 0 in the index, 0 rooms",
			"active: an event",
			"joined: 1 sessions, 1 sockets, 1 in the index, 2 rooms",
			"active: an acknowledgement, disconnected: true",
			"disconnecting: transport close, was in 2 rooms",
			"disconnect",
			"cleaned up: 0 sessions, 0 sockets, 0 in the index, 0 rooms")
		for range 100 {
			if w.session.Value() == nil && w.socket.Value() == nil && w.link.Value() == nil {
				break
			}
			runtime.GC()
			<-time.After(time.Millisecond)
		}
		if w.session.Value() != nil || w.socket.Value() != nil || w.link.Value() != nil {
			t.Error("session, socket or link are not collected:", w.session.Value() != nil, w.socket.Value() != nil, w.link.Value() != nil)
		}
		if err := srv.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
