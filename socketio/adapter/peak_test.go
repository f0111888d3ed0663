package adapter_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/siokit/siokit/socketio/adapter"
	"github.com/siokit/siokit/socketio/adapter/adaptertest"
)

func heap() int64 {
	runtime.GC()
	runtime.GC() // what a pool held is gone after the second
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// Maps and slices of Go keep the size of their peak; the index must not.
func TestPeakIsGivenBack(t *testing.T) {
	const many = 20_000
	a := adapter.MakeMemory(adaptertest.NewServer("/"))
	stay := adaptertest.NewSocket("stay")
	if err := a.Join(stay, "stay", "lobby"); err != nil {
		t.Fatal(err)
	}
	before := heap()
	sockets := make([]*adaptertest.Socket, many)
	for i := range sockets {
		sockets[i] = adaptertest.NewSocket(fmt.Sprint("socket", i))
		if err := a.Join(sockets[i], sockets[i].ID(), "lobby", fmt.Sprint("room", i)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range adapter.MaxRooms - 2 {
		if err := a.Join(stay, fmt.Sprint("stay", i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Broadcast(event(t, "x", "[]"), adapter.Selection{Rooms: []string{"lobby", "stay"}}); err != nil {
		t.Fatal(err)
	}
	peak := heap() - before
	for _, s := range sockets {
		a.Remove(s)
	}
	clear(sockets)
	for i := range adapter.MaxRooms - 2 {
		a.Leave(stay, fmt.Sprint("stay", i))
	}
	left := heap() - before
	t.Logf("peak %d KiB, left %d KiB", peak>>10, left>>10)
	if left > 512<<10 {
		t.Errorf("%d KiB are left of a peak of %d", left>>10, peak>>10)
	}
	if sockets, rooms := a.Len(); sockets != 1 || rooms != 2 {
		t.Errorf("%d sockets in %d rooms are left", sockets, rooms)
	}
	runtime.KeepAlive(a)
}

// A socket that is removed is not kept alive by the index or by pooled memory.
func TestRemovedSocketIsCollected(t *testing.T) {
	for name, new := range map[string]adapter.New{"memory": adapter.NewMemory, "recovery": adapter.NewRecovery(adapter.RecoveryConfig{})} {
		a, err := new(adaptertest.NewServer("/"))
		if err != nil {
			t.Fatal(err)
		}
		collected := make(chan string, 4)
		func() {
			var others []*adaptertest.Socket
			for i := range 4 {
				s := adaptertest.NewSocket(fmt.Sprint(i))
				runtime.AddCleanup(s, func(id string) { collected <- id }, s.ID())
				if err := a.Join(s, s.ID(), "red"); err != nil {
					t.Fatal(err)
				}
				others = append(others, s)
			}
			if err := a.Broadcast(event(t, "x", "[]"), adapter.Selection{Rooms: []string{"red", "2"}, Except: []string{"3", "1"}}); err != nil {
				t.Fatal(err)
			}
			a.Leave(others[1], "red")
			for _, s := range others {
				a.Remove(s)
			}
		}()
		for range 4 {
			runtime.GC()
			<-collected
		}
		if err := a.Close(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
