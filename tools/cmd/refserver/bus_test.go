package main

import (
	"errors"
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
			events := make(chan string, 10)
			go answer(there, events) // until the connection is closed
			waitFor(t, func() error {
				if got := askBoth(t, here); got != `432[null,["me","me"]]` {
					return errors.New(got) // servers that have just started do not know of each other yet
				}
				return nil
			})
			send(t, here, `42["in","a","hello"]`)
			select {
			case got := <-events:
				if !strings.HasPrefix(got, `42["hello"`) {
					t.Error(got)
				}
			case <-time.After(patience):
				t.Error("nothing has come from the other server")
			}
		})
	}
}

// answer acknowledges what is asked and passes on what else comes.
func answer(c *websocket.Conn, events chan<- string) {
	for {
		_, data, err := c.ReadMessage()
		if err != nil {
			return
		}
		id, asked := strings.CutSuffix(strings.TrimPrefix(string(data), "42"), `["need-ack"]`)
		if !asked {
			events <- string(data)
		} else if c.WriteMessage(websocket.TextMessage, []byte("43"+id+`["me"]`)) != nil {
			return
		}
	}
}

// askBoth has everybody asked, and returns the result.
func askBoth(t *testing.T, c *websocket.Conn) string {
	send(t, c, `422["broadcast-ack",5000]`)
	for {
		got := read(t, c)
		id, asked := strings.CutSuffix(strings.TrimPrefix(got, "42"), `["need-ack"]`)
		if !asked {
			return got
		}
		send(t, c, "43"+id+`["me"]`)
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
