package siotest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/siokit/siokit/engineio"
	engine "github.com/siokit/siokit/engineio/client"
	"github.com/siokit/siokit/socketio"
	"github.com/siokit/siokit/socketio/client"
	"github.com/siokit/siokit/socketio/siotest"
)

// An application: who is there, told to everybody, with a grace for those who
// lose their connection.
var (
	enter   = socketio.DefineCall[string, int]("enter").ToServer()
	present = socketio.DefineEvent[[]string]("present").ToClient()
	name    = socketio.NewKey[string]("name")
)

type presence struct {
	mu    sync.Mutex
	names map[string]string // by socket id
}

func (p *presence) change(io *socketio.Server, f func()) int {
	p.mu.Lock()
	f()
	all := make([]string, 0, len(p.names))
	for _, n := range p.names {
		all = append(all, n)
	}
	p.mu.Unlock()
	_ = present.Emit(io, all)
	return len(all)
}

// newPresence is what the application's main calls; a client that is away for two
// minutes has left.
func newPresence() (*socketio.Server, error) {
	p := &presence{names: make(map[string]string)}
	var io *socketio.Server
	io, err := socketio.NewServer(socketio.Config{
		EngineConfig: engineio.Config{PingInterval: 25 * time.Second, PingTimeout: 20 * time.Second},
		Recovery: &socketio.Recovery{
			MaxDisconnection: 2 * time.Minute,
			OnExpired:        func(_, id string) { p.change(io, func() { delete(p.names, id) }) },
		},
	})
	if err != nil {
		return nil, err
	}
	enter.On(io, func(_ context.Context, s *socketio.Socket, n string) (int, error) {
		return p.change(io, func() { p.names[s.ID()] = n }), name.Set(s, n)
	})
	io.OnDisconnect(func(_ context.Context, s *socketio.Socket, why *socketio.DisconnectError) {
		if why.Reason == socketio.ClientNamespaceDisconnect { // it will not come back
			p.change(io, func() { delete(p.names, s.ID()) })
		}
	})
	return io, nil
}

// Heartbeats every 25 seconds and a recovery window of two minutes, in
// milliseconds.
func TestApplication(t *testing.T) {
	began := time.Now()
	synctest.Test(t, func(t *testing.T) {
		io, err := newPresence()
		if err != nil {
			t.Fatal(err)
		}
		s := siotest.Serve(t, io, io)
		ada, bob := s.Connect(client.Config{}), s.Connect(client.Config{})
		var there atomic.Int64 // how many, as Ada knows it
		present.On(ada, func(_ context.Context, names []string) error {
			there.Store(int64(len(names)))
			return nil
		})
		for i, c := range []*siotest.Client{ada, bob} {
			if n, err := enter.Do(t.Context(), c, []string{"Ada", "Bob"}[i]); err != nil || n != i+1 {
				t.Fatal(n, err)
			}
		}
		expect := func(n int64) {
			t.Helper()
			synctest.Wait()
			if there.Load() != n {
				t.Errorf("%d are there, want %d", there.Load(), n)
			}
		}
		expect(2)
		id := bob.ID()
		gone := make(chan client.Reason, 1)
		bob.OnDisconnect(func(_ context.Context, why *client.DisconnectError) { gone <- why.Reason })

		bob.Stall(true) // a tunnel
		if reason := <-gone; reason != engineio.PingTimeout {
			t.Error(reason)
		}
		<-time.After(time.Minute)
		expect(2)
		bob.Stall(false)
		<-time.After(time.Minute)
		if !bob.Recovered() || bob.ID() != id {
			t.Error("not recovered")
		}
		expect(2)

		bob.Unreachable(true) // the battery is empty
		bob.Cut()
		<-time.After(time.Minute)
		expect(2)
		<-time.After(90 * time.Second)
		expect(1)
	})
	if took := time.Since(began); took > 10*time.Second {
		t.Error("it took", took)
	}
}

