package adaptertest

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio/adapter"
)

var sessionChecks = []check{
	{name: "RecoverMissed", needs: has[adapter.SessionStore], run: testRecoverMissed},
	{name: "RecoverLostOnTheWay", needs: has[adapter.SessionStore], run: testRecoverLostOnTheWay},
	{name: "RecoverNothingMissed", needs: has[adapter.SessionStore], run: testRecoverNothingMissed},
	{name: "RecoverSingleUse", needs: has[adapter.SessionStore], run: testRecoverSingleUse},
	{name: "RecoverBadOffset", needs: has[adapter.SessionStore], run: testRecoverBadOffset},
	{name: "RecoverTwice", needs: has[adapter.SessionStore], run: testRecoverTwice},
	{name: "RecoverRoomsOfThen", needs: has[adapter.SessionStore], run: testRecoverRoomsOfThen},
	{name: "PersistAfterRemove", needs: has[adapter.SessionStore], run: testPersistAfterRemove},
	{name: "RecoverUnderLoad", needs: has[adapter.SessionStore], run: testRecoverUnderLoad},
}

// offset is what the client of s would present after it has seen n packets (all
// if n < 0): the last string argument of the newest event among them.
func (s *placed) offset(t testing.TB, n int) string {
	t.Helper()
	list := s.Received()
	if n >= 0 {
		list = list[:n]
	}
	for i := len(list) - 1; i >= 0; i-- {
		args, err := sioparser.ParseArgs([]byte(list[i].Args), list[i].Attachments)
		if err != nil {
			t.Fatal(err)
		}
		if list[i].HasID || list[i].Flags&adapter.Volatile != 0 || args.Len() == 0 {
			continue
		}
		var offset string
		if err := json.Unmarshal(args.Slice(args.Len()-1, args.Len()).Raw(), &offset); err != nil {
			t.Fatalf("the last argument of %s is no offset: %s", list[i].Name, list[i].Args)
		}
		return offset
	}
	return ""
}

// has reports whether s has received an event of this name.
func (s *placed) has(name string) bool {
	return slices.ContainsFunc(s.Received(), func(p Packet) bool { return p.Name == name })
}

func (f *fixture) store(s *placed) adapter.SessionStore {
	return f.adapters[s.on].(adapter.SessionStore)
}

// drop disconnects s so that it can be recovered.
func (f *fixture) drop(t testing.TB, s *placed) {
	t.Helper()
	session := adapter.Session{SocketID: s.id, PrivateID: "p-" + s.id, Data: []byte(`{"of":"` + s.id + `"}`)}
	if _, err := f.store(s).Persist(s.Socket, session); err != nil {
		t.Fatalf("Persist of %s: %v", s.id, err)
	}
	for i, x := range f.sockets {
		if x == s {
			f.sockets = append(f.sockets[:i:i], f.sockets[i+1:]...)
		}
	}
}

func (f *fixture) take(t testing.TB, s *placed, offset string) (*adapter.Session, error) {
	t.Helper()
	return f.store(s).Take(f.soon(t), "p-"+s.id, offset)
}

// recover brings s back with what it missed after offset.
func (f *fixture) recover(t testing.TB, s *placed, offset string) *placed {
	t.Helper()
	session, err := f.take(t, s, offset)
	if err != nil {
		t.Fatalf("Take of %s with offset %q: %v", s.id, offset, err)
	}
	if session.SocketID != s.id || string(session.Data) != `{"of":"`+s.id+`"}` {
		t.Errorf("session of %s: id %s, data %s", s.id, session.SocketID, session.Data)
	}
	next := &placed{Socket: NewSocket(session.SocketID), on: s.on}
	if err := f.store(s).Resume(f.soon(t), next.Socket, session); err != nil {
		t.Fatalf("Resume of %s: %v", s.id, err)
	}
	next.Flush()
	f.sockets = append(f.sockets, next)
	return next
}

