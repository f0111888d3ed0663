package socketio_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio"
)

// receive returns the next value of a channel.
func receive[T any](t testing.TB, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}

// eventually waits for a condition that nothing announces.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatal("never: ", what)
		}
	}
}

func TestDisconnectReasons(t *testing.T) {
	tests := []struct {
		name   string
		cut    func(c *wire, srv *socketio.Server)
		reason socketio.Reason
		cause  error // nil: any
	}{
		{"client leaves", func(c *wire, _ *socketio.Server) { c.send("41") }, socketio.ClientNamespaceDisconnect, nil},
		{"server disconnects", func(c *wire, _ *socketio.Server) { c.send(`42["disconnect-me"]`) }, socketio.ServerNamespaceDisconnect, nil},
		{"server closes", func(c *wire, _ *socketio.Server) { c.send(`42["close-me"]`) }, socketio.ServerNamespaceDisconnect, nil},
		{"invalid state", func(c *wire, _ *socketio.Server) { c.send("40") }, socketio.ForcedServerClose, socketio.ErrInvalidState},
		{"no packet", func(c *wire, _ *socketio.Server) { c.send("4x") }, engineio.ForcedClose, sioparser.ErrPacketType},
		{"no engine packet", func(c *wire, _ *socketio.Server) { c.send("x") }, engineio.ParseError, nil},
		{"wrong heartbeat", func(c *wire, _ *socketio.Server) { c.send("2") }, engineio.TransportError, nil},
		{"connection cut", func(c *wire, _ *socketio.Server) { c.kill() }, engineio.TransportClose, nil},
		{"shutdown", func(_ *wire, srv *socketio.Server) { _ = srv.Close() }, engineio.ServerShuttingDown, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			srv := fixture(t, quiet())
			steps := make(chan string, 10)
			var s *socketio.Socket
			srv.OnConnection(func(_ context.Context, joined *socketio.Socket) { s = joined })
			var heard atomic.Pointer[error]
			srv.OnError(func(_ context.Context, _ *socketio.Socket, err error) { heard.Store(&err) })
			srv.OnDisconnecting(func(ctx context.Context, s *socketio.Socket, why *socketio.DisconnectError) {
				steps <- fmt.Sprint("disconnecting ", why.Reason, " ", len(s.Rooms()), " ", ctx.Err())
			})
			whys := make(chan *socketio.DisconnectError, 2)
			srv.OnDisconnect(func(_ context.Context, s *socketio.Socket, why *socketio.DisconnectError) {
				steps <- fmt.Sprint("disconnect ", why.Reason, " ", len(s.Rooms()))
				whys <- why
			})
			c := dial(t, serve(t, srv))
			c.join("/")
			c.next()
			c.send(`420["join","a"]`)
			c.expect("430[2]")
			test.cut(c, srv)

			if got, want := receive(t, steps), fmt.Sprint("disconnecting ", test.reason, " 2 <nil>"); got != want {
				t.Errorf("%q, want %q", got, want)
			}
			if got, want := receive(t, steps), fmt.Sprint("disconnect ", test.reason, " 0"); got != want {
				t.Errorf("%q, want %q", got, want)
			}
			why := receive(t, whys)
			if test.cause != nil && !errors.Is(why, test.cause) {
				t.Errorf("cause %v, want %v", why.Err, test.cause)
			}
			if p := heard.Load(); why.Err != nil && (p == nil || *p != why.Err) {
				t.Errorf("OnError had %v, want the cause %v", p, why.Err)
			}
			if err := context.Cause(s.Context()); err != error(why) || !errors.Is(err, socketio.ErrDisconnected) {
				t.Errorf("the context ended with %v", err)
			}
			if err := s.Emit("late"); !errors.Is(err, socketio.ErrDisconnected) {
				t.Errorf("Emit: %v", err)
			}
			if err := s.Join("late"); !errors.Is(err, socketio.ErrDisconnected) {
				t.Errorf("Join: %v", err)
			}
			s.Disconnect(true)
			if err := srv.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
			if len(steps) > 0 || srv.Len() > 0 {
				t.Errorf("%d more steps, %d sockets", len(steps), srv.Len())
			}
		})
	}
}

