package adapter

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"sync"
)

// Gather puts together what sockets and other servers answer to one request,
// and hands it on as it arrives. It is for those who write adapters: answers go
// in from any goroutine, without blocking; one goroutine ranges over [Gather.All].
//
// A request is complete when each socket passed to Expect has answered or is
// lost, and each server passed to ExpectNodes has answered, or has said how many
// sockets it will answer for and has sent as many answers, or has left. All
// that is awaited from the beginning is passed before All is called.
//
// Some wires don't tell which server a message is from. An empty name stands for
// any of the servers that were passed to ExpectMoreNodes.
type Gather[T any] struct {
	mu      sync.Mutex
	arrived []T
	sockets map[Socket]struct{} // of this server, awaited
	nodes   map[string]*nodeState
	unnamed int          // servers that will answer and whose names are not known yet
	pooled  int          // answers that nameless servers still owe; below zero when answers overtake counts
	lost    PartialError // what will not be answered
	end     error        // set by Close
	wake    chan struct{}
}

// nodeState is what is awaited of one other server.
type nodeState struct {
	counted bool // it has said how many sockets it has asked
	awaited int  // their answers; below zero when answers overtake the count
}

func (n *nodeState) done() bool { return n.counted && n.awaited <= 0 }

// NewGather returns a Gather that waits for nothing yet.
func NewGather[T any]() *Gather[T] {
	return &Gather[T]{wake: make(chan struct{}, 1)}
}

// change locks, runs f and wakes whoever waits in All.
func (g *Gather[T]) change(f func()) {
	g.mu.Lock()
	f()
	g.mu.Unlock()
	select {
	case g.wake <- struct{}{}:
	default:
	}
}

// Expect adds sockets of this server to what is awaited; see
// [Memory.DeliverAck].
func (g *Gather[T]) Expect(sockets []Socket) {
	g.change(func() {
		if g.sockets == nil {
			g.sockets = make(map[Socket]struct{}, len(sockets))
		}
		for _, s := range sockets {
			g.sockets[s] = struct{}{}
		}
	})
}

// Answer takes the answer of a socket of this server; of one that isn't awaited
// it takes none.
func (g *Gather[T]) Answer(s Socket, v T) {
	g.change(func() {
		if _, ok := g.sockets[s]; ok {
			delete(g.sockets, s)
			g.arrived = append(g.arrived, v)
		}
	})
}

// Lose notes that a socket of this server won't answer.
func (g *Gather[T]) Lose(s Socket) {
	g.change(func() {
		if _, ok := g.sockets[s]; ok {
			delete(g.sockets, s)
			g.lost.Sockets = append(g.lost.Sockets, s.ID())
		}
	})
}

// Awaited returns the sockets of this server that have not answered.
func (g *Gather[T]) Awaited() []Socket {
	g.mu.Lock()
	defer g.mu.Unlock()
	list := make([]Socket, 0, len(g.sockets))
	for s := range g.sockets {
		list = append(list, s)
	}
	return list
}

// ExpectNodes adds servers to what is awaited.
func (g *Gather[T]) ExpectNodes(names ...string) {
	g.change(func() {
		for _, name := range names {
			g.node(name)
		}
	})
}

// ExpectMoreNodes adds n servers whose names are not known.
func (g *Gather[T]) ExpectMoreNodes(n int) { g.change(func() { g.unnamed += n }) }

// NodeAnswer takes everything that another server answers, at once. A second
// answer of the same server is ignored.
func (g *Gather[T]) NodeAnswer(node string, vs ...T) {
	g.change(func() {
		if node == "" {
			g.unnamed = max(g.unnamed-1, 0)
			g.arrived = append(g.arrived, vs...)
			return
		}
		if st := g.node(node); !st.counted {
			st.counted = true
			g.arrived = append(g.arrived, vs...)
		}
	})
}

// NodeCount notes that another server has asked n sockets. A server that wasn't
// known when the request began is awaited from now on.
func (g *Gather[T]) NodeCount(node string, n int) {
	g.change(func() {
		if node == "" {
			g.unnamed = max(g.unnamed-1, 0)
			g.pooled += n
			return
		}
		if st := g.node(node); !st.counted {
			st.counted = true
			st.awaited += n
		}
	})
}

