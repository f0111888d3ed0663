package postgres_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/siokit/siokit/adapters/postgres"
	"github.com/siokit/siokit/adapters/postgres/postgrestest"
	"github.com/siokit/siokit/socketio/adapter"
	"github.com/siokit/siokit/socketio/adapter/adaptertest"
)

var (
	messages = flag.Int("messages", 1500, "how many broadcasts there are at least, around a fault of the database")
	freeze   = flag.Duration("freeze", time.Second, "how long the database is away at least")
)

// backWithin is how long broadcasts may fail to cross once the database is back.
// The promise is three seconds on a machine that isn't busy.
const backWithin = 3 * time.Second

// crossing broadcasts from one node every few milliseconds until the other has
// one.
func crossing(t testing.TB, from, to *node, tag string) {
	t.Helper()
	sent := 0
	until(t, tag+": a broadcast crosses", func() bool {
		sent++
		from.emit(t, fmt.Sprint(tag, sent))
		local := fmt.Sprint(tag, sent)
		if !from.has(local) {
			t.Fatalf("%s: the server's own socket was not served at once", tag)
		}
		return heard(to, tag)
	})
}

// heard reports whether the node's socket has an event whose name begins with tag.
func heard(x *node, tag string) bool {
	return slices.ContainsFunc(x.socket.Received(), func(p adaptertest.Packet) bool { return strings.HasPrefix(p.Name, tag) })
}

// storm broadcasts until stop is called, so fast that a third of the messages fall
// into the fault.
func storm(t testing.TB, x *node, sent *atomic.Int64) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	each := 1 + *messages/3/int(max(*freeze, time.Second)/time.Millisecond)
	go func() { // ends with ctx; stop waits for it
		defer close(done)
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for ctx.Err() == nil {
			<-tick.C
			for range each {
				name := fmt.Sprint("storm", sent.Load()+1)
				before := x.socket.Pushed()
				if err := x.Broadcast(event(t, name, `["while the database is away"]`), adapter.Selection{}); err != nil {
					t.Errorf("%s: %v", name, err)
				}
				if x.socket.Pushed() == before {
					t.Errorf("%s: the server's own socket was not served at once", name)
					return
				}
				sent.Add(1)
			}
		}
	}()
	return func() { cancel(); <-done }
}

// through has the fault in the middle of the messages, for at least as long as
// -freeze says.
func through(t *testing.T, db *postgrestest.Server, strike func(x *node), mend func()) {
	nodes := join(t, db, 2, postgres.Config{})
	var sent atomic.Int64
	stop := sync.OnceFunc(storm(t, nodes[0], &sent))
	defer stop()
	third := int64(*messages / 3)
	until(t, "the storm crosses", func() bool { return sent.Load() >= third && nodes[1].socket.Pushed() > 20 })
	strike(nodes[0])
	struck, before := time.Now(), sent.Load()
	<-time.After(*freeze)
	until(t, "broadcasts without a database", func() bool { return sent.Load() >= before+third })
	gone := time.Since(struck)
	before = int64(nodes[1].socket.Pushed())
	mend()
	mended := time.Now()
	until(t, "the storm crosses again", func() bool { return int64(nodes[1].socket.Pushed()) > before })
	took := time.Since(mended)
	crossing(t, nodes[1], nodes[0], "back-") // after what waited
	until(t, "the rest of the storm", func() bool { return sent.Load() >= int64(*messages) })
	stop()
	t.Logf("%d broadcasts; the database was gone for %v; cluster delivery was back %v after it",
		sent.Load(), gone.Round(time.Millisecond), took.Round(time.Millisecond))
	if took > backWithin {
		t.Errorf("that is more than %v", backWithin)
	}
	last := 0
	for _, p := range nodes[1].socket.Received() {
		number, ok := strings.CutPrefix(p.Name, "storm")
		if !ok {
			continue
		}
		if n, err := strconv.Atoi(number); err != nil || n <= last {
			t.Fatalf("%s came after storm%d", p.Name, last)
		} else {
			last = n
		}
	}
}

func testDatabaseKilled(t *testing.T, db *postgrestest.Server) {
	through(t, db, func(x *node) {
		db.Kill()
		until(t, "what is for others is dropped and counted", func() bool { return x.Stats().Unpublished > 20 })
	}, db.Run)
}

func testDatabaseFrozen(t *testing.T, db *postgrestest.Server) {
	through(t, db, func(*node) { db.Freeze() }, db.Thaw)
}

func testConnectionEnded(t *testing.T, db *postgrestest.Server) {
	pool := connect(t, db)
	errs := make(chan error, 100)
	nodes := join(t, db, 2, postgres.Config{OnError: func(err error) { errs <- err }})
	if _, err := pool.Exec(t.Context(),
		"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"); err != nil {
		t.Fatal(err)
	}
	crossing(t, nodes[0], nodes[1], "again-")
	crossing(t, nodes[1], nodes[0], "again-")
	select {
	case err := <-errs:
		t.Log(err)
	default:
		t.Error("Config.OnError was not called")
	}
}

func testDeadNodeIsNamed(t *testing.T, db *postgrestest.Server) {
	nodes := join(t, db, 3, postgres.Config{})
	nodes[2].line.sever()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	var ids []string
	var partial *adapter.PartialError
	for s, err := range nodes[0].Fetch(ctx, adapter.Selection{}) {
		if err != nil {
			if !errors.As(err, &partial) {
				t.Fatal(err)
			}
			continue
		}
		ids = append(ids, s.ID)
	}
	if diff := cmp.Diff([]string{"n0", "n1"}, ids); diff != "" {
		t.Errorf("sockets (-want +got):\n%s", diff)
	}
	if partial == nil || !cmp.Equal(partial.Nodes, []string{"n2"}) {
		t.Errorf("the error is %v, and should name n2", partial)
	}
}
