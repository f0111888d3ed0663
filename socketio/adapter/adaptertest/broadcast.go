package adaptertest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio/adapter"
)

var broadcastChecks = []check{
	{name: "PacketIntact", run: testPacketIntact},
	{name: "EncodedOnce", run: testEncodedOnce},
	{name: "Flags", run: testFlags},
	{name: "Order", run: testOrder},
	{name: "FlushUnlocked", run: testFlushUnlocked},
	{name: "InvalidPacket", run: testInvalidPacket},
	{name: "Concurrency", run: testConcurrency},
	{name: "NothingAfterLeave", run: testNothingAfterLeave},
}

// withoutOffset compares packets of adapters with and without recovery, which
// appends an argument of its own.
func (f *fixture) withoutOffset(t testing.TB, p Packet) Packet {
	t.Helper()
	if !has[adapter.SessionStore](f.adapters[0]) || p.HasID || p.Flags&adapter.Volatile != 0 {
		return p
	}
	args, err := sioparser.ParseArgs([]byte(p.Args), p.Attachments)
	if err != nil || args.Len() == 0 {
		t.Fatalf("arguments %s: no offset: %v", p.Args, err)
	}
	p.Args = string(args.Slice(0, args.Len()-1).AppendArray(nil))
	return p
}

func testPacketIntact(t testing.TB, f *fixture) {
	a := f.socket(t, 0, "a", "red")
	blob := []byte{0, 1, 2, 0xff}
	p := event(t, "näme \"q\"", `[1,"two",{"three":[{"_placeholder":true,"num":0},null]},9007199254740993]`, blob)
	p.Namespace = "/elsewhere" // the adapter's own namespace counts
	before := PacketOf(p)
	if err := f.adapters[0].Broadcast(p, rooms("red")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, PacketOf(p)); diff != "" {
		t.Errorf("Broadcast has changed the packet (-before +after):\n%s", diff)
	}
	scribble(p)
	f.settle(t)
	news := a.news()
	if len(news) != 1 {
		t.Fatalf("received %d packets, want 1", len(news))
	}
	want := before
	want.Namespace = f.servers[0].namespace
	if diff := cmp.Diff(want, f.withoutOffset(t, news[0])); diff != "" {
		t.Errorf("received packet (-want +got):\n%s", diff)
	}
}

func testEncodedOnce(t testing.TB, f *fixture) {
	for i := range 50 {
		f.socket(t, 0, fmt.Sprint("s", i), "red", "blue")
	}
	before := f.servers[0].Prepared()
	f.emit(t, 0, rooms("red", "blue"), "once")
	f.emit(t, 0, rooms(), "once")
	f.emit(t, 0, rooms("s1"), "once")
	f.until(t, "three broadcasts are there", func() bool { return len(f.sockets[1].Received()) == 3 })
	if n := f.servers[0].Prepared() - before; n != 3 {
		t.Errorf("three broadcasts were encoded %d times", n)
	}
}

func testFlags(t testing.TB, f *fixture) {
	a := f.socket(t, 0, "a")
	all := []adapter.Flags{0, adapter.Volatile, adapter.NoCompress, adapter.Volatile | adapter.NoCompress, adapter.LocalOnly}
	for _, flags := range all {
		f.emit(t, 0, adapter.Selection{Flags: flags}, "flags")
	}
	f.settle(t)
	var got []adapter.Flags
	for _, p := range a.news() {
		got = append(got, p.Flags)
	}
	all[len(all)-1] = 0
	if diff := cmp.Diff(all, got); diff != "" {
		t.Errorf("flags that reached the socket (-want +got):\n%s", diff)
	}
}

func testOrder(t testing.TB, f *fixture) {
	a := f.socket(t, 0, "a", "red")
	b := f.socket(t, 0, "b", "red", "blue")
	var wantA, wantB []string
	for i := range 300 {
		sel, name := rooms("red"), fmt.Sprint("n", i)
		switch i % 4 {
		case 1:
			sel = rooms()
		case 2:
			sel = rooms("b", "red")
		case 3:
			sel = rooms("blue")
		}
		f.emit(t, 0, sel, name)
		if i%4 != 3 {
			wantA = append(wantA, name)
		}
		wantB = append(wantB, name)
	}
	f.settle(t)
	a.got(t, "order of what one goroutine has sent", wantA...)
	b.got(t, "order of what one goroutine has sent", wantB...)
}