func testRecoverMissed(t testing.TB, f *fixture) {
	a := f.socket(t, 0, "a", "red", "green")
	b := f.socket(t, 0, "b", "red")
	f.emit(t, 0, rooms("red"), "before")
	f.settle(t)
	before := len(a.Received())
	f.drop(t, a)
	f.emit(t, 0, rooms("red"), "m1", "1", `"two"`)
	f.emit(t, 0, rooms("blue"), "not-in-blue")
	f.emit(t, 0, rooms(), "m2")
	f.emit(t, 0, except(rooms(), "red"), "not-red")
	f.emit(t, 0, rooms("a"), "m3")
	f.emit(t, 0, rooms("blue", "green"), "m4")
	f.emit(t, 0, except(rooms("red"), "b"), "m5")
	f.emit(t, 0, adapter.Selection{Rooms: []string{"red"}, Flags: adapter.Volatile}, "volatile")
	withID := event(t, "with-id", "[]")
	withID.ID, withID.HasID = 7, true
	if err := f.adapters[0].Broadcast(withID, rooms("red")); err != nil {
		t.Error(err)
	}
	blob := event(t, "m6", `[{"_placeholder":true,"num":0}]`, []byte{1, 2})
	if err := f.adapters[0].Broadcast(blob, rooms("green")); err != nil {
		t.Error(err)
	}
	if err := f.store(a).Send(b.Socket, event(t, "only-b", "[]"), 0); err != nil {
		t.Error(err)
	}
	b.Flush()
	f.until(t, "only-b", func() bool { return b.has("only-b") })

	next := f.recover(t, a, a.offset(t, -1))
	missed := next.news()
	var names []string
	for _, p := range missed {
		names = append(names, p.Name)
	}
	if diff := cmp.Diff([]string{"m1", "m2", "m3", "m4", "m5", "m6"}, names); diff != "" {
		t.Fatalf("replayed packets (-want +got):\n%s", diff)
	}
	if p := f.withoutOffset(t, missed[0]); p.Args != `[1,"two"]` {
		t.Errorf("arguments of m1: %s", p.Args)
	}
	if diff := cmp.Diff([][]byte{{1, 2}}, missed[5].Attachments); diff != "" {
		t.Errorf("attachments of m6 (-want +got):\n%s", diff)
	}
	f.emit(t, 0, rooms("green"), "live")
	f.emit(t, 0, rooms("a"), "own-room")
	f.emit(t, 0, rooms("blue"), "not-in-blue")
	f.settle(t)
	next.got(t, "its rooms are restored", "live", "own-room")
	b.got(t, "b was there all the time", "before", "m1", "m2", "volatile", "with-id", "only-b")
	if n := len(a.Received()); n != before {
		t.Errorf("the old socket has got %d more packets", n-before)
	}
}

// The client has not received what was sent to it last.
func testRecoverLostOnTheWay(t testing.TB, f *fixture) {
	a := f.socket(t, 0, "a", "red")
	var want []string
	for i := range 10 {
		f.emit(t, 0, rooms("red"), fmt.Sprint("n", i))
		if i == 5 {
			if err := f.store(a).Send(a.Socket, event(t, "direct", "[]"), 0); err != nil {
				t.Error(err)
			}
			a.Flush()
			want = append(want, "direct")
		}
		if i > 3 {
			want = append(want, fmt.Sprint("n", i))
		}
	}
	want[0], want[1], want[2] = "n4", "n5", "direct"
	f.until(t, "a has all packets", func() bool { return len(a.Received()) == 11 })
	f.drop(t, a)
	next := f.recover(t, a, a.offset(t, 4))
	next.got(t, "it had seen n0 to n3", want...)
}

func testRecoverNothingMissed(t testing.TB, f *fixture) {
	a := f.socket(t, 0, "a", "red")
	silent := f.socket(t, 0, "silent")
	f.emit(t, 0, rooms("red"), "x")
	f.until(t, "a has it", func() bool { return len(a.Received()) == 1 })
	f.drop(t, a)
	f.drop(t, silent)
	f.emit(t, 0, rooms("blue"), "for others")
	a = f.recover(t, a, a.offset(t, -1))
	a.got(t, "it has missed nothing")
	// It never got a packet with an offset, so it has none to present.
	silent = f.recover(t, silent, "")
	silent.got(t, "it has missed nothing")
	f.emit(t, 0, rooms("red", "silent"), "live")
	f.settle(t)
	a.got(t, "it is back", "live")
	silent.got(t, "it is back", "live")
}

