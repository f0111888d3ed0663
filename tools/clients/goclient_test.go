package clients_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	engine "github.com/siokit/siokit/engineio/client"
	"github.com/siokit/siokit/sioparser"
	sio "github.com/siokit/siokit/socketio/client"
)

// goTime bounds one scenario of the Go client.
const goTime = time.Minute

// TestGoClient runs the scenarios of the Go client, which follow those of the
// official one, against npm's socket.io and against refserver, over every
// transport. One process of each serves them all.
func TestGoClient(t *testing.T) {
	for name, serve := range map[string]func(testing.TB, ...string) *process{
		"npm":    func(t testing.TB, _ ...string) *process { return reference(t) },
		"siokit": refserver,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := &fixture{url: serve(t).url, reasons: make(map[string]string)}
			for _, mode := range modes {
				t.Run(mode, func(t *testing.T) {
					t.Parallel()
					for _, s := range goScenarios {
						t.Run(s.name, func(t *testing.T) {
							ctx, cancel := context.WithTimeout(t.Context(), goTime)
							defer cancel()
							s.run(&talk{T: t, fixture: server, ctx: ctx, mode: mode})
						})
					}
				})
			}
		})
	}
}

// A goScenario is a conversation of a Go client with the fixture.
type goScenario struct {
	name string
	run  func(t *talk)
}

// talk is what a scenario has to do with.
type talk struct {
	*testing.T
	*fixture
	ctx  context.Context
	mode string
}

// A fixture is a server that several scenarios talk to.
type fixture struct {
	url     string
	mu      sync.Mutex
	reasons map[string]string // for which it lost its sockets, as far as it has told
}

// config is the scenario's way to the server, and fast reconnections.
func (t *talk) config(change ...func(*sio.Config)) sio.Config {
	c := sio.Config{
		ReconnectionDelay: 10 * time.Millisecond, ReconnectionDelayMax: 50 * time.Millisecond, AckTimeout: goTime,
		Logger: slog.New(slog.DiscardHandler),
	}
	switch t.mode {
	case "polling":
		c.Engine.Transports = []engine.Transport{engine.Polling{}}
	case "websocket":
		c.Engine.Transports = []engine.Transport{engine.WebSocket{}}
	}
	for _, f := range change {
		f(&c)
	}
	return c
}

// client makes a client that is not connected, at a path of the fixture.
func (t *talk) client(path string, change ...func(*sio.Config)) *sio.Client {
	t.Helper()
	c, err := sio.New(t.url+path, t.config(change...))
	t.must(err)
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// connect makes a client that has joined the main namespace; with upgrades, over
// WebSocket.
func (t *talk) connect(change ...func(*sio.Config)) *sio.Client {
	t.Helper()
	return t.connectAt("", change...)
}

// connectAt is connect at a path of the fixture.
func (t *talk) connectAt(path string, change ...func(*sio.Config)) *sio.Client {
	t.Helper()
	c := t.client(path, change...)
	upgraded := make(chan error, 1)
	stop := c.OnUpgrade(func(_ context.Context, _ string, err error) { upgraded <- err })
	t.must(c.Connect(t.ctx))
	if t.mode == "upgrade" {
		t.must(t.next(upgraded))
	}
	stop()
	return c
}

func (t *talk) must(err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// next waits for an error that a hook sends.
func (t *talk) next(from <-chan error) error {
	t.Helper()
	select {
	case err := <-from:
		return err
	case <-t.ctx.Done():
		t.Fatal("nothing came")
		return nil
	}
}

// receive waits for what a hook or handler sends.
func receive[V any](t *talk, from <-chan V) V {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-t.ctx.Done():
		t.Fatal("nothing came")
		panic("not reached")
	}
}

// equal compares as the other side would: as JSON.
func (t *talk) equal(got, want any) {
	t.Helper()
	if diff := cmp.Diff(t.json(want), t.json(got)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func (t *talk) json(v any) any {
	t.Helper()
	text, err := json.Marshal(v)
	t.must(err)
	var plain any
	t.must(json.Unmarshal(text, &plain))
	return plain
}

// ask emits an event and returns its acknowledgement.
func (t *talk) ask(s *sio.Socket, event string, args ...any) []any {
	t.Helper()
	ack, err := s.EmitWithAck(t.ctx, event, args...)
	t.must(err)
	return t.values(ack.Args())
}

// values are arguments as any.
func (t *talk) values(args sioparser.Args) []any {
	t.Helper()
	all := make([]any, args.Len())
	ptrs := make([]any, len(all))
	for i := range all {
		ptrs[i] = &all[i]
	}
	var values *sioparser.Values
	t.must(values.Bind(args, ptrs...))
	return all
}

// collect gathers the arguments of an event.
func (t *talk) collect(s *sio.Socket, event string) <-chan []any {
	got := make(chan []any, 5000)
	s.On(event, func(_ context.Context, ev *sio.Event) error {
		got <- t.values(ev.Args())
		return nil
	})
	return got
}

// reasons gathers why a socket is disconnected.
func reasons(s *sio.Socket) <-chan sio.Reason {
	got := make(chan sio.Reason, 100)
	s.OnDisconnect(func(_ context.Context, why *sio.DisconnectError) { got <- why.Reason })
	return got
}

// connects tells of each time a socket has joined.
func connects(s *sio.Socket) <-chan string {
	got := make(chan string, 100)
	s.OnConnect(func(context.Context) { got <- s.ID() })
	return got
}

// serverReason asks the fixture, which tells each reason once, why it lost a
// socket.
func (t *talk) serverReason(observer *sio.Socket, id string) string {
	t.Helper()
	t.mu.Lock()
	defer t.mu.Unlock()
	for t.reasons[id] == "" {
		for _, entry := range t.ask(observer, "x:reasons")[0].([]any) {
			pair := entry.([]any)
			t.reasons[pair[0].(string)] = pair[1].(string)
		}
	}
	return t.reasons[id]
}

// A wireCutter makes connections that can be cut, or fall silent.
type wireCutter struct {
	mu     sync.Mutex
	conns  []net.Conn
	silent atomic.Bool
	dead   atomic.Bool // there are no new ones
}

// through makes a client's connections those of the cutter.
func (w *wireCutter) through(c *sio.Config) {
	c.Engine.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		var d net.Dialer
		conn, err := d.DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.dead.Load() { // also one that was being made when the others were cut
			return nil, errors.Join(errors.New("the network is down"), conn.Close())
		}
		w.conns = append(w.conns, conn)
		return &cuttable{conn, w}, nil
	}
}

// cut closes every connection.
func (w *wireCutter) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.conns {
		_ = c.Close()
	}
	w.conns = nil
}

// cutUntil cuts until somebody has noticed: between two polls nobody does, and
// nothing is lost.
func cutUntil[V any](t *talk, w *wireCutter, noticed <-chan V) V {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		w.cut()
		select {
		case v := <-noticed:
			return v
		case <-tick.C:
		case <-t.ctx.Done():
			t.Fatal("nobody has noticed")
		}
	}
}

// cuttable is a connection that does not say what it reads when it is silent.
type cuttable struct {
	net.Conn
	by *wireCutter
}

func (c *cuttable) Read(p []byte) (int, error) {
	for {
		n, err := c.Conn.Read(p)
		if err != nil || !c.by.silent.Load() {
			return n, err
		}
	}
}