func TestTransports(t *testing.T) {
	for want, config := range map[string]engine.Config{
		"polling":   {Transports: []engine.Transport{engine.Polling{}}},
		"websocket": {Transports: []engine.Transport{engine.WebSocket{}}},
		"upgrade":   {},
	} {
		t.Run(want, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := siotest.New(t, socketio.Config{})
				s.On("echo", func(_ context.Context, ev *socketio.Event) error { return ev.Ack(ev.Args()) })
				c := s.Connect(client.Config{Engine: config})
				large := strings.Repeat("x", 900_000) // more than the network holds
				for range 3 {
					var got string
					ack, err := c.EmitWithAck(t.Context(), "echo", large)
					if err != nil || ack.Bind(&got) != nil || got != large {
						t.Fatal(len(got), err)
					}
				}
				<-time.After(10 * time.Minute) // with heartbeats
				if !c.Connected() || c.Client.Transport() != map[string]string{"polling": "polling"}[want] && c.Client.Transport() != "websocket" {
					t.Error(c.Connected(), c.Client.Transport())
				}
			})
		})
	}
}

// Outside of bubbles it works as well, in real time.
func TestWithoutBubble(t *testing.T) {
	s := siotest.New(t, socketio.Config{})
	if n := s.Engine().Len(); n != 0 {
		t.Error(n)
	}
	a, b := s.Connect(client.Config{}), s.Connect(client.Config{})
	if a.ID() == b.ID() || s.Engine().Len() != 2 {
		t.Error("not two clients")
	}
}

// The application's own handler is what clients meet.
func TestServe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		io, err := socketio.NewServer(socketio.Config{})
		if err != nil {
			t.Fatal(err)
		}
		mux := http.NewServeMux()
		mux.Handle("/socket.io/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "right" {
				http.Error(w, "who are you?", http.StatusUnauthorized)
				return
			}
			io.ServeHTTP(w, r)
		}))
		s := siotest.Serve(t, io, mux)
		var status *engine.StatusError
		if err := s.Client(client.Config{NoReconnection: true}).Connect(t.Context()); !errors.As(err, &status) || status.Status != http.StatusUnauthorized {
			t.Error(err)
		}
		s.Connect(client.Config{Engine: engine.Config{Header: http.Header{"Authorization": {"right"}}}})
	})
}

func overWebSocket() client.Config {
	return client.Config{Engine: engine.Config{Transports: []engine.Transport{engine.WebSocket{}}}, RandomizationFactor: -1}
}

func TestDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := siotest.New(t, socketio.Config{})
		s.On("echo", func(_ context.Context, ev *socketio.Event) error { return ev.Ack() })
		c := s.Connect(overWebSocket())
		for _, d := range []time.Duration{0, time.Millisecond, 300 * time.Millisecond} {
			c.Delay(d)
			start := time.Now()
			if _, err := c.EmitWithAck(t.Context(), "echo"); err != nil || time.Since(start) != 2*d {
				t.Error(d, err, time.Since(start))
			}
		}
	})
}

func TestFaults(t *testing.T) {
	lost := func(reason socketio.Reason, after time.Duration, fault func(c *siotest.Client)) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			s := siotest.New(t, socketio.Config{})
			var mu sync.Mutex
			got := ""
			start := time.Now()
			s.OnDisconnect(func(_ context.Context, _ *socketio.Socket, why *socketio.DisconnectError) {
				mu.Lock()
				defer mu.Unlock()
				got = fmt.Sprint(why.Reason, " after ", time.Since(start))
			})
			c := s.Connect(overWebSocket())
			other := s.Connect(overWebSocket())
			fault(c)
			<-time.After(10 * time.Minute)
			mu.Lock()
			defer mu.Unlock()
			if want := fmt.Sprint(reason, " after ", after); got != want {
				t.Errorf("%s, want %s", got, want)
			}
			if !other.Connected() {
				t.Error("another client was hit")
			}
		})
	}
	lost(engineio.TransportClose, 0, (*siotest.Client).Cut)
	lost(engineio.PingTimeout, 45*time.Second, func(c *siotest.Client) { c.StallUp(true) })
	lost(engineio.PingTimeout, 45*time.Second, func(c *siotest.Client) { c.Stall(true) })
}

