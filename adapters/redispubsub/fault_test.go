package redispubsub_test

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/siokit/siokit/adapters/redispubsub"
	"github.com/siokit/siokit/adapters/redispubsub/redistest"
	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio/adapter"
	"github.com/siokit/siokit/socketio/adapter/adaptertest"
)

var (
	messages = flag.Int("messages", 1000, "how many broadcasts there are at least during a fault of Redis")
	freeze   = flag.Duration("freeze", 1500*time.Millisecond, "how long Redis is frozen")
)

// back is within what time servers reach each other again when Redis is back.
const back = 3 * time.Second

// pair is two servers with a socket each, of which the first sends.
type pair struct {
	t        *testing.T
	prefix   string
	adapters [2]*redispubsub.Adapter
	sockets  [2]*adaptertest.Socket
	sent     int
}

func newPair(t *testing.T, server *redistest.Server, config redispubsub.Config) *pair {
	t.Helper()
	return pairOf(t, func() redis.UniversalClient { return server.Open(t) }, config)
}

// pairOf connects each of the two with a client of its own.
func pairOf(t *testing.T, open func() redis.UniversalClient, config redispubsub.Config) *pair {
	t.Helper()
	p := &pair{t: t, prefix: freshPrefix()}
	config.Prefix, config.Logger, config.MaxQueued = p.prefix, slog.New(slog.DiscardHandler), 512<<20
	for i := range p.adapters {
		config := config
		config.Client, config.UID = open(), fmt.Sprint("server", i)
		a, err := redispubsub.New(config)(adaptertest.NewServer("/"))
		if err != nil {
			t.Fatal(err)
		}
		p.adapters[i] = a.(*redispubsub.Adapter)
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			_ = a.Close(ctx) // Redis may be gone
		})
		p.sockets[i] = adaptertest.NewSocket(fmt.Sprint("socket", i))
		if err := a.Join(p.sockets[i], p.sockets[i].ID(), "red"); err != nil {
			t.Fatal(err)
		}
	}
	p.until("they reach each other", 20*time.Second, p.reaches)
	return p
}

// send broadcasts once; what the other server gets of it is not waited for.
func (p *pair) send() {
	p.t.Helper()
	p.sent++
	packet := &sioparser.Packet{Type: sioparser.Event, Name: fmt.Appendf(nil, "n%d", p.sent)}
	if err := p.adapters[0].Broadcast(packet, adapter.Selection{Rooms: []string{"red"}}); err != nil {
		p.t.Fatalf("Broadcast: %v", err)
	}
	if got := p.sockets[0].Pushed(); got != p.sent {
		p.t.Fatalf("this server's socket has got %d of %d", got, p.sent)
	}
}

// reaches sends and reports whether anything has reached the other server since
// the last call.
func (p *pair) reaches() bool {
	before := p.sockets[1].Pushed()
	p.send()
	select {
	case <-p.sockets[1].Changed():
	case <-time.After(20 * time.Millisecond):
	}
	return p.sockets[1].Pushed() > before
}

func (p *pair) until(what string, within time.Duration, ok func() bool) {
	p.t.Helper()
	for deadline := time.Now().Add(within); !ok(); {
		if time.Now().After(deadline) {
			p.t.Fatalf("not within %v: %s", within, what)
		}
	}
}

// during sends all messages in so much time, or in more, and fails if a call takes
// long.
func (p *pair) during(d time.Duration) {
	p.t.Helper()
	const pause = 5 * time.Millisecond
	each := 1 + *messages*int(pause)/int(d)
	all := p.sent + *messages
	for end := time.Now().Add(d); p.sent < all || time.Now().Before(end); <-time.After(pause) {
		for range each {
			began := time.Now()
			p.send()
			if took := time.Since(began); took > time.Second {
				p.t.Errorf("a broadcast took %v", took)
			}
		}
	}
}

