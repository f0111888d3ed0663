package socketio_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio"
)

func TestHandlersRunInOrderOfRegistration(t *testing.T) {
	srv := newServer(t, quiet())
	parent := srv.OfMatch(func(_ context.Context, name string, _ *socketio.Handshake) bool { return name == "/child" })
	note := func(what string) socketio.Handler {
		return func(_ context.Context, ev *socketio.Event) error { return ev.Socket().Emit(what) }
	}
	parent.On("x", note("parent"))
	srv.OnNewNamespace(func(n *socketio.Namespace) {
		n.On("x", note("namespace 1"))
		n.On("x", note("namespace 2"))
		n.OnConnection(func(_ context.Context, s *socketio.Socket) { s.On("x", note("socket")) })
		n.UseEvent(func(_ context.Context, ev *socketio.Event) error { return note("middleware")(nil, ev) })
		n.OnAny(func(_ context.Context, ev *socketio.Event) { _ = note("any "+ev.Name())(nil, ev) })
	})
	c := dial(t, serve(t, srv))
	c.join("/child")
	c.send(`42/child,["x"]`)
	for _, what := range []string{"any x", "middleware", "parent", "namespace 1", "namespace 2", "socket"} {
		c.expect(`42/child,["` + what + `"]`)
	}
}

func TestStopAndOnce(t *testing.T) {
	srv := newServer(t, quiet())
	var count atomic.Int32
	counting := func(context.Context, *socketio.Event) error {
		count.Add(1)
		return nil
	}
	stop := srv.On("x", counting)
	srv.Once("x", counting)
	srv.On("done", messageBack)
	c := dial(t, serve(t, srv))
	c.join("/")
	check := func(want int32) {
		t.Helper()
		c.send(`42["x"]`, `42["done"]`)
		c.expect(`42["message-back"]`)
		if got := count.Load(); got != want {
			t.Errorf("%d calls, want %d", got, want)
		}
	}
	check(2)
	check(3)
	stop()
	stop()
	check(3)
}

func TestEventMiddlewareRefuses(t *testing.T) {
	srv := fixture(t, quiet())
	errs := make(chan error, 1)
	srv.OnError(func(_ context.Context, _ *socketio.Socket, err error) { errs <- err })
	srv.UseEvent(func(_ context.Context, ev *socketio.Event) error {
		if ev.Name() == "forbidden" {
			return errors.New("not for you")
		}
		return nil
	})
	srv.On("forbidden", messageBack)
	c := dial(t, serve(t, srv))
	c.join("/")
	c.next()
	c.send(`42["forbidden"]`)
	c.alive()
	var refused *socketio.MiddlewareError
	if err := receive(t, errs); !errors.As(err, &refused) || refused.Event != "forbidden" {
		t.Error(err)
	}
}

func TestOnAnyOutgoingHearsEverything(t *testing.T) {
	srv := newServer(t, quiet())
	var heard []string
	srv.OnConnection(func(_ context.Context, s *socketio.Socket) {
		s.OnAnyOutgoing(func(to *socketio.Socket, event string, args sioparser.Args) {
			heard = append(heard, fmt.Sprintf("%s %s %v", event, args.Raw(), to == s))
		})
		_ = s.Emit("direct", 1)
		_ = srv.Emit("broadcast", 2)
		_ = srv.To("nowhere").Emit("elsewhere")
		_ = s.Emit("end")
	})
	c := dial(t, serve(t, srv))
	c.join("/")
	c.expect(`42["direct",1]`, `42["broadcast",2]`, `42["end"]`)
	if diff := cmp.Diff([]string{"direct 1 true", "broadcast 2 true", "end  true"}, heard); diff != "" {
		t.Error(diff)
	}
}

