package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/socketio/adapter"
	"github.com/siokit/siokit/socketio/adapter/adaptertest"
)

// iceBus is a bus that can freeze: Publish blocks until it is thawed.
type iceBus struct {
	*cluster.MemoryBus
	frozen chan struct{} // closed when it thaws
}

func (b *iceBus) Publish(ctx context.Context, topic string, data []byte) error {
	select {
	case <-b.frozen:
		return b.MemoryBus.Publish(ctx, topic, data)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func TestFrozenBusStopsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ice := &iceBus{&cluster.MemoryBus{}, make(chan struct{})}
		here, there := adaptertest.NewServer("/"), adaptertest.NewServer("/")
		a, err := cluster.New(cluster.Config{Bus: ice, MaxQueued: 10_000})(here)
		if err != nil {
			t.Fatal(err)
		}
		b, err := cluster.New(cluster.Config{Bus: ice.MemoryBus})(there)
		if err != nil {
			t.Fatal(err)
		}
		s, remote := adaptertest.NewSocket("s"), adaptertest.NewSocket("remote")
		for ad, s := range map[adapter.Adapter]adapter.Socket{a: s, b: remote} {
			if err := ad.Join(s, s.ID()); err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		taken := 0
		for i := range 200 {
			err := a.Broadcast(event(fmt.Sprint("n", i)), adapter.Selection{})
			switch {
			case err == nil:
				taken++
			case !errors.Is(err, cluster.ErrBusFull):
				t.Fatalf("broadcast %d: %v", i, err)
			}
		}
		if d := time.Since(began); d != 0 || len(s.Received()) != 200 {
			t.Errorf("200 broadcasts took %v; the local socket has %d", d, len(s.Received()))
		}
		if taken < 30 || taken > 100 {
			t.Errorf("%d broadcasts of about 170 bytes were queued in 10,000 bytes", taken)
		}
		<-time.After(10 * time.Second)
		close(ice.frozen)
		synctest.Wait()
		if n := len(remote.Received()); n != taken {
			t.Errorf("after the thaw the remote socket has %d packets, want the %d that were queued", n, taken)
		}
		if err := a.Broadcast(event("again"), adapter.Selection{}); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if !strings.HasSuffix(names(remote), " again") {
			t.Errorf("the remote socket has %q", names(remote))
		}
		for _, ad := range []adapter.Adapter{a, b} {
			if err := ad.Close(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestCloseOnFrozenBusEndsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ice := &iceBus{&cluster.MemoryBus{}, make(chan struct{})}
		a, err := cluster.New(cluster.Config{Bus: ice})(adaptertest.NewServer("/"))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := a.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Close: %v", err)
		}
	})
}

// sickBus refuses.
type sickBus struct{ *cluster.MemoryBus }

var errSick = errors.New("sick")

func (sickBus) Publish(context.Context, string, []byte) error { return errSick }

func TestRefusingBusIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		made, err := cluster.New(cluster.Config{Bus: sickBus{&cluster.MemoryBus{}}})(adaptertest.NewServer("/"))
		if err != nil {
			t.Fatal(err)
		}
		a := made.(*cluster.Adapter)
		if err := a.Broadcast(event("x"), adapter.Selection{}); err != nil {
			t.Errorf("Broadcast: %v", err)
		}
		synctest.Wait()
		if s := a.Stats(); s.Unpublished != 2 || s.Published != 0 {
			t.Errorf("%+v, want the first heartbeat and the packet unpublished", s)
		}
		if err := a.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

type deafBus struct{ *cluster.MemoryBus }

func (deafBus) Subscribe(string, func([]byte)) (func(), error) { return nil, errSick }

type bareBus struct{ cluster.Bus }

func TestConfig(t *testing.T) {
	bus := &cluster.MemoryBus{}
	for name, config := range map[string]cluster.Config{
		"no bus":                     {},
		"uid with a topic's sign":    {Bus: bus, UID: "a#b"},
		"uid of emitters":            {Bus: bus, UID: "emitter"},
		"uid too long":               {Bus: bus, UID: strings.Repeat("a", 65)},
		"timeout before interval":    {Bus: bus, HeartbeatInterval: 2, HeartbeatTimeout: 1},
		"negative request timeout":   {Bus: bus, RequestTimeout: -1},
		"negative queue":             {Bus: bus, MaxQueued: -1},
		"no heartbeats, no counting": {Bus: bareBus{bus}, HeartbeatInterval: -1},
		"bus without ears":           {Bus: deafBus{bus}},
	} {
		if a, err := cluster.New(config)(adaptertest.NewServer("/")); err == nil {
			t.Errorf("%s: no error", name)
			_ = a.Close(t.Context())
		}
	}
}

// lorry is a bus that waits for its first load, and takes only so much of one.
type lorry struct {
	cluster.MemoryBus
	ready chan struct{}
	loads [][]string
	take  int
}

func (l *lorry) Publish(ctx context.Context, topic string, data []byte) error {
	<-l.ready
	return l.MemoryBus.Publish(ctx, topic, data)
}

func (l *lorry) PublishBatch(ctx context.Context, messages []cluster.Publication) (int, error) {
	var load []string
	for i, m := range messages {
		if i == l.take {
			return i, errors.New("full")
		}
		load = append(load, m.Topic)
		if err := l.MemoryBus.Publish(ctx, m.Topic, m.Data); err != nil {
			return i, err
		}
	}
	l.loads = append(l.loads, load)
	return len(messages), nil
}

func TestPublisherBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := &lorry{ready: make(chan struct{}), take: 1000}
		a, err := cluster.New(cluster.Config{Bus: bus, Logger: slog.New(slog.DiscardHandler)})(adaptertest.NewServer("/"))
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait() // the first message, the greeting, is with the bus
		for range 600 {
			if err := a.Broadcast(event("x"), adapter.Selection{}); err != nil {
				t.Fatal(err)
			}
		}
		close(bus.ready)
		synctest.Wait()
		var sizes []int
		for _, load := range bus.loads {
			sizes = append(sizes, len(load))
		}
		if diff := cmp.Diff([]int{512, 88}, sizes); diff != "" {
			t.Errorf("sizes of batches (-want +got):\n%s", diff)
		}
		if s := a.(*cluster.Adapter).Stats(); s.Published != 601 || s.Unpublished != 0 {
			t.Errorf("%+v", s)
		}
		bus.take = 0
		bus.ready = make(chan struct{})
		for range 3 {
			if err := a.Broadcast(event("x"), adapter.Selection{}); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		close(bus.ready)
		synctest.Wait()
		if s := a.(*cluster.Adapter).Stats(); s.Published != 602 || s.Unpublished != 2 {
			t.Errorf("%+v", s)
		}
		if err := a.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
