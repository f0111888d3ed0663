package nats_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/adapters/nats"
	"github.com/siokit/siokit/socketio/adapter"
	"github.com/siokit/siokit/socketio/adapter/adaptertest"
)

// of starts a server for a namespace.
func of(t *testing.T, url, namespace string, recovery nats.Recovery) cluster.Recovering {
	t.Helper()
	a, err := nats.New(nats.Config{Conn: connect(t, url), Recovery: &recovery, Logger: slog.New(slog.DiscardHandler)})(adaptertest.NewServer(namespace))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), within)
		defer cancel()
		if err := a.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return a.(cluster.Recovering)
}

// A client of a quiet namespace that has missed nothing is recovered, however old
// its last packet is, while the stream goes on with others'.
func TestQuietNamespaceBesideABusyOne(t *testing.T) {
	url := embed(t).ClientURL()
	recovery := nats.Recovery{MaxDisconnection: time.Minute, MaxAge: 2 * time.Second, OffsetTimeout: within}
	quiet, busy := of(t, url, "/", recovery), of(t, url, "/busy", recovery)
	s := adaptertest.NewSocket("s")
	if err := quiet.Join(s, "s"); err != nil {
		t.Fatal(err)
	}
	if err := quiet.Broadcast(event(t, "hello"), adapter.Selection{}); err != nil {
		t.Fatal(err)
	}
	until(t, "hello", func() bool { return len(s.Received()) == 1 })
	seen := offset(t, s)
	for range 50 {
		if err := busy.Broadcast(event(t, "busy"), adapter.Selection{}); err != nil {
			t.Fatal(err)
		}
		<-time.After(80 * time.Millisecond)
	}
	if _, err := quiet.Persist(s, adapter.Session{SocketID: "s", PrivateID: "p"}); err != nil {
		t.Fatal(err)
	}
	if _, err := quiet.Take(t.Context(), "p", seen); err != nil {
		t.Error(err)
	}
}

// Names that can't be are refused by New; the stream of another application is
// left to it.
func TestNamesOfStreams(t *testing.T) {
	url := embed(t).ClientURL()
	_, err := nats.New(nats.Config{Conn: connect(t, url), Prefix: "team/app", Recovery: &nats.Recovery{}})(adaptertest.NewServer("/"))
	if err == nil || !strings.Contains(err.Error(), "Recovery.Stream") {
		t.Error(err)
	}
	first := join(t, url, "first", 0, nats.Config{Prefix: "app.x", Recovery: &nats.Recovery{OffsetTimeout: within}})
	a, err := nats.New(nats.Config{Conn: connect(t, url), Prefix: "app_x", Recovery: &nats.Recovery{OffsetTimeout: time.Millisecond}, Logger: slog.New(slog.DiscardHandler)})(adaptertest.NewServer("/"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = a.Close(ctx) // its log never opened
	}()
	s := adaptertest.NewSocket("second")
	if err := a.Join(s, "second"); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if err := a.Broadcast(event(t, "x"), adapter.Selection{}); err != nil {
			t.Fatal(err)
		}
		<-time.After(50 * time.Millisecond)
	}
	first.emit(t, "still here", "first")
	until(t, "the first one's", func() bool { return has(first.socket, "still here") })
	if offset(t, first.socket) == "" {
		t.Error("the stream was taken away")
	}
}
