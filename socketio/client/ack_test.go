package client_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
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

func TestAcks(t *testing.T) {
	bubble(t, func(t *testing.T) {
		io := newServer(t, socketio.Config{})
		c := io.Connect(overWebSocket(client.Config{}))
		for _, args := range [][]any{{}, {"a"}, {1, []int{2}, nil}, {[]byte("binary")}} {
			ack, err := c.EmitWithAck(t.Context(), "echo", args...)
			if err != nil || ack.Len() != len(args) {
				t.Error(args, ack, err)
			}
		}
		var wg sync.WaitGroup
		for i := range 1000 { // each its own
			wg.Go(func() {
				var got int
				ack, err := c.EmitWithAck(t.Context(), "echo", i)
				if err != nil || ack.Bind(&got) != nil || got != i {
					t.Error(i, got, err)
				}
			})
		}
		wg.Wait()
	})
}

// What can't be encoded is no answer: another one may be given, and then no more.
func TestAckAfterOneThatCannotBeEncoded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sc := newScript(t, nil)
		c := sc.net.Connect(overWebSocket(client.Config{}))
		heard := make(chan error, 3)
		c.On("ask", func(_ context.Context, ev *socketio.Incoming) error {
			for _, arg := range []any{make(chan int), "sorry", "again"} {
				heard <- ev.Ack(arg)
			}
			return nil
		})
		say(sc.session(), `21["ask"]`)
		var wrong *socketio.ArgumentError
		if err := <-heard; !errors.As(err, &wrong) {
			t.Error(err)
		}
		if err := <-heard; err != nil {
			t.Error(err)
		}
		if err := <-heard; !errors.Is(err, socketio.ErrAcked) {
			t.Error(err)
		}
	})
}

func TestAckTimeout(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sc := newScript(t, nil)
		c := sc.net.Connect(overWebSocket(client.Config{AckTimeout: 3 * time.Second}))
		within := func(d time.Duration, want error, ask func(ctx context.Context) error) {
			t.Helper()
			start := time.Now()
			if err := ask(t.Context()); !errors.Is(err, want) || time.Since(start) != d {
				t.Error(err, "after", time.Since(start))
			}
		}
		plain := func(ctx context.Context) error { _, err := c.EmitWithAck(ctx, "x"); return err }
		within(3*time.Second, socketio.ErrAckTimeout, plain)
		within(time.Second, socketio.ErrAckTimeout, func(ctx context.Context) error {
			_, err := c.Timeout(time.Second).EmitWithAck(ctx, "x")
			return err
		})
		within(time.Minute, socketio.ErrAckTimeout, func(ctx context.Context) error {
			ctx, cancel := context.WithTimeout(ctx, time.Minute)
			defer cancel()
			return plain(ctx)
		})
		within(time.Second, context.Canceled, func(ctx context.Context) error {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			time.AfterFunc(time.Second, cancel)
			return plain(ctx)
		})
		// Too late, and for nobody.
		say(sc.session(), `31["late"]`, `399["nobody"]`, `3["no id"]`)
		synctest.Wait()
		if !c.Connected() {
			t.Error("late acknowledgements have ended the connection")
		}
	})
}

// An event that was sent when the connection broke can't be acknowledged any
// more; one that was not can.
func TestAckAndDisconnect(t *testing.T) {
	bubble(t, func(t *testing.T) {
		io := newServer(t, socketio.Config{})
		c := io.Connect(overWebSocket(client.Config{}))
		result := make(chan error, 1)
		ask := func(event string) {
			go func() {
				_, err := c.EmitWithAck(t.Context(), event)
				result <- err
			}()
			synctest.Wait()
		}
		ask("nobody listens")
		c.Cut()
		var why *client.DisconnectError
		if err := <-result; !errors.As(err, &why) || why.Reason != engineio.TransportClose || !errors.Is(err, socketio.ErrDisconnected) {
			t.Error(err)
		}
		ask("echo")
		if len(result) > 0 {
			t.Fatal(<-result)
		}
		<-time.After(2 * time.Second)
		if err := <-result; err != nil {
			t.Error(err)
		}
		c.Disconnect()
		ask("echo")
		<-time.After(client.DefaultAckTimeout)
		if err := <-result; !errors.Is(err, socketio.ErrAckTimeout) {
			t.Error(err)
		}
		var d diary
		io.OnAny(func(_ context.Context, ev *socketio.Event) { d.add("%s", ev.Name()) })
		if err := c.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		d.expect(t) // what nobody waits for any more was not sent
	})
}