func TestCatchAllHandlersThatGoFirst(t *testing.T) {
	srv := newServer(t, quiet())
	var heard []string
	any := func(name string) func(context.Context, *socketio.Event) {
		return func(context.Context, *socketio.Event) { heard = append(heard, name) }
	}
	out := func(name string) func(*socketio.Socket, string, sioparser.Args) {
		return func(*socketio.Socket, string, sioparser.Args) { heard = append(heard, "out "+name) }
	}
	srv.OnConnection(func(_ context.Context, s *socketio.Socket) {
		s.OnAny(any("second"))
		stop := s.PrependAny(any("first"))
		s.OnAnyOutgoing(out("second"))
		stopOut := s.PrependAnyOutgoing(out("first"))
		s.On("x", func(context.Context, *socketio.Event) error { return s.Emit("y") })
		s.On("stop", func(context.Context, *socketio.Event) error { stop(); stopOut(); return nil })
		s.On("off", func(context.Context, *socketio.Event) error {
			heard = append(heard, fmt.Sprint(s.ListenersAny(), s.ListenersAnyOutgoing()))
			s.OffAny()
			s.OffAnyOutgoing()
			heard = append(heard, fmt.Sprint(s.ListenersAny(), s.ListenersAnyOutgoing()))
			return nil
		})
	})
	srv.PrependAny(any("namespace"))
	srv.PrependAnyOutgoing(out("namespace"))
	c := dial(t, serve(t, srv))
	c.join("/")
	for range 2 {
		c.send(`42["x"]`, `42["stop"]`)
		c.expect(`42["y"]`)
	}
	c.send(`42["off"]`, `42["x"]`)
	c.expect(`42["y"]`)
	if srv.OffAny(); srv.ListenersAny() != 0 {
		t.Error(srv.ListenersAny())
	}
	want := []string{
		"namespace", "first", "second", "out namespace", "out first", "out second", "namespace", "first", "second", // x, stop
		"namespace", "second", "out namespace", "out second", "namespace", "second",
		"namespace", "second", "1 1", "0 0", "namespace", "out namespace", // off, x
	}
	if diff := cmp.Diff(want, heard); diff != "" {
		t.Error(diff)
	}
}

// A handler for what only the reference announces as an event is never called,
// unless a client sends such an event: the log says so, once, and names the hook.
func TestHandlersForHooksAreWarnedOf(t *testing.T) {
	var log bytes.Buffer
	config := quiet()
	config.Logger = slog.New(slog.NewTextHandler(&log, nil))
	srv := newServer(t, config)
	nothing := func(context.Context, *socketio.Event) error { return nil }
	srv.On("connection", nothing)
	srv.Of("/a").Once("connection", nothing)
	srv.OfMatch(func(context.Context, string, *socketio.Handshake) bool { return true }).On("new_namespace", nothing)
	srv.OnConnection(func(_ context.Context, s *socketio.Socket) { s.On("error", nothing); s.Once("message", nothing) })
	c := dial(t, serve(t, srv))
	c.join("/")
	c.send(`420["connection"]`)
	if err := srv.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, hook := range []string{"OnConnection", "OnNewNamespace", "OnError"} {
		if n := strings.Count(log.String(), hook); n != 1 {
			t.Errorf("%d warnings name %s:\n%s", n, hook, &log)
		}
	}
	for event, hook := range map[string]string{"connect": "OnConnection", "disconnect": "OnDisconnect", "disconnecting": "OnDisconnecting", "connect_error": "Use"} {
		func() {
			defer func() {
				if v, _ := recover().(string); !strings.Contains(v, event) || !strings.Contains(v, hook) {
					t.Errorf("On(%q): %q", event, v)
				}
			}()
			srv.On(event, nothing)
		}()
	}
}

