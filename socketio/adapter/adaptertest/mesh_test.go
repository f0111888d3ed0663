package adaptertest_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio/adapter"
	"github.com/siokit/siokit/socketio/adapter/adaptertest"
)

// mesh is a cluster of servers in one process that call each other, with at most
// one thing wrong.
type mesh struct {
	wrong string
	mu    sync.Mutex
	nodes []*node
	held  []*node // closed
	count int
}

type node struct {
	*adapter.Memory
	mesh  *mesh
	local adapter.Local
	name  string
	dead  bool // guarded by mesh.mu
}

func (m *mesh) add(local adapter.Local) (adapter.Adapter, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.count++
	n := &node{Memory: adapter.MakeMemory(local), mesh: m, local: local, name: strconv.Itoa(m.count)}
	m.nodes = append(m.nodes, n)
	return n, nil
}

func (m *mesh) is(wrong string) bool { return m.wrong == wrong }

// others returns the servers of the same namespace, and those of them that are
// alive.
func (n *node) others() (all, alive []*node) {
	n.mesh.mu.Lock()
	defer n.mesh.mu.Unlock()
	for _, o := range n.mesh.nodes {
		if o == n || o.local.Namespace() != n.local.Namespace() && !n.mesh.is("namespaces meet") {
			continue
		}
		all = append(all, o)
		if !o.dead {
			alive = append(alive, o)
		}
	}
	return all, alive
}

func (n *node) kill() {
	n.mesh.mu.Lock()
	defer n.mesh.mu.Unlock()
	n.dead = true
}

func (n *node) Close(ctx context.Context) error {
	n.mesh.mu.Lock()
	if !n.mesh.is("stays for ever") {
		n.mesh.nodes = slices.DeleteFunc(n.mesh.nodes, func(o *node) bool { return o == n })
	}
	if n.mesh.is("subscriptions never end") {
		n.mesh.held = append(n.mesh.held, n)
	}
	n.mesh.mu.Unlock()
	return n.Memory.Close(ctx)
}

func (n *node) reach(sel adapter.Selection) []*node {
	if sel.Flags&adapter.LocalOnly != 0 && !n.mesh.is("local goes out") {
		return nil
	}
	_, alive := n.others()
	return alive
}

func (n *node) Broadcast(p *sioparser.Packet, sel adapter.Selection) error {
	err := n.Memory.Broadcast(p, sel)
	for i, o := range n.reach(sel) {
		there, packet := sel, *p
		switch {
		case n.mesh.is("except stays here"):
			there.Except = nil
		case n.mesh.is("flags stay here"):
			there.Flags = 0
		case n.mesh.is("binary stays here") && p.Args.HasAttachments():
			packet.Args = sioparser.Args{}
		case n.mesh.is("one server is forgotten") && i > 0:
			continue
		}
		err = errors.Join(err, o.Memory.Broadcast(&packet, there))
	}
	return err
}

func (n *node) JoinAll(sel adapter.Selection, rooms ...string) error {
	if n.mesh.is("joins stay here") {
		return n.Memory.JoinAll(sel, rooms...)
	}
	err := n.Memory.JoinAll(sel, rooms...)
	for _, o := range n.reach(sel) {
		err = errors.Join(err, o.Memory.JoinAll(sel, rooms...))
	}
	return err
}

func (n *node) LeaveAll(sel adapter.Selection, rooms ...string) error {
	err := n.Memory.LeaveAll(sel, rooms...)
	for _, o := range n.reach(sel) {
		err = errors.Join(err, o.Memory.LeaveAll(sel, rooms...))
	}
	return err
}

func (n *node) DisconnectAll(sel adapter.Selection, closeConn bool) error {
	err := n.Memory.DisconnectAll(sel, closeConn)
	for _, o := range n.reach(sel) {
		err = errors.Join(err, o.Memory.DisconnectAll(sel, closeConn && !n.mesh.is("close stays here")))
	}
	return err
}

func (n *node) Servers(context.Context) (int, error) {
	all, _ := n.others()
	return 1 + len(all), nil
}

func (n *node) Fetch(ctx context.Context, sel adapter.Selection) iter.Seq2[adapter.SocketInfo, error] {
	return func(yield func(adapter.SocketInfo, error) bool) {
		g := adapter.NewGather[adapter.SocketInfo]()
		if sel.Flags&adapter.LocalOnly == 0 {
			all, alive := n.others()
			for _, o := range all {
				if !n.mesh.is("the dead are not missed") || slices.Contains(alive, o) {
					g.ExpectNodes(o.name)
				}
			}
			for _, o := range alive {
				var list []adapter.SocketInfo
				for _, s := range o.Sockets(sel) {
					handshake, data, err := o.local.Describe(s)
					if err != nil && !n.mesh.is("the gone are fetched") {
						continue
					}
					list = append(list, adapter.SocketInfo{ID: s.ID(), Rooms: s.Membership().Rooms(), Node: o.name, Handshake: handshake, Data: data})
				}
				g.NodeAnswer(o.name, list...)
			}
		}
		for s, err := range n.Memory.Fetch(ctx, sel) {
			if !yield(s, err) {
				return
			}
		}
		g.All(ctx)(yield)
	}
}