// ordered checks that nothing came twice or out of order.
func (p *pair) ordered() {
	p.t.Helper()
	last := 0
	for _, packet := range p.sockets[1].Received() {
		var n int
		if _, err := fmt.Sscanf(packet.Name, "n%d", &n); err != nil || n <= last {
			p.t.Fatalf("%s came after n%d", packet.Name, last)
		}
		last = n
	}
}

// backInTime checks that they reach each other again, and got nothing twice.
func (p *pair) backInTime() {
	p.t.Helper()
	began := time.Now()
	p.until("they reach each other again", back, p.reaches)
	p.t.Logf("%d broadcasts; back after %v", p.sent, time.Since(began).Round(time.Millisecond))
	p.ordered()
}

func TestRedisIsKilled(t *testing.T) {
	for name, config := range modes {
		t.Run(name, func(t *testing.T) {
			server := redistest.Start(t)
			p := newPair(t, server, config)
			server.Kill()
			p.during(*freeze / 3)
			server.Restart()
			p.backInTime()
		})
	}
}

func TestRedisIsFrozen(t *testing.T) {
	for name, config := range modes {
		t.Run(name, func(t *testing.T) {
			server := redistest.Start(t)
			p := newPair(t, server, config)
			server.Freeze()
			p.during(*freeze)
			server.Thaw()
			p.backInTime()
		})
	}
}

// hostile is what anybody may put on a channel.
var hostile = []string{
	"", "{", "{}", "[]", "null", `"x"`, "\x00", "\xc1", "\x93", "\x91", "\xdd\xff\xff\xff\xff", "\xdf\xff\xff\xff\xff",
	`{"type":7}`, `{"type":-1,"uid":"x"}`, `{"type":1e99,"uid":"x"}`, `{"type":"2","uid":"x"}`, `{"uid":"x","type":2}`,
	`{"uid":"x","type":2,"opts":null,"rooms":["a"]}`, `{"uid":"x","type":2,"opts":{"rooms":[1]},"rooms":["a"]}`,
	`{"uid":"a b","type":4,"opts":{"rooms":[],"except":[]},"close":true}`,
	`{"uid":"x","type":6,"data":{}}`, `{"uid":"x","type":6,"data":[]}`, `{"uid":"x","type":5,"opts":{"rooms":[]}}`,
	`{"uid":"x","nsp":"/","type":3,"data":{"packet":{"type":2,"data":["e"]},"opts":7}}`,
	`{"uid":"x","nsp":"/other","type":4,"data":{"opts":{"rooms":[]},"rooms":["a"]}}`,
	`{"uid":"x","nsp":"/","type":99,"data":{}}`,
	strings.Repeat("[", 100_000), strings.Repeat("\x91", 100_000), strings.Repeat(`{"a":`, 50_000),
}

func TestHostileMessagesAreCountedAndDropped(t *testing.T) {
	server := redistest.Start(t)
	for name, config := range modes {
		t.Run(name, func(t *testing.T) {
			p := newPair(t, server, config)
			client := server.Open(t)
			prefix := p.prefix
			channels := []string{prefix + "#/#", prefix + "#/#server1#", prefix + "#/#red#"}
			publish := client.SPublish
			if config.Mode == redispubsub.Classic {
				channels = append(channels, prefix+"-request#/#", prefix+"-response#/#server1#")
				publish = client.Publish
			}
			for _, channel := range channels {
				for _, message := range hostile {
					// Answers to others are passed over; these look like ours.
					if strings.Contains(channel, "-response") {
						message += " server1"
					}
					if err := publish(t.Context(), channel, message).Err(); err != nil {
						t.Fatal(err)
					}
				}
			}
			p.until("it still works", 20*time.Second, p.reaches)
			if s := p.adapters[1].Stats(); s.Dropped < uint64(len(hostile)) {
				t.Errorf("%+v, %d messages were hostile", s, len(channels)*len(hostile))
			}
			if sockets, _ := p.adapters[1].Len(); sockets != 1 {
				t.Errorf("%d sockets", sockets)
			}
			if rooms := p.adapters[1].SocketRooms("socket1"); len(rooms) != 2 {
				t.Errorf("rooms %v", rooms)
			}
		})
	}
}
