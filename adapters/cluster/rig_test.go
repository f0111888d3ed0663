package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio/adapter"
	"github.com/siokit/siokit/socketio/adapter/adaptertest"
)

// rig is some servers on one bus, in a synctest bubble.
type rig struct {
	t        *testing.T
	bus      *cluster.MemoryBus
	servers  []*adaptertest.Server
	adapters []*cluster.Adapter
	ends     []*cable
}

// bubble runs f with n servers, named n0, n1 and so on, that know each other.
func bubble(t *testing.T, n int, config cluster.Config, f func(t *testing.T, r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{t: t, bus: &cluster.MemoryBus{}}
		for range n {
			r.add(config)
		}
		synctest.Wait()
		f(t, r)
		for _, a := range r.adapters {
			if err := a.Close(t.Context()); err != nil {
				t.Errorf("Close: %v", err)
			}
		}
	})
}

func (r *rig) add(config cluster.Config) *cluster.Adapter {
	r.t.Helper()
	sv := adaptertest.NewServer("/")
	end := &cable{MemoryBus: r.bus}
	config.Bus = end
	config.UID = fmt.Sprint("n", len(r.adapters))
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	a, err := cluster.New(config)(sv)
	if err != nil {
		r.t.Fatal(err)
	}
	r.servers = append(r.servers, sv)
	r.adapters = append(r.adapters, a.(*cluster.Adapter))
	r.ends = append(r.ends, end)
	return a.(*cluster.Adapter)
}

func (r *rig) socket(on int, id string, rooms ...string) *adaptertest.Socket {
	r.t.Helper()
	s := adaptertest.NewSocket(id)
	if err := r.adapters[on].Join(s, append([]string{id}, rooms...)...); err != nil {
		r.t.Fatal(err)
	}
	return s
}

func (r *rig) broadcast(from int, name string, rooms ...string) error {
	return r.adapters[from].Broadcast(event(name), adapter.Selection{Rooms: rooms})
}

func event(name string) *sioparser.Packet {
	return &sioparser.Packet{Type: sioparser.Event, Name: []byte(name)}
}

// names are the events that a socket has received.
func names(s *adaptertest.Socket) string {
	var list []string
	for _, p := range s.Received() {
		list = append(list, p.Name)
	}
	return strings.Join(list, " ")
}

// count ranges over a sequence to its end.
func count[T any](seq iter.Seq2[T, error]) (n int, err error) {
	for _, e := range seq {
		if e != nil {
			err = errors.Join(err, e)
			continue
		}
		n++
	}
	return n, err
}

// partial returns the PartialError in err.
func partial(t *testing.T, err error) *adapter.PartialError {
	t.Helper()
	var p *adapter.PartialError
	if !errors.As(err, &p) {
		t.Fatalf("error %v, want a PartialError", err)
	}
	return p
}

// raw puts bytes of anybody's on the bus.
func (r *rig) raw(topic, message string) {
	r.t.Helper()
	if err := r.bus.Publish(context.Background(), topic, []byte(message)); err != nil {
		r.t.Fatal(err)
	}
}

// spy notes everything on a topic.
func (r *rig) spy(topic string) func() []string {
	var seen []string
	stop, err := r.bus.Subscribe(topic, func(data []byte) { seen = append(seen, string(data)) })
	if err != nil {
		r.t.Fatal(err)
	}
	return func() []string {
		synctest.Wait()
		stop()
		return seen
	}
}
