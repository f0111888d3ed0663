package redisstreams_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/adapters/redispubsub/redistest"
	"github.com/siokit/siokit/adapters/redisstreams"
	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio/adapter"
	"github.com/siokit/siokit/socketio/adapter/adaptertest"
)

// member starts a server for a namespace, with a socket.
func member(t *testing.T, rs *redistest.Server, config redisstreams.Config, namespace string) (cluster.Recovering, *adaptertest.Socket) {
	t.Helper()
	config.Client = rs.Open(t)
	a, err := redisstreams.New(config)(adaptertest.NewServer(namespace))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := a.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	s := adaptertest.NewSocket("s")
	if err := a.Join(s, "s"); err != nil {
		t.Fatal(err)
	}
	return a.(cluster.Recovering), s
}

func say(t *testing.T, a adapter.Adapter, name string) {
	t.Helper()
	if err := a.Broadcast(&sioparser.Packet{Type: sioparser.Event, Name: []byte(name)}, adapter.Selection{}); err != nil {
		t.Fatal(err)
	}
}

func received(t *testing.T, s *adaptertest.Socket, name string) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; <-time.After(2 * time.Millisecond) {
		if l := s.Received(); len(l) > 0 && l[len(l)-1].Name == name {
			return
		}
		if time.Now().After(end) {
			t.Fatal("not in time: ", name)
		}
	}
}

// A client of a quiet namespace that has missed nothing is recovered, however much
// others have written into the stream since its last packet.
func TestQuietNamespaceBesideABusyOne(t *testing.T) {
	rs := redistest.Start(t)
	config := fresh(redisstreams.Config{MaxDisconnection: time.Minute, OffsetTimeout: patience, MaxLen: 200})
	config.Logger = slog.New(slog.DiscardHandler)
	quiet, s := member(t, rs, config, "/")
	busy, b := member(t, rs, config, "/busy")
	say(t, quiet, "hello")
	received(t, s, "hello")
	var offset string
	if _, err := fmt.Sscanf(s.Received()[0].Args, "[%q]", &offset); err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		say(t, busy, "busy")
	}
	say(t, busy, "last")
	received(t, b, "last")
	if _, err := quiet.Persist(s, adapter.Session{SocketID: "s", PrivateID: "p"}); err != nil {
		t.Fatal(err)
	}
	if _, err := quiet.Take(t.Context(), "p", offset); err != nil {
		t.Error(err)
	}
}

// journal is a log's text, from any goroutine.
type journal struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.String()
}

// A server that was held up for longer than the stream reaches back says so.
func TestSlowReaderIsTold(t *testing.T) {
	rs := redistest.Start(t)
	log := new(journal)
	config := fresh(redisstreams.Config{MaxDisconnection: time.Minute, OffsetTimeout: patience, MaxLen: 200, Logger: slog.New(slog.NewTextHandler(log, nil))})
	slow, s := member(t, rs, config, "/")
	fast, far := member(t, rs, config, "/")
	say(t, fast, "first")
	received(t, s, "first")
	// A hook holds the reader up, as a stop of the process would.
	held, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	stop := adapter.Adapter(slow).(adapter.Observable).Observe(func(adapter.Event) {
		once.Do(func() { close(held) })
		<-release
	})
	defer stop()
	if err := adapter.Adapter(fast).(adapter.Mover).JoinAll(adapter.Selection{Rooms: []string{"s"}}, "stuck"); err != nil {
		t.Fatal(err)
	}
	<-held
	for i := range 3000 {
		say(t, fast, fmt.Sprint(i))
	}
	received(t, far, "2999")
	close(release)
	received(t, s, "2999")
	if n := len(s.Received()); n < 3001 && !strings.Contains(log.String(), "not read") {
		t.Errorf("%d of 3001, and the log says %q", n, log)
	}
}

func TestRingIsNoLog(t *testing.T) {
	ring := redis.NewRing(&redis.RingOptions{Addrs: map[string]string{"one": "127.0.0.1:1"}})
	defer ring.Close()
	if _, err := redisstreams.New(redisstreams.Config{Client: ring})(adaptertest.NewServer("/")); err == nil {
		t.Error("no error")
	}
}
