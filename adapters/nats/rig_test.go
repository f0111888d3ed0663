package nats_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	natsgo "github.com/nats-io/nats.go"

	"github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/adapters/nats"
	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio/adapter"
	"github.com/siokit/siokit/socketio/adapter/adaptertest"
)

// node is a server with one socket, in the room of its name.
type node struct {
	*cluster.Adapter
	conn   *natsgo.Conn
	socket *adaptertest.Socket
}

// store is the node's adapter as what it is with recovery.
func (x *node) store() cluster.Recovering { return cluster.Recovering{Adapter: x.Adapter} }

// join adds a server; with n others it waits until it knows them.
func join(t testing.TB, url, name string, n int, config nats.Config) *node {
	t.Helper()
	conn := connect(t, url)
	config.UID, config.Conn, config.Logger = name, conn, slog.New(slog.DiscardHandler)
	a, err := nats.New(config)(adaptertest.NewServer("/"))
	if err != nil {
		t.Fatal(err)
	}
	x := &node{conn: conn, socket: adaptertest.NewSocket(name)}
	switch a := a.(type) {
	case *cluster.Adapter:
		x.Adapter = a
	case cluster.Recovering:
		x.Adapter = a.Adapter
	}
	t.Cleanup(func() { x.end() })
	if err := x.Join(x.socket, name); err != nil {
		t.Fatal(err)
	}
	until(t, name+" knows the others", func() bool { return len(x.Nodes()) == n })
	if config.Recovery != nil {
		until(t, "JetStream answers in time", func() bool {
			x.emit(t, "warm up", name)
			return offset(t, x.socket) != ""
		})
	}
	return x
}

// end closes the node's adapter; a test may have taken the bus away.
func (x *node) end() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_ = x.Close(ctx)
}

func pair(t testing.TB, url string, config nats.Config) (a, b *node) {
	t.Helper()
	a = join(t, url, "a", 0, config)
	b = join(t, url, "b", 1, config)
	until(t, "a knows b", func() bool { return len(a.Nodes()) == 1 })
	return a, b
}

func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.NewTimer(within)
	defer deadline.Stop()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("not within %v: %s", within, what)
		}
	}
}

func event(t testing.TB, name string) *sioparser.Packet {
	t.Helper()
	return &sioparser.Packet{Type: sioparser.Event, Name: []byte(name)}
}

func (x *node) emit(t testing.TB, name string, rooms ...string) {
	t.Helper()
	if err := x.Broadcast(event(t, name), adapter.Selection{Rooms: rooms}); err != nil {
		t.Error(err)
	}
}

// has reports whether a socket has received an event of this name.
func has(s *adaptertest.Socket, name string) bool {
	for _, p := range s.Received() {
		if p.Name == name {
			return true
		}
	}
	return false
}

// names are the events that a socket has received.
func names(s *adaptertest.Socket) (list []string) {
	for _, p := range s.Received() {
		list = append(list, p.Name)
	}
	return list
}

// offset is what the client of s would present: that of its last packet, "" if
// that has none.
func offset(t testing.TB, s *adaptertest.Socket) string {
	t.Helper()
	list := s.Received()
	var text string
	if len(list) > 0 {
		if _, err := fmt.Sscanf(list[len(list)-1].Args, "[%q]", &text); err != nil {
			return ""
		}
	}
	return text
}
