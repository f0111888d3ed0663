package client_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/socketio"
	"github.com/siokit/siokit/socketio/client"
	"github.com/siokit/siokit/socketio/siotest"
)

// What was emitted leaves before the connection ends.
func TestCloseSendsWhatIsQueued(t *testing.T) {
	bubble(t, func(t *testing.T) {
		io := newServer(t, socketio.Config{})
		got := 0
		io.On("x", func(context.Context, *socketio.Event) error {
			got++
			return nil
		})
		var reason socketio.Reason
		io.OnDisconnect(func(_ context.Context, _ *socketio.Socket, why *socketio.DisconnectError) { reason = why.Reason })
		c := io.Connect(overWebSocket(client.Config{}))
		c.Delay(time.Second)
		for range 100 {
			if err := c.Emit(t.Context(), "x", make([]byte, 1000)); err != nil {
				t.Error(err)
			}
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if got != 100 || reason != socketio.ClientNamespaceDisconnect {
			t.Error(got, reason)
		}
	})
}

// So does what the outbox had no room for.
func TestCloseSendsMoreThanTheOutboxHolds(t *testing.T) {
	for name, end := range map[string]func(c *siotest.Client) error{
		"Close":      func(c *siotest.Client) error { return c.Close() },
		"Disconnect": func(c *siotest.Client) error { c.Disconnect(); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				io := newServer(t, socketio.Config{})
				var got atomic.Int32
				io.On("x", func(context.Context, *socketio.Event) error { got.Add(1); return nil })
				config := overWebSocket(client.Config{})
				config.Engine.Outbox = 1 << 20
				c := io.Connect(config)
				text := strings.Repeat("x", 400_000)
				for range 20 {
					if err := c.Emit(t.Context(), "x", text); err != nil {
						t.Fatal(err)
					}
				}
				if err := end(c); err != nil {
					t.Error(err)
				}
				<-time.After(time.Minute)
				if n := got.Load(); n != 20 {
					t.Errorf("the server got %d of 20", n)
				}
			})
		})
	}
}

// Another namespace may be joined while one fills the outbox.
func TestNamespacesDuringAnUpload(t *testing.T) {
	bubble(t, func(t *testing.T) {
		io := newServer(t, socketio.Config{})
		io.Of("/b")
		var got atomic.Int32
		io.On("x", func(context.Context, *socketio.Event) error { got.Add(1); return nil })
		config := overWebSocket(client.Config{})
		config.Engine.Outbox = 1 << 20
		config.Auth = client.Static(map[string]string{"token": strings.Repeat("t", 20_000)}) // more than the outbox has left
		c := io.Connect(config)
		c.OnDisconnect(func(_ context.Context, why *client.DisconnectError) {
			if why.Reason != client.ClientDisconnect {
				t.Error(why)
			}
		})
		c.StallUp(true)
		text := strings.Repeat("x", 10_000)
		for range 500 {
			if err := c.Emit(t.Context(), "x", text); err != nil {
				t.Fatal(err)
			}
		}
		b := c.Of("/b")
		if err := b.Open(); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		c.StallUp(false)
		<-time.After(time.Second)
		if n := got.Load(); n != 500 || !b.Connected() {
			t.Errorf("the server got %d of 500; joined: %t", n, b.Connected())
		}
	})
}

// The DISCONNECT comes some time before the end of the connection, which some
// servers handle first if they come together.
func TestFarewell(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sc := newScript(t, nil)
		c := sc.net.Connect(overWebSocket(client.Config{}))
		sc.forget()
		c.Disconnect()
		<-time.After(time.Second)
		sc.expect("1")
		sc.mu.Lock()
		defer sc.mu.Unlock()
		if between := sc.closed.Sub(sc.last); between < 10*time.Millisecond || between > 50*time.Millisecond {
			t.Error(between, "between them")
		}
	})
}

// A server that does not take what is queued is given up.
func TestCloseDoesNotWaitForever(t *testing.T) {
	bubble(t, func(t *testing.T) {
		io := newServer(t, socketio.Config{})
		c := io.Connect(overWebSocket(client.Config{}))
		c.Stall(true)
		for range 10 {
			if err := c.Emit(t.Context(), "x", make([]byte, 100_000)); err != nil {
				t.Error(err)
			}
		}
		start := time.Now()
		if err := c.Close(); err != nil || time.Since(start) != 5*time.Second {
			t.Error(err, "after", time.Since(start))
		}
	})
}

// Those who wait are told.
func TestCloseEndsAllWaiting(t *testing.T) {
	for name, config := range map[string]client.Config{"once": {}, "retries": {Retries: 3}} {
		for _, connect := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					config.AckTimeout = -1
					config.Buffer = 1000
					sc := newScript(t, nil)
					c := sc.net.Client(overWebSocket(config))
					if connect {
						if err := c.Connect(t.Context()); err != nil {
							t.Fatal(err)
						}
					}
					errs := make(chan error, 20)
					var wg sync.WaitGroup
					for range 10 {
						wg.Go(func() {
							_, err := c.EmitWithAck(t.Context(), "x", make([]byte, 300))
							errs <- err
						})
					}
					synctest.Wait()
					if err := c.Close(); err != nil {
						t.Error(err)
					}
					wg.Wait()
					close(errs)
					for err := range errs {
						if !errors.Is(err, client.ErrClosed) && !errors.Is(err, socketio.ErrDisconnected) {
							t.Error(err)
						}
					}
				})
			})
		}
	}
}

