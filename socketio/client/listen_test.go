package client_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/siokit/siokit/engineio"
	engine "github.com/siokit/siokit/engineio/client"
	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio"
	"github.com/siokit/siokit/socketio/client"
)

func TestListeners(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sc := newScript(t, nil)
		c := sc.net.Connect(overWebSocket(client.Config{}))
		var d diary
		note := func(who string) func(context.Context, *client.Event) error {
			return func(_ context.Context, ev *client.Event) error {
				d.add("%s %s %s", who, ev.Name(), ev.Args().Raw())
				return nil
			}
		}
		stop := c.On("x", note("first"))
		c.On("x", note("second"))
		c.Once("x", note("once"))
		c.OnAny(func(_ context.Context, ev *client.Event) { d.add("any %s %d", ev.Name(), ev.Len()) })
		hear := func(texts ...string) { say(sc.session(), texts...) }
		hear(`2["x",1]`, `2["y"]`, `2["x",2]`)
		d.expect(t, "any x 1", "first x 1", "second x 1", "once x 1", "any y 0", "any x 1", "first x 2", "second x 2")
		stop()
		hear(`2["x"]`)
		d.expect(t, "any x 0", "second x ")
		stopOnce := c.Once("y", note("never"))
		stopOnce()
		hear(`2["y"]`)
		d.expect(t, "any y 0")

		out := c.OnAnyOutgoing(func(event string, args sioparser.Args) { d.add("out %s %s", event, args.Raw()) })
		if err := c.Send(t.Context(), "hello", 1); err != nil {
			t.Error(err)
		}
		d.expect(t, `out message "hello",1`)
		out()
		if err := c.Volatile().Send(t.Context()); err != nil {
			t.Error(err)
		}
		d.expect(t)
		sc.expect("0", `2["message","hello",1]`, `2["message"]`)
	})
}

func TestReservedNames(t *testing.T) {
	c, err := client.New("http://127.0.0.1:1", client.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]func(){
		"On connect":     func() { c.On("connect", func(context.Context, *client.Event) error { return nil }) },
		"Once":           func() { c.Once("disconnect", func(context.Context, *client.Event) error { return nil }) },
		"a nil handler":  func() { c.On("x", nil) },
		"a nil function": func() { c.OnConnect(nil) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error(name, "does not panic")
				}
			}()
			f()
		}()
	}
	if err := c.Emit(t.Context(), "connect_error"); !errors.Is(err, socketio.ErrReserved) {
		t.Error(err)
	}
	var argument *socketio.ArgumentError
	if err := c.Emit(t.Context(), "x", func() {}); !errors.As(err, &argument) || argument.Event != "x" {
		t.Error(err)
	}
	if _, err := c.EmitWithAck(t.Context(), "x", func() {}); !errors.As(err, &argument) {
		t.Error(err)
	}
}

// What handlers return, and that they panic, is told; a panic disconnects.
func TestHandlersFail(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sc := newScript(t, nil)
		c := sc.net.Connect(overWebSocket(client.Config{}))
		var errs []error
		c.OnError(func(_ context.Context, err error) {
			errs = append(errs, err)
			if len(errs) == 3 {
				panic("a hook may panic too")
			}
		})
		var d diary
		d.follow(c.Socket)
		d.record(c.Socket, "after")
		c.On("fail", func(context.Context, *client.Event) error { return os.ErrExist })
		c.On("bind", func(_ context.Context, ev *client.Event) error {
			var n int
			return ev.Bind(&n)
		})
		c.On("exit", func(context.Context, *client.Event) error { runtime.Goexit(); return nil })
		c.On("panic", func(context.Context, *client.Event) error { panic(os.ErrInvalid) })
		say(sc.session(), `2["fail"]`, `2["bind","text"]`, `2["exit"]`, `2["after"]`, `2["panic"]`)
		d.expect(t, "after ", "disconnect: io client disconnect")
		var handler *socketio.HandlerError
		var argument *socketio.ArgumentError
		var panicked *socketio.PanicError
		if len(errs) != 3 || !errors.As(errs[0], &handler) || handler.Event != "fail" || !errors.Is(errs[0], os.ErrExist) ||
			!errors.As(errs[1], &argument) || argument.Event != "bind" || !errors.As(errs[2], &panicked) || !errors.Is(errs[2], os.ErrInvalid) {
			t.Error(errs)
		}
		if c.Active() {
			t.Error("still active")
		}
	})
}