func TestEventsBeforeTheDisconnectAreHandled(t *testing.T) {
	srv := fixture(t, quiet())
	steps := make(chan string, 10)
	release := make(chan struct{})
	srv.On("first", func(context.Context, *socketio.Event) error {
		<-release
		return nil
	})
	srv.On("second", func(ctx context.Context, ev *socketio.Event) error {
		steps <- fmt.Sprint("second ", context.Cause(ctx) != nil, " ", errors.Is(ev.Socket().Emit("x"), socketio.ErrDisconnected))
		return nil
	})
	srv.OnDisconnect(func(context.Context, *socketio.Socket, *socketio.DisconnectError) { steps <- "disconnect" })
	c := dial(t, serve(t, srv))
	c.join("/")
	c.next()
	c.send(`42["first"]`, `42["second"]`, "41", "40/custom,")
	c.expect(`40/custom,{"sid":"<sid>"}`) // the reader has seen the DISCONNECT
	close(release)
	if diff := cmp.Diff([]string{"second true true", "disconnect"}, []string{receive(t, steps), receive(t, steps)}); diff != "" {
		t.Error(diff)
	}
}

func TestDisconnectRunsBesideAHandlerThatHangs(t *testing.T) {
	config := quiet()
	config.DisconnectGrace = 20 * time.Millisecond
	srv := fixture(t, config)
	release := make(chan struct{})
	srv.On("hang", func(context.Context, *socketio.Event) error {
		<-release
		return nil
	})
	gone := make(chan socketio.Reason, 2)
	srv.OnDisconnect(func(_ context.Context, _ *socketio.Socket, why *socketio.DisconnectError) { gone <- why.Reason })
	c := dial(t, serve(t, srv))
	c.join("/")
	c.next()
	c.send(`42["hang"]`, "41")
	if reason := receive(t, gone); reason != socketio.ClientNamespaceDisconnect {
		t.Error(reason)
	}
	close(release)
	if err := srv.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if len(gone) > 0 {
		t.Error("OnDisconnect was called twice")
	}
}

func TestPanicEndsOnlyItsSocket(t *testing.T) {
	boom := func() { panic("boom") }
	tests := []struct {
		name string
		set  func(srv *socketio.Server)
		send []string
		want []string
	}{
		{"handler", func(srv *socketio.Server) {
			srv.On("boom", func(context.Context, *socketio.Event) error { boom(); return nil })
		}, []string{"40", `42["boom"]`}, []string{joinMain, `42["auth",{}]`, "41"}},
		{"inline handler", func(srv *socketio.Server) {
			srv.On("boom", func(context.Context, *socketio.Event) error { boom(); return nil }, socketio.Inline)
		}, []string{"40", "", "", `42["boom"]`}, []string{"41"}},
		{"concurrent handler", func(srv *socketio.Server) {
			srv.On("boom", func(context.Context, *socketio.Event) error { boom(); return nil }, socketio.Concurrent)
		}, []string{"40", `42["boom"]`}, []string{joinMain, `42["auth",{}]`, "41"}},
		{"catch-all", func(srv *socketio.Server) {
			srv.OnAny(func(context.Context, *socketio.Event) { boom() })
		}, []string{"40", `42["x"]`}, []string{joinMain, `42["auth",{}]`, "41"}},
		{"event middleware", func(srv *socketio.Server) {
			srv.UseEvent(func(context.Context, *socketio.Event) error { boom(); return nil })
		}, []string{"40", `42["x"]`}, []string{joinMain, `42["auth",{}]`, "41"}},
		{"connection middleware", func(srv *socketio.Server) {
			srv.Use(func(context.Context, *socketio.Socket) error { boom(); return nil })
		}, []string{"40"}, []string{`44{"message":"internal error"}`}},
		{"connection hook", func(srv *socketio.Server) {
			srv.OnConnection(func(context.Context, *socketio.Socket) { boom() })
		}, []string{"40"}, []string{joinMain, `42["auth",{}]`, "41"}},
		{"outgoing hook", func(srv *socketio.Server) {
			srv.OnConnection(func(_ context.Context, s *socketio.Socket) {
				s.OnAnyOutgoing(func(*socketio.Socket, string, sioparser.Args) { boom() })
				_ = s.Emit("x")
			})
		}, []string{"40"}, []string{joinMain, `42["auth",{}]`, "41"}},
		{"matcher", func(srv *socketio.Server) {
			srv.OfMatch(func(context.Context, string, *socketio.Handshake) bool { boom(); return true })
		}, []string{"40/any,"}, []string{`44/any,{"message":"internal error"}`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			srv := fixture(t, quiet())
			errs := make(chan error, 10)
			srv.OnError(func(_ context.Context, _ *socketio.Socket, err error) { errs <- err })
			test.set(srv)
			url := serve(t, srv)
			c := dial(t, url)
			for _, f := range test.send {
				if f == "" {
					c.next()
				} else {
					c.send(f)
				}
			}
			c.expect(test.want...)
			c.alive() // other namespaces of the same client
			if test.name == "matcher" {
				return // no namespace, no hook
			}
			var panicked *socketio.PanicError
			if err := receive(t, errs); !errors.As(err, &panicked) || panicked.Value != "boom" ||
				!strings.Contains(string(panicked.Stack), "lifecycle_test.go") {
				t.Errorf("OnError had %v", err)
			}
		})
	}
}

