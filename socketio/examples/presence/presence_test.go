package main

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	engine "github.com/siokit/siokit/engineio/client"
	"github.com/siokit/siokit/socketio/client"
	"github.com/siokit/siokit/socketio/siotest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// party is a server with two clients: one that watches, and one that will be
// away. Minutes pass in these tests, in milliseconds.
type party struct {
	watcher, walker *siotest.Client
	seen            chan string // what the watcher is told
	heard           chan string // what the walker is told
}

func newParty(t *testing.T) party {
	t.Helper()
	io, err := newServer()
	if err != nil {
		t.Fatal(err)
	}
	server := siotest.Serve(t, io, io)
	p := party{seen: make(chan string, 10), heard: make(chan string, 10)}
	p.watcher = server.Client(client.Config{})
	p.walker = server.Client(client.Config{Engine: engine.Config{Transports: []engine.Transport{engine.WebSocket{}}}})
	Gone.On(p.watcher, func(ctx context.Context, id string) error { p.seen <- "gone " + id; return nil })
	Here.On(p.watcher, func(ctx context.Context, id string) error { p.seen <- "here " + id; return nil })
	Say.ToClient().On(p.walker, func(ctx context.Context, text string) error { p.heard <- text; return nil })
	for _, c := range []*siotest.Client{p.watcher, p.walker} {
		if err := c.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if seen := next(t, p.seen); seen != "here "+p.walker.ID() {
		t.Fatal(seen)
	}
	// A recoverable client has an offset, which comes with the first event.
	p.say(t, "welcome")
	next(t, p.heard)
	return p
}

// next waits for what the channel brings: for an hour, which is soon over.
func next(t *testing.T, from <-chan string) string {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(time.Hour):
		t.Fatal("nothing within an hour")
		return ""
	}
}

func (p party) say(t *testing.T, text string) {
	t.Helper()
	if err := Say.ToServer().Emit(t.Context(), p.watcher, text); err != nil {
		t.Fatal(err)
	}
}

func TestShortAbsenceIsNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newParty(t)
		id := p.walker.ID()
		p.walker.Unreachable(true)
		p.walker.Cut()
		<-time.After(time.Minute)
		p.say(t, "are you there?")
		synctest.Wait()
		p.walker.Unreachable(false)
		if text := next(t, p.heard); text != "are you there?" {
			t.Error(text)
		}
		if !p.walker.Recovered() || p.walker.ID() != id {
			t.Error("a new session")
		}
		if len(p.seen) > 0 {
			t.Error(<-p.seen)
		}
	})
}

func TestLongAbsenceIsOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newParty(t)
		id, begin := p.walker.ID(), time.Now()
		p.walker.Unreachable(true)
		p.walker.Cut()
		if seen := next(t, p.seen); seen != "gone "+id {
			t.Error(seen)
		}
		if after := time.Since(begin); after < patience || after > patience+5*time.Second {
			t.Errorf("gone after %v", after)
		}
		p.walker.Unreachable(false)
		seen := next(t, p.seen)
		synctest.Wait() // the walker learns it, too
		if seen != "here "+p.walker.ID() || p.walker.Recovered() {
			t.Error(seen)
		}
	})
}

// TestSilence: a connection that breaks without a word is found by the
// heartbeat, and then the patience begins.
func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newParty(t)
		id, begin := p.walker.ID(), time.Now()
		p.walker.Stall(true)
		if seen := next(t, p.seen); seen != "gone "+id {
			t.Error(seen)
		}
		if after := time.Since(begin); after < patience+20*time.Second || after > patience+heartbeat+25*time.Second {
			t.Errorf("gone after %v", after)
		}
	})
}

func TestGoodbyeIsHeardAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newParty(t)
		id := p.walker.ID()
		p.walker.Disconnect()
		if seen := next(t, p.seen); seen != "gone "+id {
			t.Error(seen)
		}
	})
}
