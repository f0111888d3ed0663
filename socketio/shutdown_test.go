package socketio_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

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
