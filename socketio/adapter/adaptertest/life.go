package adaptertest

import (
	"errors"
	"runtime"
	"testing"
	"weak"

	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio/adapter"
)

var lifeChecks = []check{
	{name: "Close", run: testClose},
	{name: "CloseLetsGo", run: testCloseLetsGo},
	{name: "AloneAfterAll", servers: 1, needs: has[adapter.ServerEmitter], run: testServerEmitNobody},
}

func testClose(t testing.TB, f *fixture) {
	ad := f.adapters[0]
	a := f.socket(t, 0, "a", "red")
	f.sockets = nil
	for range 2 {
		if err := ad.Close(f.soon(t)); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	if err := ad.Join(NewSocket("late"), "late"); !errors.Is(err, adapter.ErrClosed) {
		t.Errorf("Join after Close: %v, want ErrClosed", err)
	}
	f.bounded(t, "Broadcast after Close", func() { _ = ad.Broadcast(event(t, "x", "[]"), rooms()) })
	ad.Leave(a.Socket, "red")
	if left := ad.Remove(a.Socket); len(left) != 1 || left[0] != "a" {
		t.Errorf("Remove after Close returned %q, want its own room", left)
	}
}

// testCloseLetsGo looks for what still holds a server whose adapter is closed: a
// subscription to the bus that was not ended, a timer, an entry in a table.
func testCloseLetsGo(t testing.TB, f *fixture) {
	left := f.leaver(t)
	f.until(t, "nothing holds a server whose adapter is closed (was its subscription ended?)", func() bool {
		runtime.GC()
		return left.Value() == nil
	})
}

// leaver is a server that has come and gone.
//
//go:noinline
func (f *fixture) leaver(t testing.TB) weak.Pointer[Server] {
	t.Helper()
	sv := NewServer("/test")
	a, err := f.make(sv)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	if f.cluster.Servers > 1 {
		f.converge(t, len(f.servers)+1)
	}
	if err := a.Join(NewSocket("leaver"), "leaver", "red"); err != nil {
		t.Errorf("Join: %v", err)
	}
	if err := a.Close(f.soon(t)); err != nil {
		t.Errorf("Close: %v", err)
	}
	f.converge(t, len(f.servers))
	return weak.Make(sv)
}

// testServerEmitNobody asks servers of a namespace that exists only here.
func testServerEmitNobody(t testing.TB, f *fixture) {
	alone := f.addServer(t, "/alone")
	em := f.adapters[alone].(adapter.ServerEmitter)
	if err := em.ServerEmit(event(t, "hello", "[]")); err != nil {
		t.Errorf("ServerEmit: %v", err)
	}
	for r, err := range em.ServerEmitAck(f.soon(t), &sioparser.Packet{Name: []byte("hello")}) {
		t.Errorf("nobody is there, and it yields %v, %v", r, err)
	}
	if n := len(f.servers[alone].Events()); n != 0 {
		t.Errorf("a server has received %d of its own events", n)
	}
}