// A warning says which socket and which event it is about, and no more of a
// client of Socket.IO 2, whose id holds the session's.
func TestWarningsNameWhatTheyAreAbout(t *testing.T) {
	var log bytes.Buffer
	config := quiet()
	config.EngineConfig.AllowEIO3 = true
	config.Logger = slog.New(slog.NewTextHandler(&log, nil))
	srv := newServer(t, config)
	srv.On("fails", func(context.Context, *socketio.Event) error { return errors.New("because") })
	srv.On("panics", func(context.Context, *socketio.Event) error { panic("because") })
	number := socketio.DefineEvent[int]("number")
	number.On(srv, func(context.Context, *socketio.Socket, int) error { return nil })
	url := serve(t, srv)
	c := dial(t, url)
	id := c.idOf("/")
	c.send(`42["fails"]`, `42["number","x"]`, `42["panics"]`)
	c.expect("41")
	old := dialRevision(t, url, 3)
	old.expect("40")
	old.send(`42["fails"]`, `42["panics"]`)
	old.expect("41")
	if err := srv.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	for i, want := range [][]string{{"fails", id}, {"number", id}, {"panics", id}, {"fails"}, {"panics"}} {
		for _, text := range want {
			if i >= len(lines) || !strings.Contains(lines[i], text) {
				t.Errorf("warning %d does not say %q:\n%s", i, text, &log)
			}
		}
	}
	if strings.Contains(log.String(), old.sid) {
		t.Errorf("the log has a session's id:\n%s", &log)
	}
}

func TestSlowHandlerHoldsUpNothing(t *testing.T) {
	srv := fixture(t, quiet())
	release := make(chan struct{})
	srv.On("slow", func(context.Context, *socketio.Event) error {
		<-release
		return nil
	})
	c := dial(t, serve(t, srv))
	c.join("/")
	c.next()
	c.send(`42["slow"]`, "40/custom,", `42/custom,["message",1]`)
	c.expect(`40/custom,{"sid":"<sid>"}`, `42/custom,["auth",{}]`, `42/custom,["message-back",1]`)
	// An acknowledgement, and then a disconnect, pass the handler too.
	var s *socketio.Socket
	for s = range srv.Sockets() {
		break
	}
	answers := make(chan string, 1)
	go func() {
		var answer string
		if ack, err := s.EmitWithAck(t.Context(), "ask"); err == nil {
			_ = ack.Bind(&answer)
		}
		answers <- answer
	}()
	id := strings.TrimSuffix(strings.TrimPrefix(c.next(), "42"), `["ask"]`)
	c.send("43" + id + `["yes"]`)
	if got := receive(t, answers); got != "yes" {
		t.Error("acknowledgement", got)
	}
	c.send("41")
	receive(t, s.Context().Done())
	close(release)
}

func TestHandlerWaitsForItsOwnClient(t *testing.T) {
	srv := fixture(t, quiet())
	srv.On("ask", func(ctx context.Context, ev *socketio.Event) error {
		if err := ev.Socket().Emit("before"); err != nil {
			return err
		}
		ack, err := ev.Socket().EmitWithAck(ctx, "question", 7)
		if err != nil {
			return err
		}
		return ev.Ack(ack.Args())
	})
	c := dial(t, serve(t, srv))
	c.join("/")
	c.next()
	c.send(`421["ask"]`)
	c.expect(`42["before"]`)
	id := strings.TrimSuffix(strings.TrimPrefix(c.next(), "42"), `["question",7]`)
	c.send("43" + id + `[42]`)
	c.expect("431[42]")
}

