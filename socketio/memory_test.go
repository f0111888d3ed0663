package socketio_test

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"
	"unsafe"
	"weak"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/socketio"
)

// A killed client that had handlers, rooms, timers and acknowledgements in both
// directions leaves nothing that holds its memory.
func TestKilledClientIsCollected(t *testing.T) {
	srv := fixture(t, quiet())
	type traces struct {
		socket   weak.Pointer[socketio.Socket]
		session  weak.Pointer[engineio.Session]
		conn     func() bool
		room     weak.Pointer[byte] // of its name, which lives as long as the room
		captured weak.Pointer[[64]byte]
	}
	found := make(chan traces, 1)
	asked := make(chan struct{})
	srv.OnConnection(func(ctx context.Context, s *socketio.Socket) {
		big := new([64]byte)
		name := strings.Repeat("a room of its own ", 8)
		_ = s.Join(name)
		s.On("x", func(context.Context, *socketio.Event) error { big[0]++; return nil })
		s.OnDisconnect(func(context.Context, *socketio.Socket, *socketio.DisconnectError) { big[1]++ })
		socketio.NewLocalKey[*[64]byte]("big").Set(s, big)
		err := s.Timeout(time.Hour).EmitFunc("never answered", func(context.Context, *socketio.Ack, error) { big[2]++ })
		if err != nil {
			t.Error(err)
		}
		found <- traces{weak.Make(s), weak.Make(s.Session()), s.HasConnection(), weak.Make(unsafe.StringData(name)), weak.Make(big)}
		go func() {
			defer close(asked)
			_, _ = s.Timeout(time.Hour).EmitWithAck(ctx, "never answered")
		}()
	})
	c := dial(t, serve(t, srv))
	c.join("/")
	c.next()
	c.send(`427["x"]`)
	w := receive(t, found)
	c.kill()
	receive(t, asked)
	eventually(t, "collected", func() bool {
		runtime.GC()
		return w.socket.Value() == nil && w.session.Value() == nil && !w.conn() && w.room.Value() == nil && w.captured.Value() == nil
	})
	runtime.KeepAlive(srv)
}