func testRecoverSingleUse(t testing.TB, f *fixture) {
	a := f.socket(t, 0, "a", "red")
	f.emit(t, 0, rooms("red"), "x")
	f.settle(t)
	f.drop(t, a)
	offset := a.offset(t, -1)
	if _, err := f.store(a).Take(f.soon(t), "p-unknown", offset); !errors.Is(err, adapter.ErrUnrecoverable) {
		t.Errorf("Take of an unknown session: %v, want ErrUnrecoverable", err)
	}
	if _, err := f.take(t, a, offset); err != nil {
		t.Errorf("the first Take: %v", err)
	}
	if _, err := f.take(t, a, offset); !errors.Is(err, adapter.ErrUnrecoverable) {
		t.Errorf("the second Take: %v, want ErrUnrecoverable", err)
	}
}

func testRecoverBadOffset(t testing.TB, f *fixture) {
	for i, bad := range []string{"", "x", "hello world", "\x00", "%s0", "+%s", "%s~", "99999999999999999999999"} {
		a := f.socket(t, 0, fmt.Sprint("a", i), "red")
		f.emit(t, 0, rooms("red"), "x")
		f.until(t, "a has it", func() bool { return len(a.Received()) == 1 })
		f.drop(t, a)
		if len(bad) > 1 && (bad[0] == '%' || bad[1] == '%') {
			bad = fmt.Sprintf(bad, a.offset(t, -1))
		}
		if _, err := f.take(t, a, bad); !errors.Is(err, adapter.ErrUnrecoverable) {
			t.Errorf("Take with offset %q: %v, want ErrUnrecoverable", bad, err)
		}
		if _, err := f.take(t, a, a.offset(t, -1)); !errors.Is(err, adapter.ErrUnrecoverable) {
			t.Errorf("Take after a Take with offset %q: %v, want ErrUnrecoverable", bad, err)
		}
	}
}

// The client is cut off again before it has received the replay.
func testRecoverTwice(t testing.TB, f *fixture) {
	a := f.socket(t, 0, "a", "red")
	f.emit(t, 0, rooms("red"), "x")
	f.until(t, "a has it", func() bool { return len(a.Received()) == 1 })
	offset := a.offset(t, -1)
	f.drop(t, a)
	witness := f.socket(t, 0, "witness", "red")
	f.emit(t, 0, rooms("red"), "m1")
	f.until(t, "m1 is sent", func() bool { return witness.has("m1") })
	a = f.recover(t, a, offset)
	a.got(t, "first recovery", "m1")
	f.emit(t, 0, rooms("red"), "m2")
	f.until(t, "a has it", func() bool { return len(a.Received()) == 2 })
	a.got(t, "live again", "m2")
	f.drop(t, a)
	f.emit(t, 0, rooms("red"), "m3")
	f.until(t, "m3 is sent", func() bool { return witness.has("m3") })
	a = f.recover(t, a, offset)
	a.got(t, "second recovery with the same offset", "m1", "m2", "m3")
	offset = a.offset(t, 2)
	f.drop(t, a)
	a = f.recover(t, a, offset)
	a.got(t, "third recovery, m2 was seen", "m3")
}