func (n *node) ServerEmit(p *sioparser.Packet) error {
	_, alive := n.others()
	if n.mesh.is("events come back") {
		alive = append(alive, n)
	}
	for _, o := range alive {
		o.local.ServerEvent(p, nil)
	}
	return nil
}

func (n *node) ServerEmitAck(ctx context.Context, p *sioparser.Packet) iter.Seq2[adapter.Reply, error] {
	return func(yield func(adapter.Reply, error) bool) {
		g := adapter.NewGather[adapter.Reply]()
		all, alive := n.others()
		for _, o := range all {
			g.ExpectNodes(o.name)
		}
		for _, o := range alive {
			o.local.ServerEvent(p, func(args sioparser.Args) {
				g.NodeAnswer(o.name, adapter.Reply{Args: args.Clone(), Node: o.name})
			})
		}
		if n.mesh.is("silent servers are not named") {
			for r, err := range g.All(ctx) {
				if err != nil || !yield(r, nil) {
					return
				}
			}
			return
		}
		g.All(ctx)(yield)
	}
}

func (n *node) BroadcastAck(ctx context.Context, p *sioparser.Packet, sel adapter.Selection) iter.Seq2[adapter.Reply, error] {
	return func(yield func(adapter.Reply, error) bool) {
		g := adapter.NewGather[adapter.Reply]()
		defer g.Close(nil)
		nodes := n.reach(sel)
		if sel.Flags&adapter.LocalOnly == 0 {
			all, _ := n.others()
			for _, o := range all {
				g.ExpectNodes(o.name)
			}
		}
		var forgets []func()
		defer func() {
			for _, f := range forgets {
				f()
			}
		}()
		for _, o := range nodes {
			asked := 0
			here := adapter.NewGather[struct{}]()
			forget, err := o.DeliverAck(p, sel, func(s []adapter.Socket) { asked = len(s); here.Expect(s) },
				func(s adapter.Socket, args sioparser.Args, err error) {
					if err != nil {
						here.Lose(s)
						g.NodeLose(o.name, s.ID())
						return
					}
					here.Answer(s, struct{}{})
					if n.mesh.is("replies lose their binary") {
						args = args.Slice(0, 0)
					}
					g.NodeReply(o.name, adapter.Reply{Args: args.Clone(), Node: o.name, Socket: s.ID()})
				})
			if err != nil {
				yield(adapter.Reply{}, err)
				return
			}
			if !n.mesh.is("others never forget") {
				forgets = append(forgets, func() { forget(here.Awaited()) })
			}
			if n.mesh.is("others are not waited for") {
				asked = 0
			}
			g.NodeCount(o.name, asked)
		}
		forget, err := n.DeliverAck(p, sel, g.Expect, func(s adapter.Socket, args sioparser.Args, err error) {
			if err != nil {
				g.Lose(s)
				return
			}
			g.Answer(s, adapter.Reply{Args: args.Clone(), Socket: s.ID()})
		})
		if err != nil {
			yield(adapter.Reply{}, err)
			return
		}
		defer func() { forget(g.Awaited()) }()
		g.All(ctx)(yield)
	}
}

func meshCluster(wrong string) adaptertest.Cluster {
	return adaptertest.Cluster{
		Servers: 3,
		Within:  500 * time.Millisecond,
		Kill:    func(a adapter.Adapter) { a.(*node).kill() },
		Start: func(testing.TB) adapter.New {
			m := &mesh{wrong: wrong}
			return m.add
		},
	}
}

func TestSuitePassesSoundCluster(t *testing.T) {
	c := meshCluster("")
	c.Within = 0
	adaptertest.RunCluster(t, c)
}

func TestSuiteFindsWhatIsBrokenInACluster(t *testing.T) {
	for wrong, found := range map[string]string{
		"local goes out":               "Cluster/LocalOnly",
		"except stays here":            "Cluster/Broadcast",
		"one server is forgotten":      "Cluster/Broadcast",
		"flags stay here":              "Cluster/Flags",
		"binary stays here":            "Cluster/PacketIntact",
		"namespaces meet":              "Cluster/Namespaces",
		"joins stay here":              "Cluster/Move",
		"close stays here":             "Cluster/Disconnect",
		"the gone are fetched":         "Cluster/Fetch",
		"events come back":             "Cluster/ServerEmit",
		"silent servers are not named": "Cluster/ServerEmitSilent",
		"the dead are not missed":      "Cluster/Dead",
		"replies lose their binary":    "Cluster/Ack",
		"others are not waited for":    "Cluster/AckSilentSocket",
		"others never forget":          "Cluster/AckForgotten",
		"stays for ever":               "Cluster/Leave",
		"subscriptions never end":      "CloseLetsGo",
	} {
		t.Run(wrong, func(t *testing.T) {
			t.Parallel()
			if failed := adaptertest.Failures(t, meshCluster(wrong), found); failed[found] == "" {
				t.Errorf("check %s has passed", found)
			}
		})
	}
}
