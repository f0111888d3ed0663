package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/siokit/siokit/adapters/postgres"
	"github.com/siokit/siokit/adapters/postgres/postgrestest"
	"github.com/siokit/siokit/socketio/adapter"
)

// backWithin is how long broadcasts may fail to cross once the database is back.
// The promise is three seconds on a machine that isn't busy.
const backWithin = 3 * time.Second

// crossing broadcasts from one node every few milliseconds until the other has
// one, and returns how long that took.
func crossing(t testing.TB, from, to *node, tag string) time.Duration {
	t.Helper()
	begun := time.Now()
	sent := 0
	until(t, tag+": a broadcast crosses", func() bool {
		sent++
		from.emit(t, fmt.Sprint(tag, sent))
		local := fmt.Sprint(tag, sent)
		if !from.has(local) {
			t.Fatalf("%s: the server's own socket was not served at once", tag)
		}
		return to.has(tag+"1") || to.socket.Pushed() > 0 && lastHas(to, tag)
	})
	return time.Since(begun)
}

func lastHas(x *node, tag string) bool {
	list := x.socket.Received()
	return len(list) > 0 && len(list[len(list)-1].Name) >= len(tag) && list[len(list)-1].Name[:len(tag)] == tag
}

// storm broadcasts until stop is called.
func storm(t testing.TB, x *node) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { // ends with ctx; stop waits for it
		defer close(done)
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for i := 0; ctx.Err() == nil; i++ {
			<-tick.C
			name := fmt.Sprint("storm", i)
			if err := x.Broadcast(event(t, name, `["while the database is away"]`), adapter.Selection{}); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if !x.has(name) {
				t.Errorf("%s: the server's own socket was not served at once", name)
				return
			}
		}
	}()
	return func() { cancel(); <-done }
}

func testDatabaseKilled(t *testing.T, db *postgrestest.Server) {
	nodes := join(t, db, 2, postgres.Config{})
	stop := storm(t, nodes[0])
	until(t, "the storm crosses", func() bool { return nodes[1].socket.Pushed() > 20 })
	db.Kill()
	until(t, "broadcasts without a database", func() bool { return nodes[0].Stats().Unpublished > 20 })
	stop()
	db.Run()
	took := crossing(t, nodes[0], nodes[1], "back-a-")
	took = max(took, crossing(t, nodes[1], nodes[0], "back-b-"))
	t.Logf("cluster delivery was back %v after the database", took)
	if took > backWithin {
		t.Errorf("that is more than %v", backWithin)
	}
}

func testDatabaseFrozen(t *testing.T, db *postgrestest.Server) {
	nodes := join(t, db, 2, postgres.Config{})
	stop := storm(t, nodes[0])
	until(t, "the storm crosses", func() bool { return nodes[1].socket.Pushed() > 20 })
	db.Freeze()
	before := nodes[0].socket.Pushed()
	until(t, "a thousand broadcasts while it is frozen", func() bool { return nodes[0].socket.Pushed() > before+1000 })
	stop()
	db.Thaw()
	took := max(crossing(t, nodes[0], nodes[1], "back-a-"), crossing(t, nodes[1], nodes[0], "back-b-"))
	t.Logf("cluster delivery was back %v after the database", took)
	if took > backWithin {
		t.Errorf("that is more than %v", backWithin)
	}
	seen := map[string]int{}
	for _, p := range nodes[1].socket.Received() {
		if seen[p.Name]++; seen[p.Name] > 1 {
			t.Errorf("%s came twice", p.Name)
		}
	}
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