// What a socket has missed is decided by the rooms it was in at that time.
func testRecoverRoomsOfThen(t testing.TB, f *fixture) {
	a := f.socket(t, 0, "a", "red")
	witness := f.socket(t, 0, "witness", "red", "blue")
	emit := func(sel adapter.Selection, name string) { // and wait until it is sent
		n := len(witness.Received())
		f.emit(t, 0, sel, name)
		f.emit(t, 0, rooms("witness"), "next")
		f.until(t, name+" is sent", func() bool { p := witness.Received(); return len(p) > n && p[len(p)-1].Name == "next" })
	}
	emit(rooms("red"), "seen")
	f.until(t, "a has it", func() bool { return len(a.Received()) == 1 })
	offset := a.offset(t, -1)
	emit(rooms("red"), "in-red")
	emit(rooms("blue"), "not-yet-in-blue")
	emit(except(rooms(), "blue"), "not-blue")
	f.join(t, a, "blue")
	emit(except(rooms(), "blue"), "excepted")
	emit(rooms("blue"), "in-blue")
	f.adapters[0].Leave(a.Socket, "red")
	emit(rooms("red"), "left-red")
	f.join(t, a, "red")
	emit(rooms("red"), "in-red-again")
	f.adapters[0].Leave(a.Socket, "red")
	f.until(t, "a has it all", func() bool { return len(a.Received()) == 5 })
	f.drop(t, a)
	emit(rooms("red"), "left-red")
	emit(rooms("blue"), "still-blue")
	want := []string{"in-red", "not-blue", "in-blue", "in-red-again", "still-blue"}
	a = f.recover(t, a, offset)
	a.got(t, "first recovery", want...)
	f.drop(t, a)
	a = f.recover(t, a, offset)
	a.got(t, "second recovery", want...)
}

func testPersistAfterRemove(t testing.TB, f *fixture) {
	a := f.socket(t, 0, "a", "red")
	b := f.socket(t, 0, "b", "red")
	f.sockets = nil
	f.adapters[0].Remove(a.Socket)
	session := adapter.Session{SocketID: "a", PrivateID: "p-a"}
	if _, err := f.store(a).Persist(a.Socket, session); !errors.Is(err, adapter.ErrRemoved) {
		t.Errorf("Persist after Remove: %v, want ErrRemoved", err)
	}
	if _, err := f.take(t, a, ""); !errors.Is(err, adapter.ErrUnrecoverable) {
		t.Errorf("Take of a session that was not stored: %v, want ErrUnrecoverable", err)
	}
	f.drop(t, b)
	if left := f.adapters[0].Remove(b.Socket); left != nil {
		t.Errorf("Remove after Persist returned %q", left)
	}
	if err := f.adapters[0].Join(b.Socket, "red"); !errors.Is(err, adapter.ErrRemoved) {
		t.Errorf("Join after Persist: %v, want ErrRemoved", err)
	}
}

// testRecoverUnderLoad cuts a client off again and again, each time with a part
// of what it was sent on the way, while others go on broadcasting.
func testRecoverUnderLoad(t testing.TB, f *fixture) {
	const packets, cuts = 1500, 30
	a := f.socket(t, 0, "a", "red")
	f.sockets = nil
	done := make(chan struct{})
	go func() { // ends by itself; the test waits for it
		defer close(done)
		for i := range packets {
			sel := rooms("red")
			switch i % 3 {
			case 1:
				sel = rooms("noise")
			case 2:
				sel = rooms("a", "noise")
			}
			f.emit(t, 0, sel, fmt.Sprint("n", i))
		}
	}()
	var want, got []string
	for i := range packets {
		if i%3 != 1 {
			want = append(want, fmt.Sprint("n", i))
		}
	}
	accept := func(n int) {
		for _, p := range a.Received()[:n] {
			got = append(got, p.Name)
		}
	}
	last := ""
	for i := range cuts {
		f.until(t, "some packets", func() bool { return len(a.Received()) > i%7 || len(got)+len(a.Received()) >= len(want) })
		f.drop(t, a)
		a.Flush()
		n := len(a.Received()) * (i % 4) / 3
		if last == "" {
			n = max(n, 1) // without any offset it would not be known
		}
		accept(n)
		if o := a.offset(t, n); o != "" {
			last = o
		}
		a = f.recover(t, a, last)
		f.sockets = nil
	}
	<-done
	f.until(t, "the rest", func() bool { return len(got)+len(a.Received()) >= len(want) })
	accept(len(a.Received()))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what the client has seen (-want +got):\n%s", diff)
	}
}
