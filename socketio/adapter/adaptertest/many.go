package adaptertest

import (
	"errors"
	"iter"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siokit/siokit/socketio/adapter"
)

var manyChecks = []check{
	{name: "Fetch", needs: has[adapter.Fetcher], run: testFetch},
	{name: "JoinAll", needs: has[adapter.Mover], run: testJoinAll},
	{name: "LeaveAll", needs: has[adapter.Mover], run: testLeaveAll},
	{name: "DisconnectAll", needs: has[adapter.Mover], run: testDisconnectAll},
}

// info is a SocketInfo as a test compares it.
type info struct {
	ID              string
	Rooms           []string
	Local           bool
	Handshake, Data string
}

func collectSockets(seq iter.Seq2[adapter.SocketInfo, error]) (list []info, err error) {
	for s, e := range seq {
		if e != nil {
			err = errors.Join(err, e)
			continue
		}
		list = append(list, info{s.ID, slices.Sorted(slices.Values(s.Rooms)), s.Local != nil, string(s.Handshake), string(s.Data)})
	}
	slices.SortFunc(list, func(a, b info) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	return list, err
}

func (f *fixture) fetch(t testing.TB, from int, sel adapter.Selection) []info {
	t.Helper()
	list, err := collectSockets(f.adapters[from].(adapter.Fetcher).Fetch(f.soon(t), sel))
	if err != nil {
		t.Errorf("Fetch: %v", err)
	}
	return list
}

func testFetch(t testing.TB, f *fixture) {
	a := f.socket(t, 0, "a", "red")
	f.socket(t, 0, "b", "red", "blue")
	local := adapter.Selection{Rooms: []string{"red", "blue"}, Except: []string{"nobody"}, Flags: adapter.LocalOnly}
	want := []info{
		{ID: "a", Rooms: []string{"a", "red"}, Local: true},
		{ID: "b", Rooms: []string{"b", "blue", "red"}, Local: true},
	}
	if diff := cmp.Diff(want, f.fetch(t, 0, local)); diff != "" {
		t.Errorf("sockets in red or blue (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want[:1], f.fetch(t, 0, except(rooms(), "blue"))); diff != "" {
		t.Errorf("sockets not in blue (-want +got):\n%s", diff)
	}
	for s, err := range f.adapters[0].(adapter.Fetcher).Fetch(f.soon(t), rooms()) {
		if err != nil {
			t.Fatal(err)
		}
		f.adapters[0].Leave(s.Local, "red") // nothing is locked
		break
	}
	f.adapters[0].Remove(a.Socket)
	f.sockets = f.sockets[1:]
	if got := f.fetch(t, 0, rooms("a")); len(got) != 0 {
		t.Errorf("a removed socket was fetched: %v", got)
	}
}

func testJoinAll(t testing.TB, f *fixture) {
	a := f.socket(t, 0, "a", "red")
	b := f.socket(t, 0, "b", "red")
	c := f.socket(t, 0, "c")
	m := f.adapters[0].(adapter.Mover)
	if err := m.JoinAll(except(rooms("red"), "b"), "green", "blue"); err != nil {
		t.Errorf("JoinAll: %v", err)
	}
	f.emit(t, 0, rooms("green"), "to-green")
	if err := m.JoinAll(rooms(), "blue"); err != nil {
		t.Errorf("JoinAll: %v", err)
	}
	f.emit(t, 0, rooms("blue"), "to-blue")
	f.settle(t)
	a.got(t, "a was made to join green and blue", "to-green", "to-blue")
	b.got(t, "b was made to join blue", "to-blue")
	c.got(t, "c was made to join blue", "to-blue")
}

func testLeaveAll(t testing.TB, f *fixture) {
	a := f.socket(t, 0, "a", "red", "blue")
	b := f.socket(t, 0, "b", "red")
	m := f.adapters[0].(adapter.Mover)
	if err := m.LeaveAll(rooms("blue"), "red", "blue"); err != nil {
		t.Errorf("LeaveAll: %v", err)
	}
	f.emit(t, 0, rooms("red", "blue"), "x")
	f.settle(t)
	a.got(t, "a was made to leave red and blue")
	b.got(t, "b is in red", "x")
}

func testDisconnectAll(t testing.TB, f *fixture) {
	f.socket(t, 0, "a", "red")
	f.socket(t, 0, "b", "red", "blue")
	f.socket(t, 0, "c")
	m := f.adapters[0].(adapter.Mover)
	for sel, closeConn := range map[*adapter.Selection]bool{{Rooms: []string{"red"}, Except: []string{"blue"}}: true, {Rooms: []string{"c"}}: false} {
		if err := m.DisconnectAll(*sel, closeConn); err != nil {
			t.Errorf("DisconnectAll: %v", err)
		}
	}
	if diff := cmp.Diff([]Disconnection{{"a", true}, {"c", false}}, f.servers[0].Disconnected()); diff != "" {
		t.Errorf("disconnected sockets (-want +got):\n%s", diff)
	}
}
