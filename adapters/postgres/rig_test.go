package postgres_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/adapters/postgres"
	"github.com/siokit/siokit/adapters/postgres/postgrestest"
	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio/adapter"
	"github.com/siokit/siokit/socketio/adapter/adaptertest"
)

// within is how long anything may take on a busy machine.
const within = 30 * time.Second

// node is a server with one socket, in the room of its name.
type node struct {
	*cluster.Adapter
	server *adaptertest.Server
	socket *adaptertest.Socket
	line   *line
}

// join adds servers named n0, n1 and so on, and waits until they know each other.
func join(t testing.TB, db *postgrestest.Server, n int, config postgres.Config) []*node {
	t.Helper()
	if config.ChannelPrefix == "" {
		config.ChannelPrefix = strings.ToLower(t.Name())
	}
	var nodes []*node
	for i := range n {
		l := &line{}
		config.UID, config.Pool, config.Logger = fmt.Sprint("n", i), open(t, db, l), slog.New(slog.DiscardHandler)
		server := adaptertest.NewServer("/")
		a, err := postgres.New(config)(server)
		if err != nil {
			t.Fatal(err)
		}
		x := &node{a.(*cluster.Adapter), server, adaptertest.NewSocket(config.UID), l}
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), within)
			defer cancel()
			_ = x.Close(ctx) // a test may have taken the database away
		})
		if err := x.Join(x.socket, config.UID); err != nil {
			t.Fatal(err)
		}
		nodes = append(nodes, x)
	}
	for _, x := range nodes {
		until(t, "the servers know each other", func() bool { return len(x.Nodes()) == n-1 })
	}
	return nodes
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

func event(t testing.TB, name, args string, attachments ...[]byte) *sioparser.Packet {
	t.Helper()
	a, err := sioparser.ParseArgs([]byte(args), attachments)
	if err != nil {
		t.Fatal(err)
	}
	return &sioparser.Packet{Type: sioparser.Event, Name: []byte(name), Args: a}
}

// emit broadcasts to everyone.
func (x *node) emit(t testing.TB, name string) {
	t.Helper()
	if err := x.Broadcast(event(t, name, "[]"), adapter.Selection{}); err != nil {
		t.Error(err)
	}
}

// has reports whether the node's socket has received an event of this name.
func (x *node) has(name string) bool { return x.count(name) > 0 }

func (x *node) count(name string) (n int) {
	for _, p := range x.socket.Received() {
		if p.Name == name {
			n++
		}
	}
	return n
}