func TestServerAsks(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sc := newScript(t, nil)
		c := sc.net.Connect(overWebSocket(client.Config{}))
		var late *client.Event
		c.On("q", func(_ context.Context, ev *client.Event) error {
			if !ev.WantsAck() {
				return ev.Ack("nobody wants it")
			}
			err := ev.Ack(ev.Args(), []byte("b"))
			if again := ev.Ack(); !errors.Is(again, socketio.ErrAcked) {
				t.Error(again)
			}
			return err
		})
		c.On("later", func(_ context.Context, ev *client.Event) error {
			late = ev
			return nil
		})
		sc.forget()
		say(sc.session(), `25["q",1,"two"]`, `2["q"]`, `20["later"]`)
		sc.expect(`61-5[1,"two",{"_placeholder":true,"num":0}]`, "b")
		c.Cut()
		<-time.After(time.Minute)
		sc.expect("0")
		if err := late.Ack("over another connection"); !errors.Is(err, socketio.ErrDisconnected) {
			t.Error(err)
		}
		sc.expect()
	})
}

// A handler may wait for an acknowledgement.
func TestAskInHandler(t *testing.T) {
	bubble(t, func(t *testing.T) {
		io := newServer(t, socketio.Config{})
		c := io.Connect(overWebSocket(client.Config{}))
		var d diary
		c.On("echo", func(ctx context.Context, _ *client.Event) error {
			ack, err := c.EmitWithAck(ctx, "echo", 42)
			d.add("%s %v", ack.Args().Raw(), err)
			return nil
		})
		if err := c.Emit(t.Context(), "echo"); err != nil {
			t.Error(err)
		}
		d.expect(t, "42 <nil>")
	})
}

func TestRetries(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var answers atomic.Bool
		sc := newScript(t, func(s *engineio.Session, text string) {
			welcome(s, text)
			if id, _, ok := strings.Cut(strings.TrimPrefix(text, "2"), "["); ok && text[0] == '2' && answers.Load() {
				say(s, "3"+id+`["ok"]`)
			}
		})
		c := sc.net.Connect(overWebSocket(client.Config{Retries: 2, AckTimeout: time.Second}))
		var d, failed diary
		c.OnError(func(_ context.Context, err error) {
			failed.add("%v (timeout: %v)", err, errors.Is(err, socketio.ErrAckTimeout))
		})
		c.OnAnyOutgoing(func(event string, _ sioparser.Args) { d.add("out %s", event) })
		sc.forget()
		emit := func(name string) {
			if err := c.Emit(t.Context(), name); err != nil {
				t.Error(err)
			}
		}
		emit("a")
		emit("b")
		synctest.Wait()
		if err := c.Volatile().Emit(t.Context(), "volatile"); err != nil {
			t.Error(err)
		}
		sc.expect(`21["a"]`, `2["volatile"]`) // b waits
		d.expect(t, "out a", "out volatile")
		<-time.After(time.Second)
		sc.expect(`22["a"]`)
		<-time.After(time.Second)
		sc.expect(`23["a"]`)
		<-time.After(time.Second)
		sc.expect(`24["b"]`)
		d.expect(t, "out a", "out a", "out b")
		failed.expect(t, `socketio: event "a" was given up: socketio: operation has timed out (timeout: true)`)
		answers.Store(true)
		<-time.After(time.Second)
		sc.expect(`25["b"]`)
		emit("c")
		sc.expect(`26["c"]`)
		ack, err := c.EmitWithAck(t.Context(), "d")
		if err != nil || string(ack.Args().Raw()) != `"ok"` {
			t.Error(ack, err)
		}
		sc.forget()
		answers.Store(false)
		start := time.Now()
		if _, err := c.Timeout(10*time.Second).EmitWithAck(t.Context(), "e"); !errors.Is(err, socketio.ErrAckTimeout) || time.Since(start) != 30*time.Second {
			t.Error(err, time.Since(start))
		}
		sc.expect(`28["e"]`, `29["e"]`, `210["e"]`)
	})
}

