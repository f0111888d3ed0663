package client_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
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

var discard = slog.New(slog.DiscardHandler)

// bubble runs a test in simulated time.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

// quiet logs nothing, and waits exactly as long as it says before reconnecting.
func quiet(config client.Config) client.Config {
	config.Logger = discard
	config.RandomizationFactor = -1
	return config
}

// overWebSocket begins there, so that time does not pass with upgrades.
func overWebSocket(config client.Config) client.Config {
	config.Engine.Transports = []engine.Transport{engine.WebSocket{}}
	return quiet(config)
}

func newServer(t *testing.T, config socketio.Config) *siotest.Server {
	t.Helper()
	config.Logger, config.EngineConfig.Logger = discard, discard
	s := siotest.New(t, config)
	s.On("echo", func(_ context.Context, ev *socketio.Event) error {
		if ev.WantsAck() {
			return ev.Ack(ev.Args())
		}
		return ev.Socket().Emit("echo", ev.Args())
	})
	s.On("leave me", func(_ context.Context, ev *socketio.Event) error {
		ev.Socket().Disconnect(false)
		return nil
	})
	s.On("close me", func(_ context.Context, ev *socketio.Event) error {
		ev.Socket().Disconnect(true)
		return nil
	})
	return s
}

// A diary is what happened, in order, from any goroutine.
type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) add(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, fmt.Sprintf(format, args...))
}

// expect compares with what was written since the last call, when nothing
// moves in the bubble any more.
func (d *diary) expect(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	if diff := cmp.Diff(want, d.lines); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	d.lines = nil
}

// follow writes the life of a socket down.
func (d *diary) follow(s *client.Socket) {
	s.OnConnect(func(context.Context) { d.add("connect") })
	s.OnDisconnect(func(_ context.Context, why *client.DisconnectError) { d.add("disconnect: %s", why.Reason) })
	s.OnConnectError(func(_ context.Context, err error) { d.add("connect error: %v", err) })
}

// record writes an event's arguments down.
func (d *diary) record(s *client.Socket, event string) {
	s.On(event, func(_ context.Context, ev *client.Event) error {
		d.add("%s %s", event, ev.Args().Raw())
		return nil
	})
}

// A script is a server that says what a test tells it to: Engine.IO as it should
// be, and any text on top.
type script struct {
	t       *testing.T
	engine  *engineio.Server
	net     *siotest.Server
	receive func(s *engineio.Session, text string)

	mu      sync.Mutex
	current *engineio.Session
	got     []string
	last    time.Time // when the last of it came
	closed  time.Time // when a session ended
}

// newScript starts such a server. receive, on the reader goroutine, answers what
// clients send; nil: a CONNECT is welcomed.
func newScript(t *testing.T, receive func(s *engineio.Session, text string)) *script {
	t.Helper()
	srv, err := engineio.NewServer(engineio.Config{Logger: discard})
	if err != nil {
		t.Fatal(err)
	}
	if receive == nil {
		receive = welcome
	}
	sc := &script{t: t, engine: srv, receive: receive}
	if err := srv.Handle(sc); err != nil {
		t.Fatal(err)
	}
	idle, err := socketio.NewServer(socketio.Config{}) // Serve wants one to shut down
	if err != nil {
		t.Fatal(err)
	}
	sc.net = siotest.Serve(t, idle, http.HandlerFunc(srv.ServeHTTP))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := srv.Shutdown(ctx); err != nil {
			t.Error(err)
		}
	})
	return sc
}

// welcome lets everybody in.
func welcome(s *engineio.Session, text string) {
	if strings.HasPrefix(text, "0") {
		namespace := "/"
		if strings.HasPrefix(text, "0/") {
			namespace, _, _ = strings.Cut(text[1:], ",")
		}
		say(s, connected(namespace, "id"))
	}
}

func connected(namespace, id string) string {
	if namespace == "/" {
		return fmt.Sprintf(`0{"sid":%q}`, id)
	}
	return fmt.Sprintf(`0%s,{"sid":%q}`, namespace, id)
}

func say(s *engineio.Session, texts ...string) {
	for _, text := range texts {
		_ = s.Send(engineio.Text(text)) // a client that has left needn't hear it
	}
}

func (sc *script) Open(s *engineio.Session) error {
	sc.mu.Lock()
	defer sc.mu.Unlock()
	sc.current = s
	return nil
}

func (sc *script) Message(s *engineio.Session, m engineio.Message) {
	text := string(m.Data)
	sc.mu.Lock()
	sc.got, sc.last = append(sc.got, text), time.Now()
	sc.mu.Unlock()
	sc.receive(s, text)
}

func (sc *script) Close(*engineio.Session, engineio.Reason, error) {
	sc.mu.Lock()
	defer sc.mu.Unlock()
	sc.closed = time.Now()
}

// session is the last one that was opened.
func (sc *script) session() *engineio.Session {
	sc.mu.Lock()
	defer sc.mu.Unlock()
	return sc.current
}

// expect compares what clients have sent since the last call.
func (sc *script) expect(want ...string) {
	sc.t.Helper()
	synctest.Wait()
	sc.mu.Lock()
	defer sc.mu.Unlock()
	if diff := cmp.Diff(want, sc.got); diff != "" {
		sc.t.Errorf("at the server (-want +got)\n%s", diff)
	}
	sc.got = nil
}

// forget drops what clients have sent so far.
func (sc *script) forget() {
	sc.mu.Lock()
	defer sc.mu.Unlock()
	sc.got = nil
}