// NodeReply takes the answer of one socket of another server.
func (g *Gather[T]) NodeReply(node string, v T) {
	g.change(func() {
		if node == "" {
			g.pooled--
			g.arrived = append(g.arrived, v)
			return
		}
		if st := g.node(node); !st.done() {
			st.awaited--
			g.arrived = append(g.arrived, v)
		}
	})
}

// NodeLose notes that one socket of another server won't answer.
func (g *Gather[T]) NodeLose(node, socket string) {
	g.change(func() {
		if st := g.node(node); !st.done() {
			st.awaited--
			g.lost.Sockets = append(g.lost.Sockets, socket)
		}
	})
}

// NodeLeft notes that another server is gone. What its sockets have not answered
// is lost. If it has left without an answer because of err, it counts as
// missing; with a nil err it has said goodbye, and nothing is missing of it but
// the sockets that it had announced.
func (g *Gather[T]) NodeLeft(node string, err error) {
	g.change(func() {
		if node == "" && g.unnamed > 0 {
			g.unnamed--
			if err != nil {
				g.lost.MoreNodes++
				g.lost.Err = cmp.Or(g.lost.Err, err)
			}
			return
		}
		st := g.nodes[node]
		if st == nil {
			return
		}
		if st.counted && st.awaited > 0 {
			g.lost.MoreSockets += st.awaited
		}
		if err != nil && !st.done() {
			g.lost.Nodes = append(g.lost.Nodes, node)
			g.lost.Err = cmp.Or(g.lost.Err, err)
		}
		st.counted, st.awaited = true, 0
	})
}

// node returns what is awaited of a server. One that isn't known yet is one of
// the unnamed, or has come since the request began.
func (g *Gather[T]) node(name string) *nodeState {
	st := g.nodes[name]
	if st == nil {
		st = &nodeState{}
		if g.nodes == nil {
			g.nodes = make(map[string]*nodeState)
		}
		g.nodes[name] = st
		g.unnamed = max(g.unnamed-1, 0)
	}
	return st
}

// Close ends the waiting: what has not arrived is missing, because of err.
func (g *Gather[T]) Close(err error) {
	g.change(func() {
		if g.end == nil {
			g.end = err
		}
	})
}

// All yields what arrives until the request is complete, ctx ends or Close is
// called. If something is missing then, the last element is a *PartialError.
func (g *Gather[T]) All(ctx context.Context) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		for {
			g.mu.Lock()
			batch := g.arrived
			g.arrived = nil
			complete := g.complete()
			err := g.end
			if err == nil {
				err = context.Cause(ctx)
			}
			var partial *PartialError
			if complete || err != nil {
				partial = g.missing(err)
			}
			g.mu.Unlock()

			for _, v := range batch {
				if !yield(v, nil) {
					return
				}
			}
			switch {
			case partial != nil:
				yield(zero, partial)
				return
			case complete:
				return
			}
			select {
			case <-g.wake:
			case <-ctx.Done():
			}
		}
	}
}

func (g *Gather[T]) complete() bool {
	if len(g.sockets) > 0 || g.unnamed > 0 || g.pooled > 0 {
		return false
	}
	for _, n := range g.nodes {
		if !n.done() {
			return false
		}
	}
	return true
}

// missing returns what will not arrive any more when the waiting ends now, nil
// if that is nothing. err is why it ends before everything has arrived.
func (g *Gather[T]) missing(err error) *PartialError {
	p := g.lost
	p.Nodes, p.Sockets = slices.Clone(p.Nodes), slices.Clone(p.Sockets)
	if !g.complete() {
		p.Err = err
		p.MoreNodes += g.unnamed
		p.MoreSockets += max(g.pooled, 0)
		for s := range g.sockets {
			p.Sockets = append(p.Sockets, s.ID())
		}
		for name, n := range g.nodes {
			if !n.done() {
				p.Nodes = append(p.Nodes, name)
				p.MoreSockets += max(n.awaited, 0)
			}
		}
	}
	if len(p.Nodes)+p.MoreNodes+len(p.Sockets)+p.MoreSockets == 0 {
		return nil
	}
	p.Err = cmp.Or(p.Err, ErrGone)
	slices.Sort(p.Nodes)
	slices.Sort(p.Sockets)
	return &p
}
