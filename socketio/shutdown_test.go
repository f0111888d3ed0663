package socketio_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio"
)

func TestHundredStartsAndStops(t *testing.T) {
	for range 100 {
		srv := fixture(t, quiet())
		front := httptest.NewServer(srv)
		c := dial(t, front.URL)
		c.join("/")
		if err := srv.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.kill()
		front.Close()
		if srv.Len() != 0 || srv.Engine().Len() != 0 {
			t.Fatal("something stayed")
		}
	}
} // goleak looks for what they left

func TestRequestsAfterShutdownAreRefused(t *testing.T) {
	srv := newServer(t, quiet())
	url := serve(t, srv)
	if err := srv.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	res, err := http.Get(url + "/socket.io/?EIO=4&transport=polling")
	if err != nil {
		t.Fatal(err)
	}
	defer http.DefaultClient.CloseIdleConnections()
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	if res.StatusCode != http.StatusServiceUnavailable {
		t.Error(res.Status)
	}
}

// Sixty-four goroutines call everything there is while clients come and go.
func TestStress(t *testing.T) {
	srv := fixture(t, quiet())
	url := serve(t, srv)
	ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
	defer cancel()
	var clients, callers sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			for ctx.Err() == nil {
				c := dial(t, url)
				c.send("40", `42["message",1]`, `421["join","a"]`, "40/custom,", "40/dyn-1,", "41/custom,")
				for range 6 {
					c.next()
				}
				c.kill()
			}
		})
	}
	acts := []func(s *socketio.Socket){
		func(s *socketio.Socket) { _ = s.Emit("x", 1) },
		func(s *socketio.Socket) { _ = s.Volatile().Emit("x", []byte{1}) },
		func(s *socketio.Socket) { _ = s.Join("a", "b") },
		func(s *socketio.Socket) { s.Leave("a") },
		func(s *socketio.Socket) { _ = srv.To("a").Except("b").Emit("x", 1) },
		func(s *socketio.Socket) { _ = s.Broadcast().Compress(false).Emit("x") },
		func(s *socketio.Socket) { _, _ = s.Timeout(time.Millisecond).EmitWithAck(ctx, "x") },
		func(s *socketio.Socket) {
			for range srv.Timeout(time.Millisecond).EmitWithAck(ctx, "x") {
			}
		},
		func(s *socketio.Socket) {
			for r := range srv.FetchSockets(ctx) {
				_ = r.Emit("x")
				_ = r.Join("c")
			}
		},
		func(s *socketio.Socket) { _ = srv.To("a").DisconnectSockets(false) },
		func(s *socketio.Socket) { s.Disconnect(true) },
		func(s *socketio.Socket) { s.On("x", messageBack)() },
		func(s *socketio.Socket) { s.OnAnyOutgoing(func(*socketio.Socket, string, sioparser.Args) {})() },
		func(s *socketio.Socket) { _ = user.Set(s, account{"a"}); _, _ = user.Get(s) },
		func(s *socketio.Socket) {
			_ = s.Rooms()
			_ = s.Recovered()
			for range s.Siblings() {
			}
		},
		func(s *socketio.Socket) { _ = srv.SocketsJoin("d"); _ = srv.SocketsLeave("d") },
	}
	for i := range 64 {
		callers.Go(func() {
			for ctx.Err() == nil {
				for s := range srv.Sockets() {
					acts[i%len(acts)](s)
				}
				for n := range srv.Namespaces() {
					_ = n.Emit("x")
				}
				select {
				case <-time.After(time.Millisecond):
				case <-ctx.Done():
				}
			}
		})
	}
	clients.Wait()
	callers.Wait()
	eventually(t, "empty registries", func() bool { return srv.Len() == 0 && srv.Engine().Len() == 0 })
}

// A handler does not wait longer than its own deadline, although its context ends
// with its socket.
func TestShutdownWithAHandlersContextEnds(t *testing.T) {
	for name, derive := range map[string]func(context.Context) (context.Context, context.CancelFunc){
		"cancelled": context.WithCancel,
		"expired": func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithDeadline(ctx, time.Now().Add(-time.Second))
		},
	} {
		t.Run(name, func(t *testing.T) {
			srv := newServer(t, quiet())
			url := serve(t, srv)
			release, busy := make(chan struct{}), make(chan struct{})
			srv.On("hang", func(context.Context, *socketio.Event) error { close(busy); <-release; return nil })
			done := make(chan error, 1)
			srv.On("stop", func(ctx context.Context, _ *socketio.Event) error {
				<-busy
				ctx, cancel := derive(ctx)
				cancel()
				done <- srv.Shutdown(ctx)
				return nil
			})
			defer close(release)
			a, b := dial(t, url), dial(t, url)
			a.join("/")
			b.join("/")
			a.send(`42["hang"]`)
			b.send(`42["stop"]`)
			if err := receive(t, done); err == nil {
				t.Error("nothing was left?")
			}
		})
	}
}

// Two handlers that shut the server down do not wait for each other.
func TestShutdownByTwoHandlers(t *testing.T) {
	srv := newServer(t, quiet())
	url := serve(t, srv)
	var both sync.WaitGroup
	both.Add(2)
	done := make(chan error, 2)
	srv.On("stop", func(ctx context.Context, _ *socketio.Event) error {
		both.Done()
		both.Wait()
		done <- srv.Shutdown(ctx)
		return nil
	})
	a, b := dial(t, url), dial(t, url)
	a.join("/")
	b.join("/")
	a.send(`42["stop"]`)
	b.send(`42["stop"]`)
	for range 2 {
		if err := receive(t, done); err != nil {
			t.Error(err)
		}
	}
}