func TestCloseInHandlers(t *testing.T) {
	for name, close := range map[string]func(ctx context.Context, c *client.Client) error{
		"Shutdown with ctx": func(ctx context.Context, c *client.Client) error { return c.Shutdown(ctx) },
		"Disconnect":        func(_ context.Context, c *client.Client) error { c.Disconnect(); return nil },
		"Close": func(_ context.Context, c *client.Client) error {
			if err := c.Close(); !errors.Is(err, client.ErrHandlersRun) {
				return errors.New("Close did not notice that it was called in a handler")
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				sc := newScript(t, nil)
				c := sc.net.Connect(overWebSocket(client.Config{}))
				var d diary
				d.follow(c.Socket)
				c.On("end", func(ctx context.Context, _ *client.Event) error {
					<-time.After(time.Second) // until the second one waits
					if err := close(ctx, c.Client); err != nil {
						t.Error(err)
					}
					d.add("closed")
					return nil
				})
				say(sc.session(), `2["end"]`, `2["end"]`)
				<-time.After(time.Minute)
				if name == "Disconnect" {
					d.expect(t, "closed", "closed", "disconnect: io client disconnect")
				} else {
					d.expect(t, "closed", "disconnect: io client disconnect")
				}
			})
		})
	}
}

// Two handlers, of two namespaces, that close the client don't wait for each
// other.
func TestTwoHandlersClose(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sc := newScript(t, nil)
		c := sc.net.Connect(overWebSocket(client.Config{}))
		if err := c.Of("/b").Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		var d diary
		start := time.Now()
		both := make(chan struct{}, 2)
		for _, s := range []*client.Socket{c.Socket, c.Of("/b")} {
			s.On("end", func(ctx context.Context, _ *client.Event) error {
				both <- struct{}{}
				for len(both) < 2 {
					<-time.After(time.Millisecond)
				}
				if err := c.Shutdown(ctx); err != nil {
					t.Error(err)
				}
				d.add("closed after a second: %v", time.Since(start) > time.Second)
				return nil
			})
		}
		say(sc.session(), `2["end"]`, `2/b,["end"]`)
		<-time.After(time.Minute)
		d.expect(t, "closed after a second: false", "closed after a second: false")
	})
}

// A handler that doesn't return is waited for as long as ctx says.
func TestShutdownWaitsForHandlers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sc := newScript(t, nil)
		c := sc.net.Connect(overWebSocket(client.Config{}))
		release := make(chan struct{})
		var ended atomic.Bool
		c.On("x", func(ctx context.Context, _ *client.Event) error {
			<-ctx.Done()
			ended.Store(errors.Is(context.Cause(ctx), client.ErrClosed))
			<-release
			return nil
		})
		say(sc.session(), `2["x"]`)
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := c.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) || !ended.Load() {
			t.Error(err, ended.Load())
		}
		time.AfterFunc(time.Minute, func() { close(release) })
		start := time.Now()
		if err := c.Shutdown(t.Context()); err != nil || time.Since(start) != time.Minute {
			t.Error(err, time.Since(start))
		}
	})
}

// Any number of goroutines may do anything, while the network breaks. The race
// detector looks on.
func TestEverythingAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sc := newScript(t, func(s *engineio.Session, text string) {
			welcome(s, text)
			say(s, `2["x"]`, `21["x"]`)
		})
		c := sc.net.Client(quiet(client.Config{ReconnectionDelay: time.Millisecond, Buffer: 1 << 20}))
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		var wg sync.WaitGroup
		for i, act := range []func(s *client.Socket){
			func(s *client.Socket) { _ = s.Emit(ctx, "x", 1) },
			func(s *client.Socket) { _, _ = s.Timeout(time.Millisecond).EmitWithAck(ctx, "x", []byte{1}) },
			func(s *client.Socket) { _ = s.Volatile().Emit(ctx, "x") },
			func(s *client.Socket) { _ = s.Open() },
			func(s *client.Socket) { _ = s.Connect(ctx) },
			func(s *client.Socket) { s.Disconnect() },
			func(*client.Socket) { c.Cut() },
			func(s *client.Socket) { s.On("x", func(context.Context, *client.Event) error { return nil })() },
			func(s *client.Socket) {
				s.Once("x", func(_ context.Context, ev *client.Event) error { return ev.Ack(1) })
			},
			func(s *client.Socket) { _, _, _ = s.ID(), s.Connected(), c.Client.Transport() },
		} {
			for _, s := range []*client.Socket{c.Socket, c.Of("/a"), c.Of("/b")} {
				wg.Go(func() {
					for ctx.Err() == nil {
						act(s)
						<-time.After(time.Duration(i+1) * 7 * time.Millisecond)
					}
				})
			}
		}
		wg.Wait()
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}
