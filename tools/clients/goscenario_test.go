package clients_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	engine "github.com/siokit/siokit/engineio/client"
	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/sioparser/msgpack"
	"github.com/siokit/siokit/socketio"
	sio "github.com/siokit/siokit/socketio/client"
)

var goScenarios = []goScenario{
	{"connection: an id, and the transport that was asked for", func(t *talk) {
		c := t.connect()
		want := map[string]string{"polling": "polling"}[t.mode]
		if want == "" {
			want = "websocket"
		}
		if len(c.ID()) != 20 || c.Transport() != want {
			t.Error(c.ID(), c.Transport())
		}
		t.equal(t.ask(c.Socket, "id"), []any{c.ID()})
	}},
	{"connection: auth, query and headers", func(t *talk) {
		c := t.client("", func(c *sio.Config) {
			c.Auth = sio.Static(map[string]any{"token": "é€😀", "nested": []any{1, nil}})
			c.Engine.Query = url.Values{"room": {"a b&c"}}
			c.Engine.Header = http.Header{"X-Test": {"1"}}
		})
		auth := t.collect(c.Socket, "auth")
		t.must(c.Connect(t.ctx))
		t.equal(receive(t, auth), []any{map[string]any{"token": "é€😀", "nested": []any{1, nil}}})
		handshake := t.ask(c.Socket, "handshake")[0].(map[string]any)
		t.equal(handshake["query"].(map[string]any)["room"], "a b&c")
		t.equal(handshake["headers"].(map[string]any)["x-test"], "1")
	}},
	{"connection: what is emitted before it stands arrives after it, in order", func(t *talk) {
		c := t.client("")
		back := t.collect(c.Socket, "message-back")
		for i := range 20 {
			t.must(c.Emit(t.ctx, "message", i))
		}
		t.must(c.Connect(t.ctx))
		for i := range 20 {
			t.equal(receive(t, back), []any{i})
		}
	}},
	{"connection: thirty at once", func(t *talk) {
		var wg sync.WaitGroup
		for i := range 30 {
			c := t.client("")
			wg.Go(func() {
				if err := c.Connect(t.ctx); err != nil {
					t.Error(err)
					return
				}
				ack, err := c.EmitWithAck(t.ctx, "message-with-ack", i)
				if err != nil || string(ack.Args().Raw()) != fmt.Sprint(i) {
					t.Error(i, err)
				}
			})
		}
		wg.Wait()
	}},
	{"connection: refused by the request", func(t *talk) {
		c := t.client("", func(c *sio.Config) { c.Engine.Query = url.Values{"deny": {"no"}}; c.NoReconnection = true })
		var status *engine.StatusError
		if err := c.Connect(t.ctx); !errors.As(err, &status) || status.Status != http.StatusForbidden && status.Status != http.StatusBadRequest {
			t.Errorf("%v", err)
		}
	}},
	{"events: every kind of value", func(t *talk) {
		c := t.connect()
		back := t.collect(c.Socket, "message-back")
		for _, args := range [][]any{
			{}, {nil, true, false}, {0, -1, 1.5, 1e21, 5e-324, 9007199254740991, -9007199254740991},
			{"", "with \"quotes\", \\ and / and \n\t\x00\x1f\u2028\u2029", "é€😀", "\uFEFF"},
			{[]any{}, []any{nil}, map[string]any{"": 1, "nested": map[string]any{"deep": []any{1, []any{2}}}}},
			{map[string]any{"_placeholder": true, "num": 0}}, {"42[\"x\"]", "b64", "451-[]", "2probe"},
			{strings.Repeat("é€😀a", 50_000)},
		} {
			t.must(c.Emit(t.ctx, "message", args...))
			t.equal(receive(t, back), args)
			t.equal(t.ask(c.Socket, "message-with-ack", args...), args)
		}
	}},
	{"events: a thousand each way keep their order", func(t *talk) {
		c := t.connect()
		back, burst := t.collect(c.Socket, "message-back"), t.collect(c.Socket, "b")
		for i := range 1000 {
			t.must(c.Emit(t.ctx, "message", i))
		}
		t.must(c.Emit(t.ctx, "burst", 1000))
		for i := range 1000 {
			t.equal(receive(t, back), []any{i})
			t.equal(receive(t, burst), []any{i})
		}
	}},
	{"events: volatile ones arrive when the way is free, and are dropped without one", func(t *talk) {
		c := t.client("")
		back := t.collect(c.Socket, "message-back")
		t.must(c.Volatile().Emit(t.ctx, "message", "dropped"))
		t.must(c.Emit(t.ctx, "message", "kept"))
		t.must(c.Connect(t.ctx))
		t.equal(receive(t, back), []any{"kept"})
		for len(back) == 0 { // one at a time: while something is written they are dropped
			t.must(c.Volatile().Emit(t.ctx, "message", "volatile"))
			t.ask(c.Socket, "message-with-ack")
		}
		t.equal(receive(t, back), []any{"volatile"})
	}},
	{"acks: none, one and several values; a thousand at once", func(t *talk) {
		c := t.connect()
		t.equal(t.ask(c.Socket, "message-with-ack"), []any{})
		t.equal(t.ask(c.Socket, "message-with-ack", 1, []int{2}, map[string]any{"three": nil}), []any{1, []int{2}, map[string]any{"three": nil}})
		var wg sync.WaitGroup
		for i := range 1000 {
			wg.Go(func() {
				ack, err := c.EmitWithAck(t.ctx, "message-with-ack", i)
				if err != nil || string(ack.Args().Raw()) != fmt.Sprint(i) {
					t.Error(i, err)
				}
			})
		}
		wg.Wait()
	}},
	{"acks: a timeout when nobody answers", func(t *talk) {
		c := t.connect()
		if _, err := c.Timeout(20*time.Millisecond).EmitWithAck(t.ctx, "nobody listens"); !errors.Is(err, socketio.ErrAckTimeout) {
			t.Error(err)
		}
		t.equal(t.ask(c.Socket, "message-with-ack", "alive"), []any{"alive"})
	}},
	{"acks: called twice by the server, sent once", func(t *talk) {
		t.equal(t.ask(t.connect().Socket, "double-ack"), []any{1})
	}},
	{"acks: the server asks, the client answers", func(t *talk) {
		c := t.connect()
		c.On("emit-with-ack", func(_ context.Context, ev *sio.Event) error {
			args := t.values(ev.Args())
			slices.Reverse(args)
			return ev.Ack(append(args, "é€😀", []byte{8})...)
		})
		result := t.collect(c.Socket, "emit-with-ack-result")
		t.must(c.Emit(t.ctx, "emit-with-ack", 1, map[string]int{"a": 2}))
		t.equal(receive(t, result), []any{map[string]int{"a": 2}, 1, "é€😀", []byte{8}})
	}},
	{"acks: the server's timeout, and a late answer is ignored", func(t *talk) {
		c := t.connect()
		asked := make(chan *sio.Event, 1)
		c.On("no-ack", func(_ context.Context, ev *sio.Event) error { asked <- ev; return nil })
		result := t.collect(c.Socket, "emit-timeout-result")
		t.must(c.Emit(t.ctx, "emit-timeout", 50))
		ev := receive(t, asked)
		t.equal(receive(t, result), []any{"operation has timed out"})
		t.must(ev.Ack("late"))
		t.equal(t.ask(c.Socket, "message-with-ack", "alive"), []any{"alive"})
	}},
	{"acks: a handler of the server's waits for one", func(t *talk) {
		c := t.connect()
		question := socketio.DefineCall[int, int]("x:question").ToClient()
		question.On(c, func(_ context.Context, n int) (int, error) { return n * 6, nil })
		t.equal(t.ask(c.Socket, "x:ask"), []any{42})
	}},
	{"binary: at any depth, both ways, the order kept", func(t *talk) {
		c := t.connect()
		back := t.collect(c.Socket, "message-back")
		ten := make([]any, 10)
		for i := range ten {
			ten[i] = []byte{byte(i), 0x1e}
		}
		for _, args := range [][]any{
			{[]byte{1, 2, 3}}, {[]byte{}}, {"é€😀", []byte{1}, nil, 2}, {ten}, {[]byte("42[\"x\"]"), []byte("2probe")},
			{map[string]any{"a": []any{map[string]any{"b": []byte{1}}, []any{[]byte{2}}}, "d": "x"}},
			{map[string]any{"one": bytes.Repeat([]byte("siokit "), 40_000), "two": bytes.Repeat([]byte{0xfe}, 200_000)}},
		} {
			t.must(c.Emit(t.ctx, "message", args...))
			t.equal(receive(t, back), args)
			t.equal(t.ask(c.Socket, "message-with-ack", args...), args)
		}
		for i := range 100 {
			t.must(c.Emit(t.ctx, "message", i, []byte{byte(i)}))
			t.must(c.Emit(t.ctx, "message", i))
		}
		for i := range 100 {
			t.equal(receive(t, back), []any{i, []byte{byte(i)}})
			t.equal(receive(t, back), []any{i})
		}
		bin := t.collect(c.Socket, "bin")
		t.must(c.Emit(t.ctx, "emit-binary"))
		t.equal(receive(t, bin), []any{[]byte{1, 2, 3}, map[string][]byte{"a": {4}}})
	}},
	{"rooms", func(t *talk) {
		a, b := t.connect(), t.connect()
		room := fmt.Sprintf("r-%s", a.ID())
		t.ask(b.Socket, "join", room)
		got := t.collect(b.Socket, "x")
		t.must(a.Emit(t.ctx, "to", room, "x", 1, []byte{2}))
		t.equal(receive(t, got), []any{1, []byte{2}})
	}},
	{"namespaces: two over one connection", func(t *talk) {
		c := t.connect()
		custom := c.Of("/custom")
		t.must(custom.Connect(t.ctx))
		if custom.ID() == c.ID() {
			t.Error("one id for both")
		}
		t.equal(t.ask(custom, "id"), []any{custom.ID()})
		names := t.ask(c.Socket, "nsps")[0].([]any)
		slices.SortFunc(names, func(a, b any) int { return strings.Compare(a.(string), b.(string)) })
		t.equal(names, []any{"/", "/custom"})
		for range 3 {
			custom.Disconnect()
			t.ask(c.Socket, "message-with-ack")
			t.equal(t.ask(c.Socket, "nsps"), []any{[]any{"/"}})
			t.must(custom.Connect(t.ctx))
			t.equal(t.ask(custom, "message-with-ack", 1), []any{1})
		}
	}},
	{"namespaces: unknown, refused with data and without", func(t *talk) {
		c := t.connect()
		for name, want := range map[string]*sio.ConnectError{
			"/unknown":          {Message: "Invalid namespace"},
			"/auth-fail":        {Message: "not authorized", Data: []byte(`{"code":401,"content":"please retry"}`)},
			"/auth-fail-nodata": {Message: "nope"},
			"/dyn-x":            {Message: "Invalid namespace"},
		} {
			for range 2 { // a refused one may try again
				var got *sio.ConnectError
				if err := c.Of(name).Connect(t.ctx); !errors.As(err, &got) || got.Message != want.Message || string(got.Data) != string(want.Data) {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
		t.equal(t.ask(c.Socket, "message-with-ack", "alive"), []any{"alive"})
	}},
	{"namespaces: dynamic ones, and a slow one that nobody waits for", func(t *talk) {
		if t.mode == "upgrade" {
			return // what is sent while it happens waits for it, and then comes together
		}
		c := t.client("")
		order := make(chan string, 3)
		for _, name := range []string{"/auth-slow", "/", "/dyn-42"} {
			c.Of(name).OnConnect(func(context.Context) { order <- name })
			t.must(c.Of(name).Open())
		}
		got := []string{receive(t, order), receive(t, order), receive(t, order)}
		if got[2] != "/auth-slow" {
			t.Error("the slow one was not the last:", got)
		}
		dynamic := c.Of("/dyn-42")
		t.equal(t.ask(dynamic, "id"), []any{dynamic.ID()})
	}},
	{"disconnect: each side has its reason", func(t *talk) {
		observer := t.connect()
		onPolling := func(polling, other sio.Reason) sio.Reason {
			if t.mode == "polling" {
				return polling
			}
			return other
		}
		var wire *wireCutter
		for name, x := range map[string]struct {
			end    func(c *sio.Client) // nil: its connections are cut
			client sio.Reason
			server []string
		}{
			"by the client":                     {func(c *sio.Client) { c.Disconnect() }, "io client disconnect", []string{"client namespace disconnect"}},
			"by the server":                     {func(c *sio.Client) { t.must(c.Emit(t.ctx, "disconnect-me")) }, "io server disconnect", []string{"server namespace disconnect"}},
			"by the server with its connection": {func(c *sio.Client) { t.must(c.Emit(t.ctx, "close-me")) }, "io server disconnect", []string{"server namespace disconnect"}},
			"cut":                               {nil, onPolling("transport error", ""), []string{"transport close", "transport error", "ping timeout"}}, // the last one between two polls
		} {
			wire = new(wireCutter)
			c := t.connect(wire.through, func(c *sio.Config) { c.NoReconnection = true })
			id, gone := c.ID(), reasons(c.Socket)
			var got sio.Reason
			if x.end == nil {
				got = cutUntil(t, wire, gone)
			} else {
				x.end(c)
				got = receive(t, gone)
			}
			if got != x.client && x.client != "" || x.client == "" && !strings.HasPrefix(string(got), "transport ") {
				t.Errorf("%s: %s", name, got)
			}
			if got := t.serverReason(observer.Socket, id); !slices.Contains(x.server, got) {
				t.Errorf("%s: the server says %s", name, got)
			}
		}
	}},
	{"disconnect: the network is silent", func(t *talk) {
		var wire wireCutter
		c := t.connect(wire.through, func(c *sio.Config) { c.NoReconnection = true })
		gone := reasons(c.Socket)
		wire.silent.Store(true)
		if got := receive(t, gone); got != "ping timeout" {
			t.Error(got)
		}
	}},
	{"reconnection: five times, with every namespace, fresh auth and what was emitted meanwhile", func(t *talk) {
		var wire wireCutter
		var mu sync.Mutex
		calls := 0
		c := t.connect(wire.through, func(c *sio.Config) {
			c.Auth = func(context.Context, string) (any, error) {
				mu.Lock()
				defer mu.Unlock()
				calls++
				return map[string]int{"count": calls}, nil
			}
		})
		custom := c.Of("/custom")
		t.must(custom.Connect(t.ctx))
		back, gone := t.collect(c.Socket, "message-back"), reasons(c.Socket)
		again, customAgain := connects(c.Socket), connects(custom)
		ids := []string{c.ID()}
		for i := range 5 {
			cutUntil(t, &wire, gone)
			t.must(c.Emit(t.ctx, "message", i))
			id := receive(t, again)
			receive(t, customAgain)
			if slices.Contains(ids, id) {
				t.Error("an old id")
			}
			ids = append(ids, id)
			t.equal(receive(t, back), []any{i})
			t.equal(t.ask(custom, "message-with-ack", i), []any{i})
		}
		mu.Lock()
		defer mu.Unlock()
		if calls < 12 {
			t.Error("Auth was called", calls, "times")
		}
	}},
	{"reconnection: an acknowledgement that was due fails at once", func(t *talk) {
		var wire wireCutter
		c := t.connect(wire.through)
		failed := make(chan error, 1)
		sent := make(chan struct{}, 1)
		c.OnAnyOutgoing(func(string, sioparser.Args) { sent <- struct{}{} })
		go func() {
			_, err := c.EmitWithAck(t.ctx, "nobody listens")
			failed <- err
		}()
		receive(t, sent)
		if err := cutUntil(t, &wire, failed); !errors.Is(err, socketio.ErrDisconnected) {
			t.Error(err)
		}
	}},
	{"reconnection: not after the server has ended it, unless it is asked for", func(t *talk) {
		c := t.connect()
		gone := reasons(c.Socket)
		t.must(c.Emit(t.ctx, "disconnect-me"))
		receive(t, gone)
		if c.Active() || c.Connected() {
			t.Error("still active")
		}
		t.must(c.Connect(t.ctx))
	}},
	{"recovery: what was missed comes after the reconnection, once and in order", func(t *talk) {
		for tries := 1; !t.recovers(); tries++ {
			if tries == 5 {
				t.Fatal("a busy machine: the client came back too late five times")
			}
		}
	}},
	{"recovery: not after leaving on purpose", func(t *talk) {
		c := t.client("/sio-csr/")
		t.must(c.Connect(t.ctx))
		id := c.ID()
		t.ask(c.Socket, "message-with-ack")
		c.Disconnect()
		t.must(c.Connect(t.ctx))
		if c.Recovered() || c.ID() == id {
			t.Error("recovered")
		}
	}},
	{"retries: each event once, in order, while the network breaks", func(t *talk) {
		var wire wireCutter
		c := t.connect(wire.through, func(c *sio.Config) { c.Retries = 1 << 20; c.AckTimeout = time.Second })
		for i := range 40 {
			if i%5 == 0 {
				wire.cut()
			}
			t.equal(t.ask(c.Socket, "message-with-ack", i), []any{i})
		}
	}},
	{"msgpack: values, binary, refusal", func(t *talk) {
		c := t.client("/sio-msgpack/", func(c *sio.Config) { c.Codec = msgpack.Codec })
		t.must(c.Connect(t.ctx))
		args := []any{nil, true, 0, -1, 65536, 9007199254740991, 1.5, "é€😀", []any{}, map[string]any{"a": []any{nil}}, []byte{1}, map[string]any{"b": []byte{}}}
		t.equal(t.ask(c.Socket, "message-with-ack", args...), args)
		var refused *sio.ConnectError
		if err := c.Of("/auth-fail").Connect(t.ctx); !errors.As(err, &refused) || !json.Valid(refused.Data) {
			t.Error(err)
		}
	}},
	{"upgrade: nothing is lost or out of order while it happens", func(t *talk) {
		for range 3 {
			c := t.client("")
			back, burst := t.collect(c.Socket, "message-back"), t.collect(c.Socket, "b")
			t.must(c.Emit(t.ctx, "burst", 500))
			t.must(c.Connect(t.ctx))
			for i := range 300 {
				t.must(c.Emit(t.ctx, "message", i, []byte{byte(i)}))
			}
			for i := range 300 {
				t.equal(receive(t, back), []any{i, []byte{byte(i)}})
			}
			for i := range 500 {
				t.equal(receive(t, burst), []any{i})
			}
		}
	}},
}

// recovers has a client miss something and checks that it gets it. It returns
// false if the client was away for too long: the fixture keeps a session for two
// seconds only.
func (t *talk) recovers() bool {
	t.Helper()
	var wire wireCutter
	var cut time.Time
	other, c := t.connectAt("/sio-csr/"), t.connectAt("/sio-csr/", wire.through)
	id, room := c.ID(), "r-"+c.ID()
	t.ask(c.Socket, "join", room)
	got, again := t.collect(c.Socket, "x"), connects(c.Socket)
	for i := range 6 {
		if i == 2 {
			t.equal(receive(t, got)[0], 0)
			t.equal(receive(t, got)[0], 1) // the client has an offset now
			cut = time.Now()
			wire.dead.Store(true)
			wire.cut()
			t.serverReason(other.Socket, id) // before it knows, there is nothing to recover
		}
		t.must(other.Emit(t.ctx, "to", room, "x", i))
	}
	t.ask(other.Socket, "message-with-ack")
	wire.dead.Store(false)
	receive(t, again)
	if !c.Recovered() && time.Since(cut) > time.Second {
		return false
	}
	for i := 2; i < 6; i++ {
		t.equal(receive(t, got)[0], i)
	}
	if !c.Recovered() || c.ID() != id {
		t.Error("not recovered")
	}
	t.equal(t.ask(c.Socket, "recovered")[:1], []any{true})
	return true
}