// OnError comes in turn with the handlers also for what the courier gives up, so
// that it may wait for the courier.
func TestOnErrorOfTheCourier(t *testing.T) {
	bubble(t, func(t *testing.T) {
		io := newServer(t, socketio.Config{})
		io.On("nothing", func(context.Context, *socketio.Event) error { return nil }) // never acknowledged
		c := io.Connect(overWebSocket(client.Config{Retries: 1, AckTimeout: time.Second}))
		handling, answered := false, make(chan error, 1)
		c.On("slow", func(context.Context, *client.Event) error {
			handling = true
			<-time.After(10 * time.Second)
			handling = false
			return nil
		})
		c.OnError(func(ctx context.Context, err error) {
			if handling {
				t.Error("beside a handler")
			}
			_, err = c.EmitWithAck(ctx, "echo", err.Error())
			answered <- err
		})
		if err := errors.Join(c.Emit(t.Context(), "nothing"), io.Emit("slow")); err != nil {
			t.Error(err)
		}
		select {
		case err := <-answered:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(time.Hour):
			t.Error("it waits for itself")
		}
	})
}

// So it does for a panic of OnAnyOutgoing, wherever Emit is called.
func TestOnErrorOfOnAnyOutgoing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		io := newServer(t, socketio.Config{})
		c := io.Connect(overWebSocket(client.Config{}))
		handling, heard := false, make(chan bool, 1)
		c.OnAnyOutgoing(func(string, sioparser.Args) { panic("boom") })
		c.OnError(func(context.Context, error) { heard <- handling })
		c.On("slow", func(context.Context, *client.Event) error {
			handling = true
			<-time.After(10 * time.Second)
			handling = false
			return nil
		})
		if err := io.Emit("slow"); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if err := c.Emit(t.Context(), "x"); err != nil {
			t.Error(err)
		}
		if <-heard {
			t.Error("beside a handler")
		}
	})
}

// What nobody waits for any more is not asked.
func TestAskWithAnEndedContext(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sc := newScript(t, nil)
		c := sc.net.Connect(overWebSocket(client.Config{}))
		sc.forget()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := c.EmitWithAck(ctx, "x"); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		synctest.Wait()
		sc.expect()
	})
}

// Waiting for an event that is to be retried ends with its context, and with it
// the retrying.
func TestRetriesAreRecalled(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sc := newScript(t, nil)
		c := sc.net.Connect(overWebSocket(client.Config{Retries: 100, AckTimeout: time.Second}))
		sc.forget()
		ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
		defer cancel()
		results := make(chan error, 2)
		for _, name := range []string{"first", "second"} {
			go func() {
				_, err := c.EmitWithAck(ctx, name)
				results <- err
			}()
			synctest.Wait()
		}
		for range 2 {
			if err := <-results; !errors.Is(err, socketio.ErrAckTimeout) {
				t.Error(err)
			}
		}
		<-time.After(time.Minute)
		sc.expect(`21["first"]`, `22["first"]`, `23["first"]`)
		canceled, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := c.EmitWithAck(canceled, "third"); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		c.Disconnect()
		if err := c.Emit(t.Context(), "kept"); err != nil {
			t.Error(err)
		}
		<-time.After(time.Hour)
		sc.forget()
		if err := c.Connect(t.Context()); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		sc.mu.Lock()
		defer sc.mu.Unlock()
		if len(sc.got) != 2 || !strings.HasSuffix(sc.got[1], `["kept"]`) {
			t.Error(sc.got)
		}
	})
}

// What waits behind another event is taken back at once; what the server does not
// take, and what it has no room for, does not hold up the others.
func TestRetriesOfDifficultEvents(t *testing.T) {
	bubble(t, func(t *testing.T) {
		io := newServer(t, socketio.Config{EngineConfig: engineio.Config{MaxPayload: 50_000}})
		config := overWebSocket(client.Config{Retries: 5, AckTimeout: time.Hour, Buffer: 10_000})
		config.Engine.Outbox = 60_000
		c := io.Connect(config)
		c.Stall(true)
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var wg sync.WaitGroup
		ask := func(ctx context.Context, want error, arg any) {
			wg.Go(func() {
				if _, err := c.EmitWithAck(ctx, "echo", arg); !errors.Is(err, want) {
					t.Errorf("%v, want %v", err, want)
				}
			})
			synctest.Wait()
		}
		ask(t.Context(), nil, "first")
		ask(short, socketio.ErrAckTimeout, make([]byte, 9000)) // waits for its turn
		<-time.After(2 * time.Second)
		soon, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := c.Emit(soon, "echo", make([]byte, 9000)); err != nil {
			t.Error("what was taken back still needs room:", err)
		}
		for range 200 { // until the outbox is full
			if err := c.Volatile().Emit(t.Context(), "volatile", make([]byte, 20_000)); err != nil {
				t.Error(err)
			}
		}
		c.Stall(false)
		wg.Wait()
		ask(t.Context(), engine.ErrTooLarge, strings.Repeat("x", 60_000))
		ask(t.Context(), nil, "last")
		wg.Wait()
	})
}

