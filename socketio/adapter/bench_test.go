package adapter_test

import (
	"fmt"
	"testing"

	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio/adapter"
)

// nullServer and nullSocket cost nothing, so that what is measured is the index.
type nullServer struct{ adapter.Local }

var prepared = adapter.Delivery(new(int))

func (nullServer) Namespace() string { return "/" }
func (nullServer) Prepare(*sioparser.Packet, adapter.Flags) (adapter.Delivery, error) {
	return prepared, nil
}
func (nullServer) Flush([]adapter.Socket) {}

type nullSocket struct {
	id         string
	membership adapter.Membership
	pushed     int
}

func (s *nullSocket) ID() string                      { return s.id }
func (s *nullSocket) Membership() *adapter.Membership { return &s.membership }
func (s *nullSocket) Push(adapter.Delivery)           { s.pushed++ }

func filled(b *testing.B, new adapter.New, sockets, rooms int) (adapter.Adapter, []*nullSocket) {
	b.Helper()
	a, err := new(nullServer{})
	if err != nil {
		b.Fatal(err)
	}
	list := make([]*nullSocket, sockets)
	for i := range list {
		list[i] = &nullSocket{id: fmt.Sprint("socket", i)}
		if err := a.Join(list[i], list[i].id, fmt.Sprint("room", i%rooms)); err != nil {
			b.Fatal(err)
		}
	}
	b.Cleanup(func() { _ = a.Close(b.Context()) })
	return a, list
}

func BenchmarkJoinLeave(b *testing.B) {
	a, list := filled(b, adapter.NewMemory, 1000, 10)
	b.ReportAllocs()
	for i := range b.N {
		s := list[i%len(list)]
		if err := a.Join(s, "shared"); err != nil {
			b.Fatal(err)
		}
		a.Leave(s, "shared")
	}
}

func BenchmarkConnectDisconnect(b *testing.B) {
	a, _ := filled(b, adapter.NewMemory, 1000, 10)
	b.ReportAllocs()
	for b.Loop() {
		s := &nullSocket{id: "fresh"}
		if err := a.Join(s, "fresh"); err != nil {
			b.Fatal(err)
		}
		a.Remove(s)
	}
}

func BenchmarkBroadcast(b *testing.B) {
	const sockets = 10_000
	packet := &sioparser.Packet{Type: sioparser.Event, Name: []byte("x")}
	for _, bc := range []struct {
		name  string
		rooms int
		sel   adapter.Selection
	}{
		{"nobody", 1, adapter.Selection{Rooms: []string{"none"}}},
		{"1", 1, adapter.Selection{Rooms: []string{"socket7"}}},
		{"100", 100, adapter.Selection{Rooms: []string{"room7"}}},
		{"100-but-one", 100, adapter.Selection{Rooms: []string{"room7"}, Except: []string{"socket7"}}},
		{"two-of-100", 100, adapter.Selection{Rooms: []string{"room7", "room8"}}},
		{"100-but-100", 100, adapter.Selection{Rooms: []string{"room7"}, Except: []string{"room8"}}},
		{"10000", 1, adapter.Selection{Rooms: []string{"room0"}}},
		{"everyone", 1, adapter.Selection{}},
		{"everyone-but-one", 1, adapter.Selection{Except: []string{"socket7"}}},
	} {
		b.Run(bc.name, func(b *testing.B) {
			a, _ := filled(b, adapter.NewMemory, sockets, bc.rooms)
			b.ReportAllocs()
			for b.Loop() {
				if err := a.Broadcast(packet, bc.sel); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkRecoveryBroadcast(b *testing.B) {
	args, err := sioparser.ParseArgs([]byte(`["hello",{"a":1}]`), nil)
	if err != nil {
		b.Fatal(err)
	}
	packet := &sioparser.Packet{Type: sioparser.Event, Name: []byte("x"), Args: args}
	for _, n := range []int{1, 100} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			a, _ := filled(b, adapter.NewRecovery(adapter.RecoveryConfig{}), 100*n, 100)
			b.ReportAllocs()
			for b.Loop() {
				if err := a.Broadcast(packet, adapter.Selection{Rooms: []string{"room7"}}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkConcurrentRooms has each worker in rooms of its own.
func BenchmarkConcurrentRooms(b *testing.B) {
	packet := &sioparser.Packet{Type: sioparser.Event, Name: []byte("x")}
	a, _ := filled(b, adapter.NewMemory, 1000, 100)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		s := &nullSocket{id: fmt.Sprintf("%p", pb)}
		room := "of" + s.id
		sel := adapter.Selection{Rooms: []string{room}}
		for pb.Next() {
			if err := a.Join(s, room); err != nil {
				b.Error(err)
			}
			if err := a.Broadcast(packet, sel); err != nil {
				b.Error(err)
			}
			a.Leave(s, room)
		}
		a.Remove(s)
	})
}
