package adaptertest

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siokit/siokit/socketio/adapter"
)

var roomChecks = []check{
	{name: "RoomMembers", run: testRoomMembers},
	{name: "Except", run: testExcept},
	{name: "OncePerSocket", run: testOncePerSocket},
	{name: "LeaveEndsDelivery", run: testLeaveEndsDelivery},
	{name: "RemoveEndsDelivery", run: testRemoveEndsDelivery},
	{name: "JoinAfterRemove", run: testJoinAfterRemove},
	{name: "RoomLimit", run: testRoomLimit},
	{name: "OddRoomNames", run: testOddRoomNames},
	{name: "Index", needs: has[adapter.Index], run: testIndex},
}

func testRoomMembers(t testing.TB, f *fixture) {
	a := f.socket(t, 0, "a", "red")
	b := f.socket(t, 0, "b", "red", "blue")
	c := f.socket(t, 0, "c")
	f.join(t, c, "blue")
	f.join(t, c, "blue") // again

	f.emit(t, 0, rooms("red"), "to-red")
	f.emit(t, 0, rooms("blue"), "to-blue")
	f.emit(t, 0, rooms("c"), "to-own-room")
	f.emit(t, 0, rooms("nobody"), "to-nobody")
	f.emit(t, 0, rooms(), "to-everyone")
	f.settle(t)
	a.got(t, "a is in red", "to-red", "to-everyone")
	b.got(t, "b is in red and blue", "to-red", "to-blue", "to-everyone")
	c.got(t, "c is in blue", "to-blue", "to-own-room", "to-everyone")
}

func testExcept(t testing.TB, f *fixture) {
	a := f.socket(t, 0, "a", "red", "small")
	b := f.socket(t, 0, "b", "red", "blue")
	c := f.socket(t, 0, "c", "blue")

	f.emit(t, 0, except(rooms(), "a"), "not-a")
	f.emit(t, 0, except(rooms("red"), "a"), "red-not-a")
	f.emit(t, 0, except(rooms("red", "blue"), "small", "c"), "not-small-not-c")
	f.emit(t, 0, except(rooms(), "red"), "not-red")
	f.emit(t, 0, except(rooms("red"), "red"), "none")
	f.emit(t, 0, except(rooms("blue"), "nobody"), "blue")
	f.emit(t, 0, except(rooms(), "a", "b"), "neither")
	f.settle(t)
	a.got(t, "a is in red and small")
	b.got(t, "b is in red and blue", "not-a", "red-not-a", "not-small-not-c", "blue")
	c.got(t, "c is in blue", "not-a", "not-red", "blue", "neither")
}

func testOncePerSocket(t testing.TB, f *fixture) {
	var many []string
	for i := range 40 {
		many = append(many, fmt.Sprint("room", i))
	}
	a := f.socket(t, 0, "a", many...)
	b := f.socket(t, 0, "b", many[:20]...)
	f.emit(t, 0, rooms(many...), "once")
	f.emit(t, 0, rooms("room3", "room3"), "named-twice")
	f.emit(t, 0, except(rooms("room3", "room30"), "room3"), "room3-wins")
	f.emit(t, 0, except(rooms("room30", "room4"), "b", "b"), "b-twice-excepted")
	f.settle(t)
	a.got(t, "a is in all rooms", "once", "named-twice", "b-twice-excepted")
	b.got(t, "b is in half of the rooms", "once", "named-twice")
}

func testLeaveEndsDelivery(t testing.TB, f *fixture) {
	a := f.socket(t, 0, "a", "red", "blue")
	b := f.socket(t, 0, "b", "red")
	f.adapters[0].Leave(a.Socket, "red", "never-joined", "red")
	f.emit(t, 0, rooms("red"), "to-red")
	f.emit(t, 0, rooms("red", "blue"), "to-both")
	f.settle(t)
	a.got(t, "a has left red", "to-both")
	b.got(t, "b is in red", "to-red", "to-both")

	f.join(t, a, "red")
	f.adapters[0].Leave(a.Socket, "a")
	f.emit(t, 0, rooms("red"), "again")
	f.emit(t, 0, rooms("a"), "own-room")
	f.settle(t)
	a.got(t, "a has come back, and left its own room", "again")
}

func testRemoveEndsDelivery(t testing.TB, f *fixture) {
	a := f.socket(t, 0, "a", "red", "blue")
	b := f.socket(t, 0, "b", "red")
	left := f.adapters[0].Remove(a.Socket)
	slices.Sort(left)
	if diff := cmp.Diff([]string{"a", "blue", "red"}, left); diff != "" {
		t.Errorf("rooms that Remove returned (-want +got):\n%s", diff)
	}
	if again := f.adapters[0].Remove(a.Socket); again != nil {
		t.Errorf("the second Remove returned %q, want nil", again)
	}
	f.sockets = f.sockets[1:]
	before := a.Pushed()
	f.emit(t, 0, rooms("red"), "to-red")
	f.emit(t, 0, rooms(), "to-everyone")
	f.emit(t, 0, rooms("a"), "own-room")
	f.settle(t)
	a.got(t, "a was removed")
	b.got(t, "b is in red", "to-red", "to-everyone")
	if n := a.Pushed() - before; n != 0 {
		t.Errorf("%d packets were queued on a removed socket", n)
	}

	// Its successor has the same id, as after a recovery.
	next := f.socket(t, 0, "a", "blue")
	f.emit(t, 0, rooms("a", "blue"), "to-successor")
	f.settle(t)
	a.got(t, "a was removed")
	next.got(t, "the next socket with the id a", "to-successor")
}