// A server is restarted, and no event is lost that is to be acknowledged.
func TestMoveTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := func(name string) *siotest.Server {
			s := siotest.New(t, socketio.Config{})
			s.On("who", func(_ context.Context, ev *socketio.Event) error { return ev.Ack(name) })
			return s
		}
		first := start("first")
		config := overWebSocket()
		config.Retries = 3
		c := first.Connect(config)
		ask := func(want string) {
			t.Helper()
			ack, err := c.EmitWithAck(t.Context(), "who")
			if err != nil {
				t.Fatal(err)
			}
			var got string
			if err := ack.Bind(&got); err != nil || got != want {
				t.Error(got, err)
			}
		}
		second := start("second")
		c.MoveTo(second)
		ask("first")
		if err := first.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		ask("second")
		c.MoveTo(start("third"))
		c.Cut()
		ask("third")
	})
}

// What waited while the network was silent arrives afterwards.
func TestStallDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := siotest.New(t, socketio.Config{})
		c := s.Connect(overWebSocket())
		var got atomic.Int64
		c.On("x", func(context.Context, *client.Event) error {
			got.Add(1)
			return nil
		})
		c.StallDown(true)
		for range 5 {
			if err := s.Emit("x"); err != nil {
				t.Error(err)
			}
		}
		<-time.After(20 * time.Second)
		synctest.Wait()
		if n := got.Load(); n != 0 {
			t.Error(n, "events passed")
		}
		c.StallDown(false)
		synctest.Wait()
		if n := got.Load(); n != 5 {
			t.Error(n, "events arrived")
		}
	})
}

// Behind a stall nobody learns that the other end has closed the connection.
func TestStallHidesTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := siotest.New(t, socketio.Config{})
		ended := make(chan socketio.Reason, 1)
		s.OnDisconnect(func(_ context.Context, _ *socketio.Socket, why *socketio.DisconnectError) { ended <- why.Reason })
		c := s.Connect(overWebSocket())
		c.Stall(true)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_ = c.Shutdown(ctx) // which closes at once
		if why := <-ended; why != engineio.PingTimeout {
			t.Error(why)
		}
	})
}

// What was sent into a stall, the end of the connection too, arrives when it is
// over.
func TestStallThenClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := siotest.New(t, socketio.Config{})
		var got atomic.Int32
		ended := make(chan time.Time, 1)
		s.On("x", func(context.Context, *socketio.Event) error { got.Add(1); return nil })
		s.OnDisconnect(func(context.Context, *socketio.Socket, *socketio.DisconnectError) { ended <- time.Now() })
		c := s.Connect(overWebSocket())
		c.StallUp(true)
		if err := c.Emit(t.Context(), "x"); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		over := time.Now()
		c.StallUp(false)
		if after := (<-ended).Sub(over); got.Load() != 1 || after > time.Second {
			t.Error(got.Load(), after)
		}
	})
}

// Clients may be made from any goroutine.
func TestClientsAtOnce(t *testing.T) {
	s := siotest.New(t, socketio.Config{})
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { s.Client(overWebSocket()) })
	}
	all.Wait()
}

// A recorder is a test that fails, for testing what is told then.
type recorder struct {
	testing.TB
	cleanups []func()
	log      strings.Builder
	failed   bool
}

