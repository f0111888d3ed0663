package adapter_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/siokit/siokit/socketio/adapter"
	"github.com/siokit/siokit/socketio/adapter/adaptertest"
)

// Seed row S77: what is broadcast through a parent namespace goes to its
// children, each in its own name.
func TestParentReachesItsChildren(t *testing.T) {
	var children []adapter.Adapter
	var sockets []*adaptertest.Socket
	for _, nsp := range []string{"/news-1", "/news-2"} {
		a := adapter.MakeMemory(adaptertest.NewServer(nsp))
		s := adaptertest.NewSocket("in" + nsp)
		if err := a.Join(s, s.ID(), "red"); err != nil {
			t.Fatal(err)
		}
		children, sockets = append(children, a), append(sockets, s)
	}
	p := adapter.NewParent(slices.Values(children))
	red := adapter.Selection{Rooms: []string{"red"}}
	if err := p.Broadcast(event(t, "x", "[]"), red); err != nil {
		t.Error(err)
	}
	if err := p.JoinAll(red, "blue"); err != nil {
		t.Error(err)
	}
	if err := p.LeaveAll(adapter.Selection{Rooms: []string{"blue"}}, "red"); err != nil {
		t.Error(err)
	}
	if err := p.Broadcast(event(t, "nobody", "[]"), red); err != nil {
		t.Error(err)
	}
	if err := p.DisconnectAll(adapter.Selection{}, true); err != nil {
		t.Error(err)
	}
	for i, s := range sockets {
		got := s.Received()
		if len(got) != 1 || got[0].Name != "x" || got[0].Namespace != []string{"/news-1", "/news-2"}[i] {
			t.Errorf("%s has received %+v", s.ID(), got)
		}
		if !s.Membership().In("blue") || s.Membership().In("red") {
			t.Errorf("%s is in %q", s.ID(), s.Membership().Rooms())
		}
	}
	if err := p.Broadcast(event(t, "disconnect", "[]"), red); err != nil {
		t.Errorf("nobody is in red any more, so nothing is encoded: %v", err)
	}
	if err := p.Broadcast(event(t, "disconnect", "[]"), adapter.Selection{}); err == nil {
		t.Error("the children's errors are lost")
	}
	if err := p.Join(adaptertest.NewSocket("s"), "red"); !errors.Is(err, adapter.ErrParent) {
		t.Errorf("Join: %v", err)
	}
	p.Leave(sockets[0], "blue")
	if left := p.Remove(sockets[0]); left != nil {
		t.Errorf("Remove: %q", left)
	}
	if err := p.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if err := children[0].Join(sockets[0], "green"); err != nil {
		t.Errorf("the children are still open: %v", err)
	}
}
