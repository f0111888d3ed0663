package redispubsub_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/siokit/siokit/adapters/redispubsub"
	"github.com/siokit/siokit/adapters/redispubsub/redistest"
	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio/adapter"
	"github.com/siokit/siokit/socketio/adapter/adaptertest"
)

// server starts one server of a cluster, with a socket.
func server(t *testing.T, rs *redistest.Server, config redispubsub.Config, uid string, rooms ...string) (*redispubsub.Adapter, *adaptertest.Socket) {
	t.Helper()
	config.Client, config.UID = rs.Open(t), uid
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	a, err := redispubsub.New(config)(adaptertest.NewServer("/"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = a.Close(ctx) // Redis may be frozen
	})
	s := adaptertest.NewSocket("socket of " + uid)
	if err := a.Join(s, append(rooms, s.ID())...); err != nil {
		t.Fatal(err)
	}
	return a.(*redispubsub.Adapter), s
}

func acquainted(t *testing.T, all ...*redispubsub.Adapter) {
	t.Helper()
	soon(t, "they know each other", func() bool {
		for _, a := range all {
			if len(a.Nodes()) != len(all)-1 {
				return false
			}
		}
		return true
	})
}

func soon(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); <-time.After(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("not in time: ", what)
		}
	}
}

func named(name string) *sioparser.Packet {
	return &sioparser.Packet{Type: sioparser.Event, Name: []byte(name)}
}

// What goes past other servers, since they have nobody in the room, tells them
// nothing: a server that sends only that still has to say that it lives.
func TestHeartbeatBesideARoomOfItsOwn(t *testing.T) {
	rs := redistest.Start(t)
	for name, mode := range map[string]redispubsub.Mode{"classic": redispubsub.Classic, "dynamic": redispubsub.ShardedDynamic} {
		t.Run(name, func(t *testing.T) {
			config := redispubsub.Config{Mode: mode, Prefix: freshPrefix(), HeartbeatInterval: 200 * time.Millisecond, HeartbeatTimeout: time.Second}
			a, _ := server(t, rs, config, "a", "lobby")
			b, _ := server(t, rs, config, "b")
			acquainted(t, a, b)
			for end := time.Now().Add(2 * time.Second); time.Now().Before(end); <-time.After(20 * time.Millisecond) {
				if err := a.Broadcast(named("chat"), adapter.Selection{Rooms: []string{"lobby"}}); err != nil {
					t.Fatal(err)
				}
				if len(b.Nodes()) != 1 {
					t.Fatal("b has given a up")
				}
			}
		})
	}
}

// Whom an emitter has put into a room hears what it sends there next.
func TestEmitterJoinsAndEmits(t *testing.T) {
	rs := redistest.Start(t)
	config := redispubsub.Config{Mode: redispubsub.ShardedDynamic, Prefix: freshPrefix()}
	_, s := server(t, rs, config, "a")
	config.Client = rs.Open(t)
	e, err := redispubsub.NewEmitter(config)
	if err != nil {
		t.Fatal(err)
	}
	soon(t, "it is heard", func() bool {
		_ = e.Emit("hello")
		return len(s.Received()) > 0
	})
	const many = 50
	for i := range many {
		room := fmt.Sprint("room", i)
		if err := e.SocketsJoin(room); err != nil {
			t.Fatal(err)
		}
		if err := e.To(room).Emit("news"); err != nil {
			t.Fatal(err)
		}
	}
	soon(t, "all arrive", func() bool {
		n := 0
		for _, p := range s.Received() {
			if p.Name == "news" {
				n++
			}
		}
		return n == many
	})
}

// A room may be called as a server is.
func TestRoomNamedLikeAServer(t *testing.T) {
	rs := redistest.Start(t)
	config := redispubsub.Config{Mode: redispubsub.ShardedDynamic, Prefix: freshPrefix()}
	a, _ := server(t, rs, config, "a")
	b, s := server(t, rs, config, "b", "b")
	acquainted(t, a, b)
	for _, room := range []string{"b", s.ID()} {
		if err := a.Broadcast(named(room), adapter.Selection{Rooms: []string{room}}); err != nil {
			t.Fatal(err)
		}
	}
	soon(t, "the last one", func() bool { l := s.Received(); return len(l) > 0 && l[len(l)-1].Name == s.ID() })
	if l := s.Received(); len(l) != 2 {
		t.Errorf("%d packets", len(l))
	}
}

// A deadline holds also while Redis does not answer.
func TestDeadlineWhileRedisIsFrozen(t *testing.T) {
	rs := redistest.Start(t)
	client := redis.NewClient(&redis.Options{Addr: rs.Addr}) // which waits for seconds
	defer client.Close()
	a, err := redispubsub.New(redispubsub.Config{Client: client, Prefix: freshPrefix(), Logger: slog.New(slog.DiscardHandler)})(adaptertest.NewServer("/"))
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close(t.Context())
	rs.Freeze()
	defer rs.Thaw()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	begun := time.Now()
	if _, err := a.(adapter.Counter).Servers(ctx); err == nil || time.Since(begun) > 2*time.Second {
		t.Error(err, time.Since(begun))
	}
}

// A Ring spreads keys over servers that don't know of each other.
func TestRingIsNoBus(t *testing.T) {
	ring := redis.NewRing(&redis.RingOptions{Addrs: map[string]string{"one": "127.0.0.1:1"}})
	defer ring.Close()
	if _, err := redispubsub.New(redispubsub.Config{Client: ring})(adaptertest.NewServer("/")); err == nil {
		t.Error("no error")
	}
}