// testFlushUnlocked calls the adapter from where a server writes.
func testFlushUnlocked(t testing.TB, f *fixture) {
	var busy atomic.Bool
	other := NewSocket("other")
	sv := NewServer("/test")
	var a adapter.Adapter
	sv.OnFlush = func([]adapter.Socket) {
		if busy.Swap(true) {
			return
		}
		if err := a.Join(other, "other", "red"); err != nil {
			t.Errorf("Join: %v", err)
		}
		a.Leave(other, "red")
	}
	a, err := f.make(sv)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close(t.Context())
	if err := a.Join(NewSocket("a"), "a", "red"); err != nil {
		t.Fatal(err)
	}
	f.bounded(t, "a Broadcast whose Flush joins a room", func() {
		if err := a.Broadcast(event(t, "x", "[]"), rooms("red")); err != nil {
			t.Errorf("Broadcast: %v", err)
		}
	})
	f.until(t, "Flush is called", busy.Load)
}

func testInvalidPacket(t testing.TB, f *fixture) {
	a := f.socket(t, 0, "a")
	if err := f.adapters[0].Broadcast(event(t, "disconnect", "[]"), rooms()); err == nil {
		t.Error("a packet that can't be encoded was broadcast without an error")
	}
	f.emit(t, 0, rooms(), "next")
	f.settle(t)
	a.got(t, "after a packet that can't be encoded", "next")
}

// testConcurrency lets everything run at once; the race detector and the final
// state are the judges.
func testConcurrency(t testing.TB, f *fixture) {
	const workers, rounds = 8, 60
	ad := f.adapters[0]
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range rounds {
				s := NewSocket(fmt.Sprintf("%d-%d", w, i))
				own, shared, next := s.ID(), fmt.Sprint("room", i%3), fmt.Sprint("room", (i+w)%5)
				if err := ad.Join(s, own, shared); err != nil {
					t.Errorf("Join: %v", err)
				}
				if err := ad.Join(s, next); err != nil {
					t.Errorf("Join: %v", err)
				}
				p := event(t, "x", `[1]`)
				for _, sel := range []adapter.Selection{rooms(shared), rooms(), except(rooms(shared, next), own)} {
					if err := ad.Broadcast(p, sel); err != nil {
						t.Errorf("Broadcast: %v", err)
					}
				}
				ad.Leave(s, shared)
				if i%2 == 0 {
					wg.Go(func() { ad.Leave(s, next) }) // races with Remove
				}
				ad.Remove(s)
				if err := ad.Join(s, own); err == nil {
					t.Error("a join after Remove has succeeded")
				}
			}
		})
	}
	wg.Wait()
	last := f.socket(t, 0, "last")
	f.settle(t)
	f.adapters[0].Remove(last.Socket)
	f.sockets = nil
	if index, ok := ad.(adapter.Index); ok {
		if sockets, rooms := index.Len(); sockets != 0 || rooms != 0 {
			t.Errorf("%d sockets and %d rooms are left", sockets, rooms)
		}
	}
	a := f.socket(t, 0, "a", "room0")
	f.emit(t, 0, rooms("room0"), "after")
	f.settle(t)
	a.got(t, "after the storm", "after")
}

// testNothingAfterLeave has broadcasts in flight while sockets leave.
func testNothingAfterLeave(t testing.TB, f *fixture) {
	ad := f.adapters[0]
	stop := make(chan struct{})
	var wg sync.WaitGroup
	defer wg.Wait()
	defer close(stop)
	for range 2 {
		wg.Go(func() {
			p := event(t, "x", `[1]`)
			for {
				select {
				case <-stop:
					return
				default:
				}
				if err := ad.Broadcast(p, rooms("red", "blue")); err != nil {
					t.Errorf("Broadcast: %v", err)
					return
				}
			}
		})
	}
	for i := range 200 {
		s := NewSocket(fmt.Sprint("s", i))
		if err := ad.Join(s, s.ID(), "red", "blue"); err != nil {
			t.Fatal(err)
		}
		if i%2 == 0 {
			ad.Leave(s, "red", "blue")
		} else {
			ad.Remove(s)
		}
		before := s.Pushed()
		// Two more broadcasts of ours begin and end after the leave.
		p := event(t, "x", `[1]`)
		for range 2 {
			if err := ad.Broadcast(p, rooms("red", "blue")); err != nil {
				t.Fatal(err)
			}
		}
		if after := s.Pushed(); after != before {
			t.Fatalf("%d packets were queued after the socket had left", after-before)
		}
		ad.Remove(s)
	}
}
