package adaptertest

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siokit/siokit/socketio/adapter"
)

var hookChecks = []check{
	{name: "HookOrder", needs: has[adapter.Observable], run: testHookOrder},
	{name: "HookMayCall", needs: has[adapter.Observable], run: testHookMayCall},
	{name: "HookConcurrency", needs: has[adapter.Observable], run: testHookConcurrency},
}

func testHookOrder(t testing.TB, f *fixture) {
	ad := f.adapters[0]
	var got []string
	stop := ad.(adapter.Observable).Observe(func(e adapter.Event) {
		got = append(got, fmt.Sprintf("%v %s %s", e.Kind, e.Room, e.SocketID))
	})
	a, b := NewSocket("a"), NewSocket("b")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(ad.Join(a, "a", "red"))
	must(ad.Join(b, "red", "red"))
	must(ad.Join(b, "red"))
	ad.Leave(a, "red", "unknown")
	ad.Leave(a, "red")
	ad.Remove(b)
	ad.Remove(b)
	_ = ad.Join(b, "red")
	want := []string{
		"created a ", "joined a a", "created red ", "joined red a",
		"joined red b",
		"left red a",
		"left red b", "deleted red ",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	stop()
	ad.Remove(a)
	if len(got) > len(want) {
		t.Errorf("events after stop: %q", got[len(want):])
	}
}

func testHookMayCall(t testing.TB, f *fixture) {
	ad := f.adapters[0]
	other := NewSocket("other")
	var kinds []adapter.EventKind
	defer ad.(adapter.Observable).Observe(func(e adapter.Event) {
		kinds = append(kinds, e.Kind)
		if e.Kind == adapter.Created && e.Room == "red" {
			if err := ad.Join(other, "other", "red"); err != nil {
				t.Errorf("Join: %v", err)
			}
			f.emit(t, 0, rooms("red"), "x")
		}
	})()
	f.bounded(t, "a Join whose hook joins and broadcasts", func() {
		if err := ad.Join(NewSocket("a"), "red"); err != nil {
			t.Errorf("Join: %v", err)
		}
	})
	want := []adapter.EventKind{adapter.Created, adapter.Joined, adapter.Created, adapter.Joined, adapter.Joined}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	f.until(t, "the broadcast of the hook arrives", func() bool { return other.Pushed() > 0 })
}

// testHookConcurrency replays what the hook was told: at each point it must be
// a possible history.
func testHookConcurrency(t testing.TB, f *fixture) {
	ad := f.adapters[0]
	var mu sync.Mutex
	var events []adapter.Event
	stop := ad.(adapter.Observable).Observe(func(e adapter.Event) {
		mu.Lock()
		defer mu.Unlock()
		events = append(events, e)
	})
	var wg sync.WaitGroup
	for w := range 6 {
		wg.Go(func() {
			for i := range 80 {
				s := NewSocket(fmt.Sprintf("%d-%d", w, i))
				room := fmt.Sprint("room", i%2)
				if err := ad.Join(s, room); err != nil {
					t.Errorf("Join: %v", err)
				}
				if i%3 == 0 {
					ad.Leave(s, room)
				}
				ad.Remove(s)
			}
		})
	}
	wg.Wait()
	// Whoever reported last may still be on its way out of the last call.
	f.until(t, "all events are reported", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(events) > 0 && slices.IndexFunc(events, func(e adapter.Event) bool { return e.Kind == adapter.Left }) >= 0 &&
			count(events, adapter.Left) == 6*80 && count(events, adapter.Created) == count(events, adapter.Deleted)
	})
	stop()
	members := map[string]map[string]bool{}
	before := map[string]adapter.EventKind{} // of the same room
	for i, e := range events {
		room, exists := members[e.Room]
		ok := exists
		switch e.Kind {
		case adapter.Created:
			ok = !exists
			members[e.Room] = map[string]bool{}
		case adapter.Joined:
			ok = exists && !room[e.SocketID] && (len(room) > 0 || before[e.Room] == adapter.Created)
			if ok {
				room[e.SocketID] = true
			}
		case adapter.Left:
			ok = exists && room[e.SocketID]
			delete(room, e.SocketID)
		case adapter.Deleted:
			ok = exists && len(room) == 0 && before[e.Room] == adapter.Left
			delete(members, e.Room)
		}
		if !ok {
			t.Fatalf("event %d, %v of %s in %s, can't follow what came before", i, e.Kind, e.SocketID, e.Room)
		}
		before[e.Room] = e.Kind
	}
	if len(members) != 0 {
		t.Errorf("%d rooms were never deleted", len(members))
	}
}

func count(events []adapter.Event, kind adapter.EventKind) (n int) {
	for _, e := range events {
		if e.Kind == kind {
			n++
		}
	}
	return n
}
