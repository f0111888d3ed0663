package adaptertest

import (
	"errors"
	"testing"

	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio/adapter"
)

var lifeChecks = []check{
	{name: "Close", run: testClose},
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
