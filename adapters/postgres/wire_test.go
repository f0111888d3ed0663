package postgres_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/siokit/siokit/adapters/postgres"
	"github.com/siokit/siokit/adapters/postgres/postgrestest"
	"github.com/siokit/siokit/socketio/adapter"
	"github.com/siokit/siokit/socketio/adapter/adaptertest"
)

// testNotifications looks at what is on the channel and in the table.
func testNotifications(t *testing.T, db *postgrestest.Server) {
	pool := connect(t, db)
	spy, err := pgx.Connect(t.Context(), db.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer spy.Close(t.Context())
	if _, err := spy.Exec(t.Context(), `LISTEN "socket.io#/"`); err != nil {
		t.Fatal(err)
	}
	nodes := join(t, db, 2, postgres.Config{ChannelPrefix: "socket.io", HeartbeatInterval: time.Hour})
	next := func() (message map[string]any) {
		t.Helper()
		for message["type"] == nil || message["type"] == 1.0 || message["type"] == 2.0 {
			n, err := spy.WaitForNotification(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			message = nil
			if err := json.Unmarshal([]byte(n.Payload), &message); err != nil {
				t.Fatalf("%v: %s", err, n.Payload)
			}
		}
		return message
	}
	rows := func() (n int) {
		t.Helper()
		if err := pool.QueryRow(t.Context(), "SELECT count(*) FROM socket_io_attachments").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}

	nodes[0].emit(t, "plain")
	want := map[string]any{
		"uid": "n0", "nsp": "/", "type": 3.0,
		"data": map[string]any{
			"opts":   map[string]any{"rooms": []any{}, "except": []any{}, "flags": map[string]any{}},
			"packet": map[string]any{"type": 2.0, "data": []any{"plain"}},
		},
	}
	if diff := cmp.Diff(want, next()); diff != "" {
		t.Errorf("a broadcast (-want +got):\n%s", diff)
	}

	// Equal notifications of one transaction would be delivered once.
	for range 50 {
		nodes[0].emit(t, "equal")
	}
	until(t, "fifty equal broadcasts", func() bool { return nodes[1].count("equal") == 50 })
	for range 50 {
		next()
	}
	if n := rows(); n != 0 {
		t.Errorf("%d rows for messages that need none", n)
	}

	long := strings.Repeat("é", 5000)
	for i, p := range []struct {
		name, args string
		blob       []byte
	}{
		{name: "long", args: `["` + long + `"]`},
		{name: "binary", args: `[{"_placeholder":true,"num":0}]`, blob: bytes.Repeat([]byte{0, 0xff}, 10_000)},
	} {
		var attachments [][]byte
		if p.blob != nil {
			attachments = [][]byte{p.blob}
		}
		if err := nodes[0].Broadcast(event(t, p.name, p.args, attachments...), adapter.Selection{}); err != nil {
			t.Fatal(err)
		}
		want := map[string]any{"uid": "n0", "type": 3.0, "attachmentId": fmt.Sprint(i + 1)}
		if diff := cmp.Diff(want, next()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", p.name, diff)
		}
		until(t, p.name, func() bool { return nodes[1].has(p.name) })
		list := nodes[1].socket.Received()
		got := list[len(list)-1]
		if got.Args != p.args || !cmp.Equal(got.Attachments, attachments) {
			t.Errorf("%s came as %.80s with %d attachments", p.name, got.Args, len(got.Attachments))
		}
	}
	if n := rows(); n != 2 {
		t.Errorf("%d rows for two messages", n)
	}

	t.Run("order", func(t *testing.T) {
		for i := range 200 {
			p := event(t, fmt.Sprint("in order ", i), "[]")
			if i%3 == 0 {
				p = event(t, fmt.Sprint("in order ", i), `[{"_placeholder":true,"num":0}]`, []byte{1})
			}
			if err := nodes[0].Broadcast(p, adapter.Selection{}); err != nil {
				t.Fatal(err)
			}
		}
		until(t, "all of them", func() bool { return nodes[1].has("in order 199") })
		n := 0
		for _, p := range nodes[1].socket.Received() {
			if strings.HasPrefix(p.Name, "in order ") {
				if p.Name != fmt.Sprint("in order ", n) {
					t.Fatalf("%s instead of %d", p.Name, n)
				}
				n++
			}
		}
	})

	t.Run("hostile", func(t *testing.T) {
		before := nodes[1].Stats().Dropped
		list := []string{
			"", "x", "{", "null", "[]", `{"uid":"evil"}`, `{"uid":"evil","nsp":"/","type":99,"data":{}}`,
			`{"uid":"a b","nsp":"/","type":2}`, `{"uid":"evil","nsp":"/other","type":2}`,
			`{"uid":"evil","nsp":"/","type":3,"data":{"packet":{"type":0},"opts":{}}}`,
			`{"uid":"evil","type":3,"attachmentId":"999999"}`,
			`{"uid":"evil","type":3,"attachmentId":1e400}`,
			`{"uid":"evil","type":3,"attachmentId":"1; DROP TABLE socket_io_attachments"}`,
			`{"uid":"evil","type":3,"attachmentId":{"a":1}}`,
			strings.Repeat("[", 7000), `{"data":` + strings.Repeat(`{"a":`, 1500),
		}
		for _, text := range list {
			if _, err := pool.Exec(t.Context(), "SELECT pg_notify($1, $2)", "socket.io#/", text); err != nil {
				t.Fatal(err)
			}
		}
		for _, payload := range [][]byte{nil, {0xc1}, bytes.Repeat([]byte{0x91}, 1<<20), {0xdf, 0xff, 0xff, 0xff, 0xff}} {
			if _, err := pool.Exec(t.Context(), `WITH a AS (INSERT INTO socket_io_attachments (payload) VALUES ($1) RETURNING id)
				SELECT pg_notify('socket.io#/', '{"uid":"evil","type":3,"attachmentId":' || id || '}') FROM a`, payload); err != nil {
				t.Fatal(err)
			}
		}
		nodes[0].emit(t, "after")
		until(t, "what comes after it", func() bool { return nodes[1].has("after") })
		if n := nodes[1].Stats().Dropped - before; n != uint64(len(list)+4) {
			t.Errorf("%d of %d hostile messages were counted", n, len(list)+4)
		}
	})
}

// testCleanup has a server delete what is old, and nothing else.
func testCleanup(t *testing.T, db *postgrestest.Server) {
	pool := connect(t, db)
	if _, err := pool.Exec(t.Context(), `INSERT INTO socket_io_attachments (created_at, payload)
		VALUES (now() - interval '1 day', 'old'), (now() + interval '1 day', 'new')`); err != nil {
		t.Fatal(err)
	}
	join(t, db, 1, postgres.Config{CleanupInterval: 20 * time.Millisecond})
	until(t, "the old attachment is gone", func() bool {
		var left []byte
		err := pool.QueryRow(t.Context(), "SELECT string_agg(payload, ',') FROM socket_io_attachments").Scan(&left)
		return err == nil && string(left) == "new"
	})
}

func testEmitter(t *testing.T, db *postgrestest.Server) {
	pool := connect(t, db)
	nodes := join(t, db, 2, postgres.Config{ChannelPrefix: "emitted"})
	e, err := postgres.NewEmitter(postgres.Config{Pool: pool, ChannelPrefix: "emitted"})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.To("n1").Emit("hello", 1, []byte{2}); err != nil {
		t.Fatal(err)
	}
	if err := e.Emit("everyone", strings.Repeat("x", 9000)); err != nil {
		t.Fatal(err)
	}
	for _, x := range nodes {
		until(t, "everyone", func() bool { return x.has("everyone") })
	}
	if nodes[0].has("hello") || !nodes[1].has("hello") {
		t.Error("what was for n1 went astray")
	}
	// The official emitter does not say which namespace it means.
	if _, err := pool.Exec(t.Context(), "SELECT pg_notify($1, $2)", "emitted#/",
		`{"type":3,"data":{"packet":{"type":2,"data":["official"],"nsp":"/"},"opts":{"rooms":[],"flags":{},"except":[]}},"uid":"emitter"}`); err != nil {
		t.Fatal(err)
	}
	until(t, "the official emitter's", func() bool { return nodes[0].has("official") && nodes[1].has("official") })
}

func testConfig(t *testing.T, db *postgrestest.Server) {
	pool := connect(t, db)
	for name, config := range map[string]postgres.Config{
		"no pool":        {},
		"high threshold": {Pool: pool, PayloadThreshold: 8001},
		"no heartbeats":  {Pool: pool, HeartbeatInterval: -1},
		"not a uid":      {Pool: pool, UID: "a b"},
		"long channel":   {Pool: pool, ChannelPrefix: strings.Repeat("x", 64)},
	} {
		if a, err := postgres.New(config)(adaptertest.NewServer("/")); err == nil {
			t.Errorf("%s: no error", name)
			_ = a.Close(t.Context())
		}
	}
	quote := postgres.Config{Pool: pool, ChannelPrefix: `"; DROP TABLE socket_io_attachments; --`}
	nodes := join(t, db, 2, quote)
	nodes[0].emit(t, "quoted")
	until(t, "a channel with quotes works", func() bool { return nodes[1].has("quoted") })
}
