package socketio_test

import (
	"context"
	"log/slog"
	"regexp"
	"sync/atomic"
	"testing"
	"time"

	"github.com/siokit/siokit/socketio"
	"github.com/siokit/siokit/socketio/adapter"
)

// A panic of what runs for no socket is logged with its stack, and harms nobody:
// clients come, are served and go as before.
func TestPanicsOfNoSocketAreLogged(t *testing.T) {
	boom := func() { panic("boom") }
	for name, prepare := range map[string]func(t *testing.T, srv, other *socketio.Server){
		"server-side event": func(t *testing.T, srv, other *socketio.Server) {
			srv.OnServerSide("x", func(context.Context, *socketio.ServerEvent) error { boom(); return nil })
			if err := other.ServerSideEmit("x"); err != nil {
				t.Error(err)
			}
		},
		"new namespace": func(_ *testing.T, srv, _ *socketio.Server) {
			srv.OnNewNamespace(func(*socketio.Namespace) { boom() })
			srv.Of("/new")
		},
		"room": func(t *testing.T, srv, _ *socketio.Server) {
			rooms := srv.Adapter().(adapter.Observable)
			rooms.Observe(func(adapter.Event) { boom() })
			var told atomic.Int64
			rooms.Observe(func(adapter.Event) { told.Add(1) })
			t.Cleanup(func() {
				if n := told.Load(); n != 8 { // two rooms: created, joined, left, deleted
					t.Error("the other hook was told of", n)
				}
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			log, h := new(buffer), new(hub)
			config := quiet()
			config.Adapter = h.adapter("other")
			other := newServer(t, config)
			serve(t, other)
			config.Adapter = h.adapter("this")
			config.Logger = slog.New(slog.NewTextHandler(log, nil))
			srv := fixture(t, config)
			gone := make(chan socketio.Reason, 1)
			srv.OnDisconnect(func(_ context.Context, _ *socketio.Socket, why *socketio.DisconnectError) { gone <- why.Reason })
			url := serve(t, srv)
			prepare(t, srv, other)
			c := dial(t, url)
			c.join("/")
			c.expect(`42["auth",{}]`)
			c.send(`420["join","r"]`)
			c.expect("430[2]")
			c.send("41")
			if reason := receive(t, gone); reason != socketio.ClientNamespaceDisconnect {
				t.Error(reason)
			}
			if srv.Len() != 0 {
				t.Error("the socket stayed")
			}
			await(t, log, "boom")
			await(t, log, "panic_test.go")
		})
	}
}

// bomb panics when it is encoded.
type bomb struct{}

func (bomb) MarshalJSON() ([]byte, error) { panic("boom") }

// custom is an error of the application; its nil pointer can't say what it is.
type custom struct{ text string }

func (e *custom) Error() string { return e.text }

// A middleware's error is the application's code: what panics in it refuses that
// CONNECT, and nothing else.
func TestPanicsOfRefusals(t *testing.T) {
	for name, row := range map[string]struct {
		refuse func() error
		answer string
	}{
		"nil *PublicError": {func() error { return (*socketio.PublicError)(nil) }, `44{"message":"internal error"}`},
		"nil pointer":      {func() error { return (*custom)(nil) }, `44{"message":"internal error"}`},
		"data":             {func() error { return &socketio.PublicError{Message: "no", Data: bomb{}} }, `44{"message":"no"}`},
	} {
		t.Run(name, func(t *testing.T) {
			srv := newServer(t, quiet())
			var refusing atomic.Bool
			refusing.Store(true)
			srv.Use(func(context.Context, *socketio.Socket) error {
				if refusing.Load() {
					return row.refuse()
				}
				return nil
			})
			c := dial(t, serve(t, srv))
			c.send("40")
			c.expect(row.answer)
			refusing.Store(false)
			c.join("/")
		})
	}
}

// An argument that panics while it is encoded for the children of a parent ends
// the socket whose handler asked.
func TestPanicOfAnArgumentForChildren(t *testing.T) {
	srv := newServer(t, quiet())
	parent := srv.OfPattern(regexp.MustCompile(`^/dyn-`))
	srv.Of("/dyn-1")
	srv.On("ask", func(ctx context.Context, _ *socketio.Event) error {
		for range parent.EmitWithAck(ctx, "x", bomb{}) {
			t.Error("asked")
		}
		return nil
	})
	c := dial(t, serve(t, srv))
	c.join("/")
	c.send(`42["ask"]`)
	c.expect("41")
	c.join("/")
}

func TestPanicOfOnExpiredIsLogged(t *testing.T) {
	log := new(buffer)
	config := quiet()
	config.Logger = slog.New(slog.NewTextHandler(log, nil))
	config.Recovery = &socketio.Recovery{
		MaxDisconnection: time.Millisecond,
		OnExpired:        func(string, string) { panic("boom") },
	}
	srv := newServer(t, config)
	c := dial(t, serve(t, srv))
	c.send("40")
	c.answered(new(session))
	c.kill()
	await(t, log, "panic_test.go")
}
