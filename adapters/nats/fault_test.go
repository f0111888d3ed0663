package nats_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/siokit/siokit/adapters/nats"
	"github.com/siokit/siokit/socketio/adapter"
)

var (
	messages = flag.Int("messages", 1500, "how many broadcasts there are at least, around a fault of NATS")
	freeze   = flag.Duration("freeze", time.Second, "how long NATS is away at least")
)

// backWithin is the promise for a machine that isn't busy.
const backWithin = 3 * time.Second

// storm broadcasts until stop is called, so fast that a third of the messages fall
// into the fault.
func storm(t testing.TB, x *node, sent *atomic.Int64) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	each := 1 + *messages/3/int(max(*freeze, time.Second)/time.Millisecond)
	go func() { // ends with ctx; stop waits for it
		defer close(done)
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for ctx.Err() == nil {
			<-tick.C
			for range each {
				x.emit(t, fmt.Sprint("storm", sent.Load()+1))
				sent.Add(1)
			}
		}
	}()
	return func() { cancel(); <-done }
}

// crossing broadcasts until the other node has one.
func crossing(t testing.TB, from, to *node, tag string) {
	t.Helper()
	until(t, tag+": a broadcast crosses", func() bool {
		from.emit(t, tag)
		return has(to.socket, tag)
	})
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

// fault has the fault in the middle of the messages, for at least as long as -freeze
// says, and returns how long cluster delivery took to come back after the bus.
func fault(t *testing.T, config nats.Config, strike, mend func(*process)) time.Duration {
	t.Helper()
	config.MaxQueued = 512 << 20
	bus := start(t)
	a, b := pair(t, bus.url, config)
	before := a.socket.Pushed()
	var sent atomic.Int64
	stop := sync.OnceFunc(storm(t, a, &sent))
	defer stop()
	third := int64(*messages / 3)
	until(t, "the storm crosses", func() bool { return sent.Load() >= third && b.socket.Pushed() > 20 })
	strike(bus)
	struck, had := time.Now(), sent.Load()
	<-time.After(*freeze)
	until(t, "broadcasts without a bus", func() bool { return sent.Load() >= had+third })
	had = sent.Load()
	until(t, "local delivery goes on", func() bool { return a.socket.Pushed() >= before+int(had) })
	gone := time.Since(struck)
	heard := b.socket.Pushed()
	mend(bus)
	mended := time.Now()
	until(t, "the storm crosses again", func() bool { return b.socket.Pushed() > heard })
	took := time.Since(mended)
	crossing(t, b, a, "back") // after what waited
	until(t, "the rest of the storm", func() bool { return sent.Load() >= int64(*messages) })
	stop()
	all := int(sent.Load())
	until(t, "every broadcast was delivered where it was sent", func() bool {
		return len(stormOf(t, a)) == all
	})
	got := stormOf(t, b)
	if config.Recovery != nil { // a log that is on disk loses nothing
		until(t, "every broadcast was delivered on the other node", func() bool {
			got = stormOf(t, b)
			return len(got) == all
		})
	}
	for i := 1; i < len(got); i++ {
		if got[i] <= got[i-1] {
			t.Fatalf("broadcast %d came after %d", got[i], got[i-1])
		}
	}
	t.Logf("%d broadcasts, %d on the other node; the bus was gone for %v; cluster delivery was back %v after it",
		all, len(got), gone.Round(time.Millisecond), took.Round(time.Millisecond))
	return took
}

// stormOf returns the numbers of the storm's broadcasts that a node's socket has.
func stormOf(t testing.TB, x *node) (list []int) {
	t.Helper()
	for _, p := range x.socket.Received() {
		if rest, ok := strings.CutPrefix(p.Name, "storm"); ok {
			n, err := strconv.Atoi(rest)
			if err != nil {
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