func (r *recorder) Helper()                   {}
func (r *recorder) Cleanup(f func())          { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Failed() bool              { return r.failed }
func (r *recorder) Log(args ...any)           { fmt.Fprintln(&r.log, args...) }
func (r *recorder) Errorf(f string, a ...any) { r.failed = true; fmt.Fprintf(&r.log, f+"\n", a...) }
func (r *recorder) end() {
	for i := len(r.cleanups) - 1; i >= 0; i-- {
		r.cleanups[i]()
	}
}

func TestTranscript(t *testing.T) {
	for _, failed := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			r := &recorder{TB: t, failed: failed}
			s := siotest.New(r, socketio.Config{})
			c := s.Connect(overWebSocket())
			<-time.After(time.Second)
			for _, args := range [][]any{{"é", 1}, {strings.Repeat("é", 150)}, {[]byte{1, 2, 0xff}}} {
				if err := c.Emit(t.Context(), "x", args...); err != nil {
					t.Error(err)
				}
				synctest.Wait()
			}
			c.Disconnect()
			<-time.After(time.Second)
			r.end()
			if !failed {
				if r.log.Len() > 0 {
					t.Error(r.log.String())
				}
				return
			}
			var got []string
			for line := range strings.Lines(r.log.String()) {
				if !strings.Contains(line, `"sid"`) { // which differs each time
					got = append(got, strings.TrimRight(line, "\n"))
				}
			}
			if len(got) != 10 || !strings.HasSuffix(got[8], "client 1 websocket -> 1") || !strings.Contains(got[9], "EOF") {
				t.Fatal(got)
			}
			got = got[:8] // the end comes some milliseconds later
			want := []string{
				"the wire, as the clients saw it (-> to the server):",
				"     0.000s client 1 websocket -- dial",
				"     0.000s client 1 websocket -> 40",
				`     1.000s client 1 websocket -> 42["x","é",1]`,
				`     1.000s client 1 websocket -> 42["x","` + strings.Repeat("é", 96) + `… (310 bytes)`,
				`     1.000s client 1 websocket -> 451-["x",{"_placeholder":true,"num":0}]`,
				"     1.000s client 1 websocket -> binary 3 bytes 01 02 ff",
				"     1.000s client 1 websocket -> 41",
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A configuration that is wrong fails the test, at once.
func TestWrongConfig(t *testing.T) {
	fails := func(f func(t testing.TB)) {
		t.Helper()
		r := &fatal{recorder: recorder{TB: t}}
		done := make(chan struct{})
		go func() {
			defer close(done)
			f(r)
		}()
		<-done
		r.end()
		if !r.failed {
			t.Error("the test does not fail")
		}
	}
	fails(func(t testing.TB) { siotest.New(t, socketio.Config{MaxNamespaces: -1}) })
	fails(func(t testing.TB) { siotest.New(t, socketio.Config{}).Client(client.Config{Retries: -1}) })
	fails(func(t testing.TB) {
		s := siotest.New(t, socketio.Config{})
		s.Use(func(context.Context, *socketio.Socket) error { return errors.New("nobody") })
		s.Connect(client.Config{})
	})
}

// fatal ends its goroutine, as testing.T does.
type fatal struct{ recorder }

func (f *fatal) Fatal(args ...any) {
	f.failed = true
	runtime.Goexit()
}

func (f *fatal) Fatalf(string, ...any)    { f.Fatal() }
func (f *fatal) Context() context.Context { return context.Background() }

// TestNothingWaitsBehindConnect: what is sent to and by a client that Connect
// returned is handled when everything waits.
func TestNothingWaitsBehindConnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		io := siotest.New(t, socketio.Config{})
		var handled, heard atomic.Int32
		io.On("up", func(context.Context, *socketio.Event) error { handled.Add(1); return nil })
		c := io.Connect(client.Config{})
		c.On("down", func(context.Context, *client.Event) error { heard.Add(1); return nil })
		if err := errors.Join(c.Emit(t.Context(), "up"), io.Emit("down")); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if handled.Load() != 1 || heard.Load() != 1 {
			t.Errorf("handled %d, heard %d", handled.Load(), heard.Load())
		}
	})
}
