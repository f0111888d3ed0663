package redisstreams_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/adapters/redispubsub/redistest"
	"github.com/siokit/siokit/adapters/redisstreams"
	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio/adapter"
	"github.com/siokit/siokit/socketio/adapter/adaptertest"
)

var (
	messages = flag.Int("messages", 3000, "how many broadcasts must survive a fault of Redis")
	freeze   = flag.Duration("freeze", 1500*time.Millisecond, "how long Redis is frozen")
)

// back is within what time servers reach each other again when Redis is back.
const back = 3 * time.Second

// durable has Redis write everything down before it answers: what it has taken
// survives kill -9.
var durable = []string{"--appendonly", "yes", "--appendfsync", "always"}

// pair is two servers with a socket each, of which the first sends.
type pair struct {
	t        *testing.T
	adapters [2]adapter.Adapter
	sockets  [2]*adaptertest.Socket
	sent     int
}

func newPair(t *testing.T, server *redistest.Server, config redisstreams.Config) *pair {
	t.Helper()
	p := &pair{t: t}
	config = fresh(config)
	config.Logger = slog.New(slog.DiscardHandler)
	config.MaxQueued, config.MaxLen = 512<<20, 1_000_000
	for i := range p.adapters {
		config := config
		config.Client, config.UID = server.Open(t), fmt.Sprint("server", i)
		a, err := redisstreams.New(config)(adaptertest.NewServer("/"))
		if err != nil {
			t.Fatal(err)
		}
		p.adapters[i] = a
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
	p.until("they know each other", 20*time.Second, func() bool {
		for _, a := range p.adapters {
			if n, err := a.(adapter.Counter).Servers(t.Context()); n != 2 || err != nil {
				return false
			}
			if len(a.(interface{ Nodes() []string }).Nodes()) != 1 {
				return false
			}
		}
		return true
	})
	return p
}

func (p *pair) send() {
	p.t.Helper()
	p.sent++
	packet := &sioparser.Packet{Type: sioparser.Event, Name: fmt.Appendf(nil, "n%d", p.sent)}
	if err := p.adapters[0].Broadcast(packet, adapter.Selection{Rooms: []string{"red"}}); err != nil {
		p.t.Fatalf("Broadcast: %v", err)
	}
}

func (p *pair) until(what string, within time.Duration, ok func() bool) {
	p.t.Helper()
	for deadline := time.Now().Add(within); !ok(); <-time.After(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			p.t.Fatalf("not within %v: %s", within, what)
		}
	}
}

// complete checks that every message came once, in order, at both servers.
func (p *pair) complete() {
	p.t.Helper()
	for i, s := range p.sockets {
		p.until(fmt.Sprintf("server %d has all %d messages", i, p.sent), 5*time.Minute, func() bool { return len(s.Received()) >= p.sent })
		got := s.Received()
		for n, packet := range got {
			if want := fmt.Sprintf("n%d", n+1); packet.Name != want {
				p.t.Fatalf("server %d: message %d of %d is %s", i, n+1, len(got), packet.Name)
			}
		}
		if len(got) != p.sent {
			p.t.Errorf("server %d has %d messages, want %d", i, len(got), p.sent)
		}
	}
}

// through sends all messages, the fault in the middle of them.
func (p *pair) through(fault, repair func()) {
	p.t.Helper()
	third := *messages / 3
	for range third {
		p.send()
	}
	// The fault comes in the middle, not behind it.
	p.until("the other server hears", 20*time.Second, func() bool { return len(p.sockets[1].Received()) > 0 })
	fault()
	began := time.Now()
	for range third {
		p.send()
	}
	// This server's sockets don't wait for Redis for longer than the second that an
	// offset may take.
	p.until("this server's socket has everything", 30*time.Second, func() bool { return len(p.sockets[0].Received()) == p.sent })
	heard := len(p.sockets[1].Received())
	repair()
	p.t.Logf("Redis was gone for %v", time.Since(began).Round(time.Millisecond))
	repaired := time.Now()
	p.until("the other server hears again", back, func() bool { return len(p.sockets[1].Received()) > heard })
	p.t.Logf("back after %v", time.Since(repaired).Round(time.Millisecond))
	for range *messages - 2*third {
		p.send()
	}
	p.complete()
}

func TestRedisIsKilled(t *testing.T) {
	for name, config := range map[string]redisstreams.Config{"plain": {}, "recovery": {MaxDisconnection: time.Minute}} {
		t.Run(name, func(t *testing.T) {
			server := redistest.Start(t, durable...)
			newPair(t, server, config).through(server.Kill, server.Restart)
		})
	}
}

func TestRedisIsFrozen(t *testing.T) {
	for name, config := range map[string]redisstreams.Config{"plain": {}, "recovery": {MaxDisconnection: time.Minute}} {
		t.Run(name, func(t *testing.T) {
			server := redistest.Start(t)
			newPair(t, server, config).through(server.Freeze, func() {
				<-time.After(*freeze)
				server.Thaw()
			})
		})
	}
}

