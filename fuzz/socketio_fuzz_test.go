package fuzz_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/siokit/siokit/socketio"
)

// FuzzSocketIOConnection plays any sequence of messages into one connection of
// a server with handlers of every kind. Nothing may panic; a socket that joined
// is told of its end exactly once; a well-behaved neighbour is served; and
// nothing stays behind. Messages are separated by 0x1e; one that begins with
// 0xff is binary.
func FuzzSocketIOConnection(f *testing.F) {
	for _, seed := range []string{
		"0\x1e2[\"echo\",1]\x1e1",
		"0/a,\x1e0/a,",
		"0{\"pid\":\"x\",\"offset\":\"y\"}\x1e20[\"ask\"]\x1e30[1]",
		"0\x1e51-[\"echo\",{\"_placeholder\":true,\"num\":0}]\x1e\xff\x01",
		"0\x1e51-[\"echo\",{\"_placeholder\":true,\"num\":0}]\x1e2[\"echo\"]",
		"0/dyn-1,\x1e2/dyn-1,[\"leave\"]\x1e0/dyn-1,\x1e1/dyn-1,\x1e0/dyn-1,",
		"0/deny,\x1e2/deny,[\"echo\"]",
		"0\x1e2[\"boom\"]\x1e2[\"echo\"]\x1e0",
		"0\x1e2[\"close\"]\x1e2[\"echo\"]",
		"1\x1e0", "4{\"message\":\"x\"}", "6", "", "0[]", "2[\"connect\"]",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		srv := socketioServer(t, socketio.Config{
			Recovery:                    &socketio.Recovery{},
			CleanupEmptyChildNamespaces: true,
		})
		var joined, left atomic.Int64
		parent := srv.OfMatch(func(_ context.Context, name string, _ *socketio.Handshake) bool {
			return len(name) > 4 && name[:5] == "/dyn-"
		})
		srv.Of("/deny").Use(func(context.Context, *socketio.Socket) error { return errors.New("no") })
		for _, l := range []interface {
			socketio.Listener
			OnConnection(socketio.ConnectionHook) func()
			OnDisconnect(func(context.Context, *socketio.Socket, *socketio.DisconnectError)) func()
		}{srv, srv.Of("/a"), parent} {
			l.OnConnection(func(_ context.Context, s *socketio.Socket) {
				joined.Add(1)
				_ = s.Join("room")
			})
			l.OnDisconnect(func(context.Context, *socketio.Socket, *socketio.DisconnectError) { left.Add(1) })
			l.On("echo", func(_ context.Context, ev *socketio.Event) error {
				return errors.Join(ev.Ack(ev.Args()), ev.Socket().Emit("echo", ev.Args()), ev.Socket().Namespace().To("room").Emit("all", ev.Args()))
			})
			l.On("inline", func(_ context.Context, ev *socketio.Event) error { return ev.Ack(ev.Args()) }, socketio.Inline)
			l.On("beside", func(_ context.Context, ev *socketio.Event) error { return ev.Ack(ev.Args()) }, socketio.Concurrent)
			l.On("ask", func(_ context.Context, ev *socketio.Event) error {
				go func() { _, _ = ev.Socket().EmitWithAck(ev.Socket().Context(), "question") }()
				return nil
			})
			l.On("leave", func(_ context.Context, ev *socketio.Event) error { ev.Socket().Disconnect(false); return nil })
			l.On("close", func(_ context.Context, ev *socketio.Event) error { ev.Socket().Disconnect(true); return nil })
			l.On("boom", func(context.Context, *socketio.Event) error { panic("boom") })
			l.On("bind", func(_ context.Context, ev *socketio.Event) error {
				var v any
				return ev.Bind(&v)
			})
		}

		c := linkTo(t, srv)
		for message := range bytes.SplitSeq(input, []byte{0x1e}) {
			binary := len(message) > 0 && message[0] == 0xff
			if binary {
				message = message[1:]
			}
			if !c.send(slices.Clone(message), binary) {
				break
			}
		}
		neighbour := linkTo(t, srv)
		neighbour.send([]byte("0"), false)
		neighbour.send([]byte(`2["echo","neighbour"]`), false)
		neighbour.wait(t, func(received []string) bool {
			return slices.ContainsFunc(received, func(m string) bool { return len(m) > 20 && m[:20] == `2["echo","neighbour"` })
		})
		c.hangUp()
		neighbour.hangUp()
		if err := srv.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		if joined.Load() != left.Load() {
			t.Errorf("%d joined, %d left", joined.Load(), left.Load())
		}
		if srv.Len() != 0 || srv.Engine().Len() != 0 {
			t.Errorf("%d sockets and %d sessions stayed", srv.Len(), srv.Engine().Len())
		}
	})
}