// Two namespaces that retry share an outbox that has room for one of them.
func TestRetriesWaitForTheOutbox(t *testing.T) {
	bubble(t, func(t *testing.T) {
		io := newServer(t, socketio.Config{})
		io.Of("/b").On("echo", func(_ context.Context, ev *socketio.Event) error { return ev.Ack() })
		config := overWebSocket(client.Config{Retries: 5, AckTimeout: time.Hour})
		config.Engine.Outbox = 400_000
		c := io.Connect(config)
		if err := c.Of("/b").Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.Stall(true)
		var wg sync.WaitGroup
		for _, s := range []*client.Socket{c.Socket, c.Of("/b")} {
			wg.Go(func() {
				if _, err := s.EmitWithAck(t.Context(), "echo", make([]byte, 300_000)); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		c.Stall(false)
		wg.Wait()
	})
}

// A network that breaks all the time loses nothing, and the server gets what was
// acknowledged in order.
func TestRetriesLoseNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		io := newServer(t, socketio.Config{})
		var d diary
		last := -1
		io.On("n", func(_ context.Context, ev *socketio.Event) error {
			var n int
			if err := ev.Bind(&n); err != nil {
				return err
			}
			switch n {
			case last + 1:
				last = n
			case last: // sent again, since the acknowledgement was lost
			default:
				d.add("%d after %d", n, last)
			}
			return ev.Ack(n)
		})
		c := io.Client(overWebSocket(client.Config{Retries: 1 << 20, AckTimeout: time.Second, ReconnectionDelay: 100 * time.Millisecond}))
		c.Delay(30 * time.Millisecond)
		if err := c.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		stop := make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() {
			for i := 1; ; i++ {
				select {
				case <-time.After(time.Duration(37*i%400) * time.Millisecond):
					c.Cut()
				case <-stop:
					return
				}
			}
		})
		for n := range 200 {
			if n%2 == 0 {
				if err := c.Emit(t.Context(), "n", n); err != nil {
					t.Error(err)
				}
				continue
			}
			var got int
			ack, err := c.EmitWithAck(t.Context(), "n", n)
			if err != nil || ack.Bind(&got) != nil || got != n {
				t.Error(n, got, err)
			}
		}
		close(stop)
		wg.Wait()
		d.expect(t) // and everything the server does has been done
		if last != 199 {
			t.Error("the last one that arrived is", last)
		}
	})
}

// A bag of retries is bounded, as the buffer is.
func TestBufferIsBounded(t *testing.T) {
	for _, retries := range []int{0, 1} {
		t.Run(fmt.Sprintf("retries %d", retries), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				io := newServer(t, socketio.Config{})
				c := io.Client(overWebSocket(client.Config{Buffer: 1500, Retries: retries}))
				got := 0
				io.On("x", func(_ context.Context, ev *socketio.Event) error {
					got++
					return ev.Ack()
				})
				sent, full := 0, time.Now()
				for {
					ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errors.New("full"))
					err := c.Emit(ctx, "x", strings.Repeat("x", 200))
					cancel()
					if err != nil {
						if err.Error() != "full" || time.Since(full) != time.Second {
							t.Error(err, time.Since(full))
						}
						break
					}
					sent++
				}
				if sent != 3 {
					t.Error(sent, "events of 456 bytes fit in 1500")
				}
				result := make(chan error, 1)
				go func() { result <- c.Emit(t.Context(), "x", strings.Repeat("x", 2000)) }()
				synctest.Wait()
				if err := c.Connect(t.Context()); err != nil {
					t.Fatal(err)
				}
				if err := <-result; err != nil {
					t.Error(err)
				}
				synctest.Wait()
				if got != 4 {
					t.Error(got, "events arrived")
				}
			})
		})
	}
}