// A Redis that comes back empty has lost what it had; what is sent from then on
// arrives.
func TestRedisComesBackEmpty(t *testing.T) {
	server := redistest.Start(t)
	p := newPair(t, server, redisstreams.Config{MaxDisconnection: time.Minute})
	for range 100 {
		p.send()
	}
	p.complete()
	server.Kill()
	server.Restart()
	before := len(p.sockets[1].Received())
	p.until("they reach each other again", 20*time.Second, func() bool {
		p.send()
		return len(p.sockets[1].Received()) > before
	})
}

// A recovered client has what it missed, on a server that was started after Redis
// was killed.
func TestRecoveryAcrossARestart(t *testing.T) {
	server := redistest.Start(t, durable...)
	p := newPair(t, server, redisstreams.Config{MaxDisconnection: time.Minute})
	p.send()
	p.complete()
	store := p.adapters[1].(adapter.SessionStore)
	offset := p.sockets[1].Received()[0].Args
	if _, err := store.Persist(p.sockets[1], adapter.Session{SocketID: "socket1", PrivateID: "private", Data: []byte(`{"a":1}`)}); err != nil {
		t.Fatal(err)
	}
	p.send()
	p.send()
	p.until("this server's socket has them", 20*time.Second, func() bool { return len(p.sockets[0].Received()) == 3 })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := p.adapters[1].Close(ctx); err != nil { // the session is saved
		t.Fatal(err)
	}
	server.Kill()
	server.Restart()

	config := redisstreams.Config{MaxDisconnection: time.Minute, Client: server.Open(t), Logger: slog.New(slog.DiscardHandler)}
	name := fmt.Sprint("test", names.Load())
	config.Stream, config.ChannelPrefix, config.SessionPrefix = name, name, name+":"
	a, err := redisstreams.New(config)(adaptertest.NewServer("/"))
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close(ctx)
	var seen string
	if _, err := fmt.Sscanf(offset, "[%q]", &seen); err != nil {
		t.Fatal(err)
	}
	session, err := a.(adapter.SessionStore).Take(ctx, "private", seen)
	if err != nil {
		t.Fatal(err)
	}
	if string(session.Data) != `{"a":1}` {
		t.Errorf("data %s", session.Data)
	}
	s := adaptertest.NewSocket("socket1")
	if err := a.(adapter.SessionStore).Resume(ctx, s, session); err != nil {
		t.Fatal(err)
	}
	s.Flush()
	if got := s.Received(); len(got) != 2 || got[0].Name != "n2" || got[1].Name != "n3" {
		t.Errorf("replayed %v", got)
	}
	if _, err := a.(adapter.SessionStore).Take(ctx, "private", seen); !errors.Is(err, adapter.ErrUnrecoverable) {
		t.Errorf("taken twice: %v", err)
	}
}

func TestHostileEntriesAreCountedAndDropped(t *testing.T) {
	server := redistest.Start(t)
	p := newPair(t, server, redisstreams.Config{MaxDisconnection: time.Minute})
	name, client := fmt.Sprint("test", names.Load()), server.Open(t)
	hostile := [][]any{
		{"uid", "x", "nsp", "/", "type", "3", "data", "{"},
		{"uid", "x", "nsp", "/", "type", "3", "data", `{"opts":{},"packet":7}`},
		{"uid", "x", "nsp", "/", "type", "-3", "data", "{}"},
		{"uid", "x", "nsp", "/", "type", "999", "data", "{}"},
		{"uid", "a b", "nsp", "/", "type", "4", "data", "{}"},
		{"uid", "", "nsp", "/", "type", "6", "data", "{}"},
		{"uid", "x", "nsp", "/", "type", "3", "data", "!!!"},
		{"uid", "x", "nsp", "/", "type", "3", "data", "3d///w=="},
		{"uid", "x", "nsp", "/", "type", "3", "serial", "-1", "data", "{}"},
		{"nsp", "/"},
	}
	for _, values := range append(hostile, []any{"something", "else"}, []any{"nsp", "/other", "type", "3"}) {
		args := append([]any{"xadd", name, "*"}, values...)
		if err := client.Do(t.Context(), args...).Err(); err != nil {
			t.Fatal(err)
		}
	}
	for _, message := range []string{"", "\xc1", "\x91", "{}", "\x85"} {
		if err := client.Publish(t.Context(), name+"#/#", message).Err(); err != nil {
			t.Fatal(err)
		}
	}
	p.send()
	p.complete()
	if s := p.adapters[1].(cluster.Recovering).Stats(); s.Dropped < uint64(len(hostile)) {
		t.Errorf("%+v, %d entries were hostile", s, len(hostile))
	}
	for _, key := range []string{"nonsense", "3d///w==", "!!!"} {
		if err := client.Set(t.Context(), name+":p", key, 0).Err(); err != nil {
			t.Fatal(err)
		}
		if _, err := p.adapters[1].(adapter.SessionStore).Take(t.Context(), "p", "1-1"); err == nil {
			t.Errorf("a session was made of %q", key)
		}
	}
}