// Events that came before a disconnect are handled before OnDisconnect; the next
// connection does not wait for that.
func TestOnDisconnectComesLast(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sc := newScript(t, nil)
		c := sc.net.Connect(overWebSocket(client.Config{}))
		var d diary
		d.follow(c.Socket)
		release := make(chan struct{})
		c.On("slow", func(_ context.Context, ev *client.Event) error {
			<-release
			d.add("slow %s", ev.Args().Raw())
			return nil
		})
		say(sc.session(), `2["slow",1]`, `2["slow",2]`)
		synctest.Wait()
		c.Cut()
		<-time.After(time.Minute)
		if !c.Connected() {
			t.Error("a handler holds the connection up")
		}
		close(release)
		d.expect(t, "slow 1", "slow 2", "disconnect: transport close", "connect")
	})
}

func TestVolatile(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sc := newScript(t, nil)
		c := sc.net.Connect(overWebSocket(client.Config{}))
		sc.expect("0")
		volatile := func(n int) {
			if err := c.Volatile().Emit(t.Context(), "v", n); err != nil {
				t.Error(err)
			}
			synctest.Wait()
		}
		volatile(1)
		sc.expect(`2["v",1]`)
		c.Stall(true)
		for range 20 { // more than the network holds
			if err := c.Emit(t.Context(), "x", strings.Repeat("x", 50_000)); err != nil {
				t.Error(err)
			}
		}
		synctest.Wait()
		volatile(2)
		c.Stall(false)
		synctest.Wait()
		sc.mu.Lock()
		if got := sc.got; len(got) != 20 || strings.Contains(got[19], "v") {
			t.Error(len(got), "events arrived")
		}
		sc.mu.Unlock()
		c.Disconnect()
		if _, err := c.Volatile().Timeout(time.Hour).EmitWithAck(t.Context(), "v"); !errors.Is(err, socketio.ErrDisconnected) {
			t.Error(err)
		}
	})
}

// A server that does not read: the engine's outbox fills, then the buffer, then
// Emit waits; when it reads again everything arrives, in order.
func TestServerThatDoesNotRead(t *testing.T) {
	bubble(t, func(t *testing.T) {
		io := newServer(t, socketio.Config{})
		next := 0
		io.On("n", func(_ context.Context, ev *socketio.Event) error {
			var n int
			if err := ev.Bind(&n); err != nil || n != next {
				t.Error(n, "instead of", next, err)
			}
			next++
			return nil
		})
		c := io.Connect(overWebSocket(client.Config{Buffer: 100_000, Engine: engine.Config{Outbox: 100_000}}))
		c.Stall(true)
		padding := strings.Repeat("x", 10_000)
		sent := 0
		for {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			err := c.Emit(ctx, "n", sent, padding)
			cancel()
			if errors.Is(err, context.DeadlineExceeded) {
				break
			} else if err != nil || sent > 1000 {
				t.Fatal(sent, err)
			}
			sent++
		}
		c.Stall(false)
		synctest.Wait()
		if next != sent || sent < 18 {
			t.Error(sent, "were sent,", next, "arrived")
		}
		if err := c.Emit(t.Context(), "n", sent); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if next != sent+1 {
			t.Error("the last one has not arrived")
		}
	})
}

// What is larger than the engine's outbox is sent, and so is what is behind it.
// In real time: a client that tries for ever would stop a bubble's clock.
func TestLargerThanTheOutbox(t *testing.T) {
	io := newServer(t, socketio.Config{})
	c := io.Connect(overWebSocket(client.Config{Engine: engine.Config{Outbox: 10_000}}))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for _, size := range []int{100_000, 1, 100_000} {
		if err := c.Emit(ctx, "echo", make([]byte, size)); err != nil {
			t.Error(size, err)
		}
		if _, err := c.EmitWithAck(ctx, "echo", size); err != nil {
			t.Error("behind", size, err)
		}
	}
}

// What is larger than the server takes is refused, to whom it concerns.
func TestTooLarge(t *testing.T) {
	bubble(t, func(t *testing.T) {
		io := newServer(t, socketio.Config{EngineConfig: engineio.Config{MaxPayload: 1000}})
		c := io.Client(overWebSocket(client.Config{}))
		large := strings.Repeat("x", 2000)
		errs := make(chan error, 2)
		c.OnError(func(_ context.Context, err error) { errs <- err })
		if err := c.Emit(t.Context(), "buffered", large); err != nil {
			t.Error(err)
		}
		result := make(chan error, 1)
		go func() {
			_, err := c.EmitWithAck(t.Context(), "asked", large)
			result <- err
		}()
		synctest.Wait()
		if err := c.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, err := range []error{<-errs, <-result, c.Emit(t.Context(), "direct", large)} {
			if !errors.Is(err, engine.ErrTooLarge) {
				t.Error(err)
			}
		}
		if _, err := c.EmitWithAck(t.Context(), "echo"); err != nil {
			t.Error(err)
		}
	})
}

