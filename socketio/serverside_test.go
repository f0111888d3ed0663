package socketio_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio"
	"github.com/siokit/siokit/socketio/adapter"
)

// hub connects the adapters of several servers in one process, for server-side
// events only.
type hub struct {
	mu    sync.Mutex
	nodes []*node
}

type node struct {
	*adapter.Memory
	hub   *hub
	local adapter.Local
	name  string
}

func (h *hub) adapter(name string) adapter.New {
	return func(l adapter.Local) (adapter.Adapter, error) {
		n := &node{adapter.MakeMemory(l), h, l, name}
		h.mu.Lock()
		defer h.mu.Unlock()
		h.nodes = append(h.nodes, n)
		return n, nil
	}
}

func (n *node) Close(ctx context.Context) error {
	n.hub.mu.Lock()
	n.hub.nodes = slices.DeleteFunc(n.hub.nodes, func(o *node) bool { return o == n })
	n.hub.mu.Unlock()
	return n.Memory.Close(ctx)
}

func (n *node) others() []*node {
	n.hub.mu.Lock()
	defer n.hub.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(n.hub.nodes), func(o *node) bool {
		return o == n || o.local.Namespace() != n.local.Namespace()
	})
}

func (n *node) ServerEmit(p *sioparser.Packet) error {
	for _, o := range n.others() {
		o.local.ServerEvent(p, nil)
	}
	return nil
}

func (n *node) ServerEmitAck(ctx context.Context, p *sioparser.Packet) iter.Seq2[adapter.Reply, error] {
	return func(yield func(adapter.Reply, error) bool) {
		replies := make(chan adapter.Reply, 10)
		others := n.others()
		for _, o := range others {
			o.local.ServerEvent(p, func(args sioparser.Args) {
				replies <- adapter.Reply{Args: args.Clone(), Node: o.name}
			})
		}
		for range others {
			select {
			case r := <-replies:
				if !yield(r, nil) {
					return
				}
			case <-ctx.Done():
				yield(adapter.Reply{}, &adapter.PartialError{Nodes: []string{"?"}, Err: context.Cause(ctx)})
				return
			}
		}
	}
}

var (
	reload = socketio.DefineEvent[socketio.Args2[string, int]]("reload").BetweenServers()
	load   = socketio.DefineCall[string, int]("load").BetweenServers()
)

// cluster makes n servers, which no client can reach.
func cluster(t *testing.T, n int) []*socketio.Server {
	h := new(hub)
	var servers []*socketio.Server
	for i := range n {
		config := quiet()
		config.Adapter = h.adapter(string(rune('a' + i)))
		srv := newServer(t, config)
		t.Cleanup(func() {
			if err := srv.Shutdown(context.Background()); err != nil {
				t.Error(err)
			}
		})
		servers = append(servers, srv)
	}
	return servers
}

func TestServerSideEvents(t *testing.T) {
	servers := cluster(t, 3)
	got := make(chan socketio.Args2[string, int], 10)
	for _, srv := range servers {
		reload.On(srv, func(_ context.Context, v socketio.Args2[string, int]) error {
			got <- v
			return nil
		})
	}
	for i := range 10 {
		if err := reload.Emit(servers[0], socketio.Args2[string, int]{A: "x", B: i}); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[int]int{}
	for range 20 {
		seen[receive(t, got).B]++
	}
	for i := range 10 {
		if seen[i] != 2 {
			t.Errorf("event %d came %d times", i, seen[i])
		}
	}
	if err := servers[0].ServerSideEmit("connection"); !errors.Is(err, socketio.ErrReserved) {
		t.Error(err)
	}
}

func TestDoServers(t *testing.T) {
	synctest.Test(t, doServers)
}

func doServers(t *testing.T) {
	servers := cluster(t, 4)
	load.On(servers[1], func(_ context.Context, q string) (int, error) { return len(q), nil })
	load.On(servers[2], func(context.Context, string) (int, error) {
		return 0, &socketio.PublicError{Message: "starting"}
	})
	load.On(servers[3], func(context.Context, string) (int, error) { panic("boom") })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	got := map[string]string{}
	for r, err := range load.DoServers(ctx, servers[0], "four") {
		switch {
		case err == nil:
			got[r.Node] = string(rune('0' + r.Value))
		case r.Node != "":
			got[r.Node] = err.Error()
		default:
			var partial *socketio.PartialError
			if !errors.As(err, &partial) || !errors.Is(err, socketio.ErrAckTimeout) {
				t.Error(err)
			}
			got["end"] = "partial"
		}
	}
	want := map[string]string{"b": "4", "c": "socketio: remote: starting", "end": "partial"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
