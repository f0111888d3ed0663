package main

import (
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	natsserver "github.com/nats-io/nats-server/v2/server"

	"github.com/siokit/siokit/adapters/postgres/postgrestest"
	"github.com/siokit/siokit/adapters/redispubsub/redistest"
)

// TestBuses checks that two processes' clients meet in rooms, over a real server of
// every bus there is.
func TestBuses(t *testing.T) {
	redis := func(t *testing.T) string { return "redis://" + redistest.Start(t).Addr }
	buses := map[string]func(*testing.T) string{
		"redispubsub": redis, "redisstreams": redis, "nats": startNATS,
		"postgres": func(t *testing.T) string { return postgrestest.Start(t).URL() },
	}
	for name, start := range buses {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			flags := []string{"-adapter", name, "-adapter-url", start(t), "-ping-interval", "1m"}
			if name == "redisstreams" || name == "nats" {
				flags = append(flags, "-recovery", "10s")
			}
			here, there := connected(t, flags), connected(t, flags)
			send(t, there, `421["join","a"]`)
			if got := read(t, there); got != `431[2]` {
				t.Fatal(got)
			}
			meet(t, here, there)
			send(t, here, `422["broadcast-ack",5000]`)
			for _, c := range []*websocket.Conn{here, there} {
				got := read(t, c)
				for strings.Contains(got, "hello") {
					got = read(t, c)
				}
				if got != `420["need-ack"]` {
					t.Fatal(got)
				}
				send(t, c, `430["me"]`)
			}
			if got := read(t, here); got != `432[null,["me","me"]]` {
				t.Error(got)
			}
		})
	}
}

// meet emits to a room until an event arrives: servers that have just started may
// not know of each other yet.
func meet(t *testing.T, here, there *websocket.Conn) {
	t.Helper()
	met, stopped := make(chan struct{}), make(chan struct{})
	go func() { // awaited below
		defer close(stopped)
		for {
			send(t, here, `42["in","a","hello"]`)
			select {
			case <-met:
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
	}()
	got := read(t, there)
	close(met)
	<-stopped
	if !strings.HasPrefix(got, `42["hello"`) {
		t.Fatal(got)
	}
}

// connected returns a connection to a fixture of its own.
func connected(t *testing.T, flags []string) *websocket.Conn {
	c := dial(t, serveFixture(t, flags...))
	read(t, c)
	send(t, c, "40")
	for _, want := range []string{"40{", `42["auth"`} {
		if got := read(t, c); !strings.HasPrefix(got, want) {
			t.Fatal(got)
		}
	}
	return c
}

func send(t *testing.T, c *websocket.Conn, text string) {
	if err := c.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		t.Error(err)
	}
}

// startNATS runs a NATS server in this process, with JetStream.
func startNATS(t *testing.T) (url string) {
	s, err := natsserver.NewServer(&natsserver.Options{
		Host: "127.0.0.1", Port: natsserver.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), NoLog: true, NoSigs: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	if !s.ReadyForConnections(patience) {
		t.Fatal("NATS takes no connections")
	}
	return s.ClientURL()
}