func TestConcurrentHandlersStartInOrderAndOverlap(t *testing.T) {
	srv := newServer(t, quiet())
	release := make(chan struct{})
	srv.On("wait", func(_ context.Context, ev *socketio.Event) error {
		<-release
		return ev.Ack()
	}, socketio.Concurrent)
	srv.On("go", func(context.Context, *socketio.Event) error {
		close(release)
		return nil
	})
	c := dial(t, serve(t, srv))
	c.join("/")
	c.send(`421["wait"]`, `422["wait"]`, `42["go"]`)
	got := []string{c.next(), c.next()}
	slices.Sort(got)
	if diff := cmp.Diff([]string{"431[]", "432[]"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestInlineKeepsTheOrderBehindQueuedEvents(t *testing.T) {
	srv := newServer(t, quiet())
	release := make(chan struct{})
	srv.On("slow", func(_ context.Context, ev *socketio.Event) error {
		<-release
		return ev.Socket().Emit("slow")
	})
	srv.On("fast", func(_ context.Context, ev *socketio.Event) error { return ev.Socket().Emit("fast", ev.Args()) }, socketio.Inline)
	srv.Of("/other")
	c := dial(t, serve(t, srv))
	c.join("/")
	c.send(`42["fast",1]`)
	c.expect(`42["fast",1]`)
	c.send(`42["slow"]`, `42["fast",2]`)
	c.join("/other")
	close(release)
	c.expect(`42["slow"]`, `42["fast",2]`)
}

func TestWrongArgumentsOfAnEvent(t *testing.T) {
	srv := newServer(t, quiet())
	errs := make(chan error, 1)
	srv.OnError(func(_ context.Context, _ *socketio.Socket, err error) { errs <- err })
	srv.On("x", func(_ context.Context, ev *socketio.Event) error {
		var n int
		return ev.Bind(&n)
	})
	c := dial(t, serve(t, srv))
	c.join("/")
	c.send(`42["x","text"]`)
	var argument *socketio.ArgumentError
	if err := receive(t, errs); !errors.As(err, &argument) || argument.Event != "x" {
		t.Error(err)
	}
}

func TestSocketMemoryOutlivesTheHandler(t *testing.T) {
	srv := newServer(t, quiet())
	var text string
	var blob []byte
	srv.On("keep", func(_ context.Context, ev *socketio.Event) error { return ev.Bind(&text, &blob) })
	srv.On("show", func(_ context.Context, ev *socketio.Event) error { return ev.Socket().Emit("kept", text, blob) })
	c := dial(t, serve(t, srv))
	c.join("/")
	c.send(`451-["keep","aaaa",{"_placeholder":true,"num":0}]`, "<bin 0102>")
	for range 100 {
		c.send(`451-["other","bbbb",{"_placeholder":true,"num":0}]`, "<bin ffff>")
	}
	c.send(`42["show"]`)
	c.expect(`451-["kept","aaaa",{"_placeholder":true,"num":0}]`, "<bin 0102>")
}

// What handlers still work on counts in the inbox, also where the next event does
// not wait for them.
func TestConcurrentHandlersCountInTheInbox(t *testing.T) {
	config := quiet()
	config.EngineConfig.MaxPayload = 100_000
	srv := newServer(t, config)
	release, started := make(chan struct{}), make(chan struct{})
	srv.On("big", func(ctx context.Context, ev *socketio.Event) error {
		select {
		case started <- struct{}{}:
		case <-ctx.Done():
		}
		<-release
		return nil
	}, socketio.Concurrent)
	ended := make(chan error, 1)
	srv.OnDisconnect(func(_ context.Context, _ *socketio.Socket, why *socketio.DisconnectError) { ended <- why })
	url := serve(t, srv)
	c := dial(t, url)
	c.join("/")
	big := `42["big","` + strings.Repeat("a", 90_000) + `"]`
	defer close(release)
	for range 4 {
		c.send(big)
		receive(t, started)
	}
	c.send(big)
	err := receive(t, ended)
	if !strings.Contains(err.Error(), socketio.ErrInboxFull.Error()) {
		t.Error(err)
	}
}

// A concurrent handler that is registered while an inline event is being handled
// has that event's arguments for itself.
func TestConcurrentRegisteredBesideInline(t *testing.T) {
	srv := newServer(t, quiet())
	var once sync.Once
	release, got := make(chan struct{}), make(chan string, 1)
	srv.OnAny(func(context.Context, *socketio.Event) {
		once.Do(func() {
			srv.On("x", func(_ context.Context, ev *socketio.Event) error {
				<-release
				var text string
				err := ev.Bind(&text)
				got <- text
				return err
			}, socketio.Concurrent)
		})
	})
	srv.On("x", func(context.Context, *socketio.Event) error { return nil }, socketio.Inline)
	c := dial(t, serve(t, srv))
	c.join("/")
	c.send(`42["x","hello"]`, `42["y","other"]`, "40/no,")
	c.expect(`44/no,{"message":"Invalid namespace"}`)
	close(release)
	if text := receive(t, got); text != "hello" {
		t.Errorf("%q", text)
	}
}
