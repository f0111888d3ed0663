package nats_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/siokit/siokit/adapters/nats"
	"github.com/siokit/siokit/socketio/adapter"
)

// backWithin is the promise for a machine that isn't busy.
const backWithin = 3 * time.Second

// storm broadcasts until stop is called, and expects that the server's own socket
// is served within a second and a half, whatever happens to the bus.
func storm(t testing.TB, x *node) (stop func() (sent int)) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	sent := 0
	go func() { // ends with ctx; stop waits for it
		defer close(done)
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for ctx.Err() == nil {
			<-tick.C
			x.emit(t, fmt.Sprint("storm", sent))
			sent++
		}
	}()
	return func() int { cancel(); <-done; return sent }
}

// crossing broadcasts until the other node has one, and returns how long it took.
func crossing(t testing.TB, from, to *node, tag string) time.Duration {
	t.Helper()
	begun := time.Now()
	until(t, tag+": a broadcast crosses", func() bool {
		from.emit(t, tag)
		return has(to.socket, tag)
	})
	return time.Since(begun)
}

// testFault allows a machine that is busy with other things three attempts at being
// back in time; all else has to hold in each.
func testFault(t *testing.T, config nats.Config, strike, mend func(*process)) {
	var took time.Duration
	for range 3 {
		if took = fault(t, config, strike, mend); took <= backWithin {
			return
		}
	}
	t.Errorf("cluster delivery was back %v after the bus, that is more than %v", took, backWithin)
}

// fault returns how long cluster delivery took to come back after the bus.
func fault(t *testing.T, config nats.Config, strike, mend func(*process)) time.Duration {
	t.Helper()
	bus := start(t)
	a, b := pair(t, bus.url, config)
	stop := storm(t, a)
	until(t, "the storm crosses", func() bool { return b.socket.Pushed() > 20 })
	strike(bus)
	before := a.socket.Pushed()
	until(t, "local delivery goes on", func() bool { return a.socket.Pushed() > before+500 })
	mend(bus)
	took := max(crossing(t, a, b, "back-a"), crossing(t, b, a, "back-b"))
	sent := stop()
	t.Logf("cluster delivery was back %v after the bus; %d broadcasts", took, sent)
	until(t, "every broadcast was delivered where it was sent", func() bool {
		return len(stormOf(t, a)) == sent
	})
	got := stormOf(t, b)
	if config.Recovery != nil { // a log that is on disk loses nothing
		until(t, "every broadcast was delivered on the other node", func() bool { return len(stormOf(t, b)) == sent })
		got = stormOf(t, b)
	}
	for i := 1; i < len(got); i++ {
		if got[i] <= got[i-1] {
			t.Fatalf("broadcast %d came after %d", got[i], got[i-1])
		}
	}
	return took
}

// stormOf returns the numbers of the storm's broadcasts that a node's socket has.
func stormOf(t testing.TB, x *node) (list []int) {
	t.Helper()
	for _, p := range x.socket.Received() {
		if rest, ok := strings.CutPrefix(p.Name, "storm"); ok {
			var n int
			if _, err := fmt.Sscan(rest, &n); err != nil {
				t.Fatal(err)
			}
			list = append(list, n)
		}
	}
	return list
}

func TestServerKilled(t *testing.T) {
	strike := func(p *process) { p.kill() }
	mend := func(p *process) { p.run() }
	t.Run("core", func(t *testing.T) { testFault(t, nats.Config{}, strike, mend) })
	t.Run("recovery", func(t *testing.T) { testFault(t, nats.Config{Recovery: &nats.Recovery{}}, strike, mend) })
}

func TestServerFrozen(t *testing.T) {
	strike := func(p *process) { p.freeze() }
	mend := func(p *process) { p.thaw() }
	t.Run("core", func(t *testing.T) { testFault(t, nats.Config{}, strike, mend) })
	t.Run("recovery", func(t *testing.T) { testFault(t, nats.Config{Recovery: &nats.Recovery{}}, strike, mend) })
}

func TestDeadNodeIsNamed(t *testing.T) {
	url := embed(t).ClientURL()
	a, _ := pair(t, url, nats.Config{})
	c := join(t, url, "c", 2, nats.Config{})
	until(t, "a knows c", func() bool { return len(a.Nodes()) == 2 })
	c.conn.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	var ids []string
	var partial *adapter.PartialError
	for s, err := range a.Fetch(ctx, adapter.Selection{}) {
		if err == nil {
			ids = append(ids, s.ID)
		} else if !errors.As(err, &partial) {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{"a", "b"}, ids); diff != "" {
		t.Errorf("sockets (-want +got):\n%s", diff)
	}
	if partial == nil || !cmp.Equal(partial.Nodes, []string{"c"}) {
		t.Errorf("the error is %v, and should name c", partial)
	}
}

// TestHostileMessages puts what makes no sense on every subject.
func TestHostileMessages(t *testing.T) {
	a, b := pair(t, embed(t).ClientURL(), nats.Config{Recovery: &nats.Recovery{Memory: true}})
	before := b.Stats().Dropped
	list := []string{"", "x", "{}", "\xc1", "\xdf\xff\xff\xff\xff", strings.Repeat("\x91", 1<<19), "\x81\xa3uid\xa1*"}
	subjects := []string{"socketio.all.%2f", "socketio.to.%2f.b", "socketio.log.%2f"}
	for _, subject := range subjects {
		for _, message := range list {
			if err := a.conn.Publish(subject, []byte(message)); err != nil {
				t.Fatal(err)
			}
		}
	}
	a.emit(t, "after")
	until(t, "what comes after it", func() bool { return has(b.socket, "after") })
	until(t, "all are counted", func() bool { return b.Stats().Dropped-before == uint64(len(list)*len(subjects)) })
}

func TestEmitter(t *testing.T) {
	url := embed(t).ClientURL()
	for name, recovery := range map[string]*nats.Recovery{"core": nil, "recovery": {Memory: true}} {
		t.Run(name, func(t *testing.T) {
			config := nats.Config{Prefix: "emitter." + name, Recovery: recovery}
			a, b := pair(t, url, config)
			config.Conn = connect(t, url)
			e, err := nats.NewEmitter(config)
			if err != nil {
				t.Fatal(err)
			}
			if err := e.To("b").Emit("hello", 1, []byte{2}); err != nil {
				t.Fatal(err)
			}
			if err := e.Emit("everyone"); err != nil {
				t.Fatal(err)
			}
			if err := e.Of("/elsewhere").Emit("not here"); err != nil {
				t.Fatal(err)
			}
			for _, x := range []*node{a, b} {
				until(t, "everyone", func() bool { return has(x.socket, "everyone") })
			}
			if has(a.socket, "hello") || !has(b.socket, "hello") {
				t.Error("what was for b went astray")
			}
		})
	}
}
