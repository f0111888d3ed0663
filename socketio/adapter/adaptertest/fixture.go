package adaptertest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio/adapter"
)

// fixture is a running cluster.
type fixture struct {
	within   time.Duration
	cluster  Cluster
	make     adapter.New
	servers  []*Server
	adapters []adapter.Adapter
	sockets  []*placed
	marks    int
}

// placed is a socket on a server.
type placed struct {
	*Socket
	on   int
	seen int // received packets that were compared already
}

func newFixture(t testing.TB, c Cluster) *fixture {
	t.Helper()
	f := &fixture{within: c.Within, cluster: c, make: c.Start(t)}
	if f.within == 0 {
		f.within = 10 * time.Second
	}
	for range max(c.Servers, 1) {
		f.addServer(t, "/test")
	}
	f.converge(t, len(f.servers))
	return f
}

// addServer starts one more server and returns its number.
func (f *fixture) addServer(t testing.TB, namespace string) int {
	t.Helper()
	sv := NewServer(namespace)
	a, err := f.make(sv)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	f.servers = append(f.servers, sv)
	f.adapters = append(f.adapters, a)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), f.within)
		defer cancel()
		if err := a.Close(ctx); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return len(f.servers) - 1
}

// converge waits until each server knows of n.
func (f *fixture) converge(t testing.TB, n int) {
	t.Helper()
	for i, a := range f.adapters[:min(n, len(f.adapters))] {
		if c, ok := a.(adapter.Counter); ok {
			f.until(t, fmt.Sprintf("server %d knows of %d servers", i, n), func() bool {
				got, err := c.Servers(t.Context())
				return err == nil && got == n
			})
		}
	}
}

// until waits for a condition.
func (f *fixture) until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.NewTimer(f.within)
	defer deadline.Stop()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("not within %v: %s", f.within, what)
		}
	}
}

// soon returns a context that ends when the test must have.
func (f *fixture) soon(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), f.within)
	t.Cleanup(cancel)
	return ctx
}

// bounded fails the test if do doesn't return.
func (f *fixture) bounded(t testing.TB, what string, do func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { // ends with do; if that never returns, neither would the test
		defer close(done)
		do()
	}()
	timeout := time.NewTimer(f.within)
	defer timeout.Stop()
	select {
	case <-done:
	case <-timeout.C:
		t.Fatalf("%s has not returned within %v", what, f.within)
	}
}

// socket adds a socket to a server, in its own room and these.
func (f *fixture) socket(t testing.TB, on int, id string, rooms ...string) *placed {
	t.Helper()
	s := &placed{Socket: NewSocket(id), on: on}
	f.join(t, s, append([]string{id}, rooms...)...)
	f.sockets = append(f.sockets, s)
	return s
}

func (f *fixture) join(t testing.TB, s *placed, rooms ...string) {
	t.Helper()
	if err := f.adapters[s.on].Join(s.Socket, rooms...); err != nil {
		t.Fatalf("Join of %s: %v", s.id, err)
	}
}

// event makes a packet; args is a JSON array.
func event(t testing.TB, name, args string, attachments ...[]byte) *sioparser.Packet {
	t.Helper()
	a, err := sioparser.ParseArgs([]byte(args), attachments)
	if err != nil {
		t.Fatalf("arguments %s: %v", args, err)
	}
	return &sioparser.Packet{Type: sioparser.Event, Name: []byte(name), Args: a}
}

// emit broadcasts from a server. The adapter must leave the packet as it is,
// and must not need its memory any more when Broadcast has returned.
func (f *fixture) emit(t testing.TB, from int, sel adapter.Selection, name string, args ...string) {
	t.Helper()
	p := event(t, name, "["+strings.Join(args, ",")+"]")
	before := PacketOf(p)
	if err := f.adapters[from].Broadcast(p, sel); err != nil {
		t.Errorf("Broadcast of %s: %v", name, err)
	}
	if diff := cmp.Diff(before, PacketOf(p)); diff != "" {
		t.Errorf("Broadcast has changed the packet (-before +after):\n%s", diff)
	}
	scribble(p)
}

// scribble spoils the memory of a packet whose call has returned. The digit
// keeps it readable for whoever wrongly does.
func scribble(p *sioparser.Packet) {
	for i := range p.Name {
		p.Name[i] = '9'
	}
	raw := p.Args.Raw()
	for i := range raw {
		raw[i] = '9'
	}
}

const markPrefix = "mark-"

// settle broadcasts a mark to everyone from each of the given servers (all, if
// none is given) and waits until every socket has it: what they had sent before
// has arrived then, or never will, as one server's packets arrive in order.
func (f *fixture) settle(t testing.TB, from ...int) {
	t.Helper()
	if len(from) == 0 {
		for i := range f.adapters {
			from = append(from, i)
		}
	}
	for _, i := range from {
		f.marks++
		mark := fmt.Sprint(markPrefix, f.marks)
		f.emit(t, i, adapter.Selection{}, mark)
		for _, s := range f.sockets {
			if s.isGone() || f.servers[s.on].namespace != f.servers[i].namespace {
				continue
			}
			f.until(t, fmt.Sprintf("socket %s on server %d gets a broadcast to everyone from server %d", s.id, s.on, i), func() bool {
				for _, p := range s.Received() {
					if p.Name == mark {
						return true
					}
				}
				return false
			})
		}
	}
}

// news returns what a socket has received since the last call, without marks.
func (s *placed) news() []Packet {
	all := s.Received()
	fresh := all[s.seen:]
	s.seen = len(all)
	var list []Packet
	for _, p := range fresh {
		if !strings.HasPrefix(p.Name, markPrefix) {
			list = append(list, p)
		}
	}
	return list
}

// got compares the names of what s has received since the last comparison.
func (s *placed) got(t testing.TB, why string, want ...string) {
	t.Helper()
	var names []string
	for _, p := range s.news() {
		names = append(names, p.Name)
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("%s: socket %s on server %d (-want +got):\n%s", why, s.id, s.on, diff)
	}
}

// rooms is a selection.
func rooms(names ...string) adapter.Selection { return adapter.Selection{Rooms: names} }

func except(sel adapter.Selection, names ...string) adapter.Selection {
	sel.Except = names
	return sel
}