func testJoinAfterRemove(t testing.TB, f *fixture) {
	a := f.socket(t, 0, "a", "red")
	b := f.socket(t, 0, "b", "red")
	never := &placed{Socket: NewSocket("never")}
	f.adapters[0].Remove(a.Socket)
	f.adapters[0].Remove(never.Socket)
	f.sockets = f.sockets[1:]
	for _, s := range []*placed{a, never} {
		if err := f.adapters[0].Join(s.Socket, s.id, "red"); !errors.Is(err, adapter.ErrRemoved) {
			t.Errorf("Join of %s after Remove: %v, want ErrRemoved", s.id, err)
		}
		f.adapters[0].Leave(s.Socket, "red")
	}
	f.emit(t, 0, rooms("red"), "to-red")
	f.emit(t, 0, rooms("a", "never"), "own-room")
	f.settle(t)
	a.got(t, "a was removed")
	never.got(t, "never was removed before it had joined")
	b.got(t, "b is in red", "to-red")
}

func testRoomLimit(t testing.TB, f *fixture) {
	a := f.socket(t, 0, "a")
	many := make([]string, adapter.MaxRooms-1)
	for i := range many {
		many[i] = fmt.Sprint("r", i)
	}
	f.join(t, a, many...)
	f.join(t, a, many[0], many[1], "a") // in them already
	if err := f.adapters[0].Join(a.Socket, many[2], "one-more"); !errors.Is(err, adapter.ErrTooManyRooms) {
		t.Errorf("Join of room %d: %v, want ErrTooManyRooms", adapter.MaxRooms+1, err)
	}
	f.emit(t, 0, rooms("one-more"), "one-more")
	f.settle(t)
	f.adapters[0].Leave(a.Socket, many[0])
	f.join(t, a, "one-more")
	f.emit(t, 0, rooms("one-more"), "room-for-it")
	f.emit(t, 0, rooms(many[0]), "left")
	f.settle(t)
	a.got(t, "a is in as many rooms as it can be", "room-for-it")
}

func testOddRoomNames(t testing.TB, f *fixture) {
	for i, name := range []string{"", "#", "a#b", "/test#", "日本", "with space", "\x1f", `"quoted"`, "a\nb"} {
		s := f.socket(t, 0, fmt.Sprint("s", i), name)
		f.emit(t, 0, rooms(name), "odd")
		f.settle(t)
		s.got(t, fmt.Sprintf("room %q", name), "odd")
		f.adapters[0].Leave(s.Socket, name)
	}
}

func testIndex(t testing.TB, f *fixture) {
	index := f.adapters[0].(adapter.Index)
	a := f.socket(t, 0, "a", "red", "blue")
	b := f.socket(t, 0, "b", "red")

	list := func() []string { return slices.Sorted(index.Rooms()) }
	if diff := cmp.Diff([]string{"a", "b", "blue", "red"}, list()); diff != "" {
		t.Errorf("Rooms (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"a", "red", "blue"}, index.SocketRooms("a")); diff != "" {
		t.Errorf("SocketRooms of a (-want +got):\n%s", diff)
	}
	if got := index.SocketRooms("nobody"); got != nil {
		t.Errorf("SocketRooms of nobody: %q", got)
	}
	ids := func(sel adapter.Selection) []string {
		var list []string
		for _, s := range index.Sockets(sel) {
			list = append(list, s.ID())
		}
		slices.Sort(list)
		return list
	}
	if diff := cmp.Diff([]string{"a", "b"}, ids(rooms("red", "blue"))); diff != "" {
		t.Errorf("Sockets in red or blue (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"b"}, ids(except(rooms(), "blue"))); diff != "" {
		t.Errorf("Sockets not in blue (-want +got):\n%s", diff)
	}
	if sockets, rooms := index.Len(); sockets != 2 || rooms != 4 {
		t.Errorf("Len = %d sockets, %d rooms, want 2 and 4", sockets, rooms)
	}
	for range index.Rooms() {
		f.join(t, b, "while-walking") // nothing is locked
		break
	}
	f.adapters[0].Leave(b.Socket, "while-walking")
	f.adapters[0].Remove(a.Socket)
	if diff := cmp.Diff([]string{"b", "red"}, list()); diff != "" {
		t.Errorf("Rooms after a has gone (-want +got):\n%s", diff)
	}
	f.adapters[0].Remove(b.Socket)
	if sockets, rooms := index.Len(); sockets != 0 || rooms != 0 {
		t.Errorf("Len = %d sockets, %d rooms after all have gone", sockets, rooms)
	}
	f.sockets = nil
}