// Whichever hook panics, the client lives on: it is told, and may connect again.
func TestHooksPanic(t *testing.T) {
	boom := func() { panic("boom") }
	for name, register := range map[string]func(c *client.Client){
		"OnConnect":      func(c *client.Client) { c.OnConnect(func(context.Context) { boom() }) },
		"OnDisconnect":   func(c *client.Client) { c.OnDisconnect(func(context.Context, *client.DisconnectError) { boom() }) },
		"OnConnectError": func(c *client.Client) { c.OnConnectError(func(context.Context, error) { boom() }) },
		"OnAny":          func(c *client.Client) { c.OnAny(func(context.Context, *client.Event) { boom() }) },
		"OnAnyOutgoing":  func(c *client.Client) { c.OnAnyOutgoing(func(string, sioparser.Args) { boom() }) },
		"OnReconnect":    func(c *client.Client) { c.OnReconnect(func(context.Context, int) { boom() }) },
		"OnUpgrade":      func(c *client.Client) { c.OnUpgrade(func(context.Context, string, error) { boom() }) },
		"Auth":           func(*client.Client) {},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				sc := newScript(t, nil)
				config := quiet(client.Config{})
				if name == "Auth" {
					config.Auth = func(context.Context, string) (any, error) { boom(); return nil, nil }
				}
				c := sc.net.Client(config)
				var told atomic.Bool
				note := func(_ context.Context, err error) {
					var panicked *socketio.PanicError
					if errors.As(err, &panicked) && panicked.Value == "boom" && len(panicked.Stack) > 0 {
						told.Store(true)
					}
				}
				c.OnError(note)
				if name == "Auth" {
					c.OnConnectError(note)
				}
				register(c.Client)
				if name == "OnConnectError" {
					c.Unreachable(true)
				}
				if err := c.Open(); err != nil {
					t.Fatal(err)
				}
				<-time.After(time.Second)
				if s := sc.session(); s != nil {
					say(s, `2["x"]`)
				}
				if err := c.Emit(t.Context(), "x"); err != nil {
					t.Error(err)
				}
				<-time.After(time.Second)
				c.Cut()
				<-time.After(10 * time.Second)
				if !told.Load() {
					t.Error("nobody was told")
				}
				if err := c.Open(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// What is dropped was not sent.
func TestDroppedEventsAreNotTold(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sc := newScript(t, nil)
		c := sc.net.Client(overWebSocket(client.Config{}))
		var d diary
		c.OnAnyOutgoing(func(event string, _ sioparser.Args) { d.add("%s", event) })
		if err := errors.Join(c.Volatile().Emit(t.Context(), "dropped"), c.Emit(t.Context(), "kept")); err != nil {
			t.Error(err)
		}
		d.expect(t, "kept")
	})
}

// Names that were listened to once take no memory for good.
func TestNamesAreForgotten(t *testing.T) {
	c, err := client.New("http://127.0.0.1:1", client.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	held := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := held()
	for i := range 50_000 {
		c.On(fmt.Sprintf("reply-%032d", i), func(context.Context, *client.Event) error { return nil })()
	}
	if after := held(); after > before+1<<20 {
		t.Errorf("%d bytes", after-before)
	}
	runtime.KeepAlive(c)
}

// Attachments may be as large as text.
func TestLargeAttachment(t *testing.T) {
	bubble(t, func(t *testing.T) {
		io := newServer(t, socketio.Config{})
		c := io.Connect(overWebSocket(client.Config{}))
		got := make(chan int, 2)
		c.On("file", func(_ context.Context, ev *client.Event) error {
			var b []byte
			err := ev.Bind(&b)
			got <- len(b)
			return err
		})
		if err := io.Emit("file", make([]byte, 12<<20)); err != nil {
			t.Fatal(err)
		}
		select {
		case n := <-got:
			if n != 12<<20 {
				t.Error(n)
			}
		case <-time.After(time.Minute):
			t.Error("it did not come")
		}
	})
}