func TestAcksFailAtDisconnect(t *testing.T) {
	srv := fixture(t, quiet())
	errs := make(chan error, 1)
	srv.On("ask", func(ctx context.Context, ev *socketio.Event) error {
		_, err := ev.Socket().EmitWithAck(ctx, "question")
		errs <- err
		return nil
	})
	c := dial(t, serve(t, srv))
	c.join("/")
	c.next()
	c.send(`42["ask"]`)
	c.expect(`42<n>["question"]`)
	c.send("41")
	if err := receive(t, errs); !errors.Is(err, socketio.ErrDisconnected) {
		t.Error(err)
	}
}

func TestEverythingWorksInsideAHandler(t *testing.T) {
	acts := map[string]func(ctx context.Context, srv *socketio.Server, s *socketio.Socket) error{
		"disconnect": func(_ context.Context, _ *socketio.Server, s *socketio.Socket) error { s.Disconnect(false); return nil },
		"close":      func(_ context.Context, _ *socketio.Server, s *socketio.Socket) error { s.Disconnect(true); return nil },
		"disconnect all": func(_ context.Context, srv *socketio.Server, _ *socketio.Socket) error {
			return srv.DisconnectSockets(true)
		},
		"broadcast": func(_ context.Context, srv *socketio.Server, _ *socketio.Socket) error { return srv.Emit("x") },
		"fetch": func(ctx context.Context, srv *socketio.Server, _ *socketio.Socket) error {
			for _, err := range srv.FetchSockets(ctx) {
				if err != nil {
					return err
				}
			}
			return nil
		},
		"ask everyone": func(ctx context.Context, srv *socketio.Server, _ *socketio.Socket) error {
			for _, err := range srv.Timeout(20*time.Millisecond).EmitWithAck(ctx, "x") {
				if !errors.Is(err, socketio.ErrAckTimeout) {
					return fmt.Errorf("broadcast with acknowledgement: %w", err)
				}
			}
			return nil
		},
		"server close":    func(_ context.Context, srv *socketio.Server, _ *socketio.Socket) error { return srv.Close() },
		"server shutdown": func(ctx context.Context, srv *socketio.Server, _ *socketio.Socket) error { return srv.Shutdown(ctx) },
	}
	for name, act := range acts {
		for _, mode := range []socketio.Mode{0, socketio.Concurrent} {
			t.Run(fmt.Sprint(name, " ", mode), func(t *testing.T) {
				t.Parallel()
				srv := fixture(t, quiet())
				done := make(chan error, 1)
				srv.On("act", func(ctx context.Context, ev *socketio.Event) error {
					done <- act(ctx, srv, ev.Socket())
					return nil
				}, mode)
				c := dial(t, serve(t, srv))
				c.join("/")
				c.next()
				c.send(`42["act"]`)
				if err := receive(t, done); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

func TestMiddleware(t *testing.T) {
	t.Run("order and what it emits", func(t *testing.T) {
		srv := newServer(t, quiet())
		srv.Use(func(_ context.Context, s *socketio.Socket) error {
			return errors.Join(s.Emit("first"), s.Join("early"))
		})
		srv.Use(func(_ context.Context, s *socketio.Socket) error { return srv.To("early").Emit("second") })
		srv.OnConnection(func(_ context.Context, s *socketio.Socket) { _ = s.Emit("rooms", len(s.Rooms())) })
		c := dial(t, serve(t, srv))
		c.send("40")
		c.expect(joinMain, `42["first"]`, `42["second"]`, `42["rooms",2]`)
	})
	t.Run("a refusal leaves nothing", func(t *testing.T) {
		srv := newServer(t, quiet())
		refused := make(chan *socketio.Socket, 1)
		srv.Use(func(_ context.Context, s *socketio.Socket) error {
			refused <- s
			return errors.Join(s.Join("early"), errors.New("no"))
		})
		srv.OnDisconnect(func(context.Context, *socketio.Socket, *socketio.DisconnectError) { t.Error("OnDisconnect") })
		srv.Of("/custom").OnConnection(greet)
		c := dial(t, serve(t, srv))
		c.send("40", `42["x"]`) // the second arrives before or after the refusal
		c.expect(`44{"message":"no"}`)
		c.alive()
		s := receive(t, refused)
		eventually(t, "rooms empty", func() bool { return len(s.Rooms()) == 0 })
		if srv.Len() != 0 || s.Connected() {
			t.Error("the socket stayed")
		}
	})
	t.Run("cancelled by a DISCONNECT, awaited by the next CONNECT", func(t *testing.T) {
		srv := newServer(t, quiet())
		release, started := make(chan struct{}), make(chan error, 3)
		var calls atomic.Int32
		srv.Use(func(ctx context.Context, _ *socketio.Socket) error {
			if calls.Add(1) > 1 {
				return nil
			}
			started <- nil
			<-ctx.Done()
			started <- context.Cause(ctx)
			<-release // it takes its time
			return nil
		})
		c := dial(t, serve(t, srv))
		c.send("40")
		receive(t, started)
		c.send("41", "40", "41", "40", "40/none,")
		c.expect(`44/none,{"message":"Invalid namespace"}`)
		if err := receive(t, started); !errors.Is(err, socketio.ErrDisconnected) {
			t.Errorf("the middleware's context ended with %v", err)
		}
		if n := calls.Load(); n != 1 {
			t.Errorf("%d middlewares at once", n)
		}
		close(release)
		c.expect(joinMain)
		if n := calls.Load(); n != 2 || srv.Len() != 1 {
			t.Errorf("%d middlewares, %d sockets", n, srv.Len())
		}
	})
	t.Run("one that hangs ends at the connect timeout", func(t *testing.T) {
		inBubble(t, func(t *testing.T, srv *socketio.Server, c *pipeClient) {
			srv.Of("/fine")
			release, cause := make(chan struct{}), make(chan error, 1)
			srv.Use(func(ctx context.Context, _ *socketio.Socket) error {
				<-ctx.Done()
				cause <- context.Cause(ctx)
				<-release
				return nil
			})
			c.send("0/fine,")
			<-c.frames
			c.send("0")
			start := time.Now()
			if got, d := <-c.frames, time.Since(start); got != `4{"message":"connect timeout"}` || d < 45*time.Second || d > 46*time.Second {
				t.Error(got, d)
			}
			if err := <-cause; err != socketio.ErrConnectTimeout {
				t.Error(err)
			}
			close(release)
		})
	})
}

func TestHangingMiddlewareDelaysNoOtherNamespace(t *testing.T) {
	srv := fixture(t, quiet())
	srv.Of("/hang").Use(func(ctx context.Context, _ *socketio.Socket) error {
		<-ctx.Done()
		return ctx.Err()
	})
	c := dial(t, serve(t, srv))
	c.send("40/hang,")
	for i := range 20 {
		name := fmt.Sprintf("/dyn-%d", i)
		c.send("40" + name + ",")
		c.expect("40"+name+`,{"sid":"<sid>"}`, "42"+name+`,["auth",{}]`)
	}
}

func TestEmptyChildNamespacesAreCleanedUp(t *testing.T) {
	srv := fixture(t, quiet())
	before := len(slices.Collect(srv.Namespaces()))
	var created []string
	srv.OnNewNamespace(func(n *socketio.Namespace) { created = append(created, n.Name()) })
	c := dial(t, serve(t, srv))
	for range 3 {
		c.join("/dyn-7")
		c.next()
		if n := len(slices.Collect(srv.Namespaces())); n != before+1 {
			t.Errorf("%d namespaces, want %d", n, before+1)
		}
		c.send("41/dyn-7,")
		eventually(t, "namespace gone", func() bool { return len(slices.Collect(srv.Namespaces())) == before })
	}
	if diff := cmp.Diff([]string{"/dyn-7", "/dyn-7", "/dyn-7"}, created); diff != "" {
		t.Error(diff)
	}
}

func TestInboxIsBounded(t *testing.T) {
	config := quiet()
	config.EngineConfig.MaxPayload = 1000
	srv := newServer(t, config)
	release := make(chan struct{})
	srv.On("slow", func(context.Context, *socketio.Event) error {
		<-release
		return nil
	})
	whys := make(chan *socketio.DisconnectError, 1)
	srv.OnError(func(_ context.Context, _ *socketio.Socket, err error) {})
	srv.OnDisconnect(func(_ context.Context, _ *socketio.Socket, why *socketio.DisconnectError) { whys <- why })
	c := dial(t, serve(t, srv))
	c.join("/")
	event := `42["slow","` + strings.Repeat("a", 900) + `"]`
	c.send(event, event, event, event, event)
	c.expect("CLOSE(1005)")
	close(release)
	if why := receive(t, whys); why.Reason != engineio.TransportError || !errors.Is(why, socketio.ErrInboxFull) {
		t.Error(why)
	}
}
