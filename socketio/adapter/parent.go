package adapter

import (
	"context"
	"errors"
	"iter"

	"github.com/siokit/siokit/sioparser"
)

// Parent is the adapter of a parent namespace, one that stands for all the
// namespaces that were made from it. It has no sockets of its own: what is
// broadcast through it goes to the adapter of each child, which encodes it for
// its own namespace. Fetching and acknowledgements need one namespace, so it
// does not have them.
type Parent struct {
	children iter.Seq[Adapter]
}

var (
	_ Adapter = (*Parent)(nil)
	_ Mover   = (*Parent)(nil)
)

// NewParent returns a Parent of what children yields at each operation.
// children is called from any goroutine.
func NewParent(children iter.Seq[Adapter]) *Parent { return &Parent{children} }

// ErrParent is returned where a parent namespace can't act for its children.
var ErrParent = errors.New("adapter: a parent namespace has no sockets of its own")

// Join fails with ErrParent.
func (p *Parent) Join(Socket, ...string) error { return ErrParent }

// Leave does nothing.
func (p *Parent) Leave(Socket, ...string) {}

// Remove does nothing.
func (p *Parent) Remove(Socket) []string { return nil }

// Broadcast implements [Adapter]. One child's error keeps no other from sending.
func (p *Parent) Broadcast(packet *sioparser.Packet, sel Selection) error {
	return p.each(func(a Adapter) error { return a.Broadcast(packet, sel) })
}

// JoinAll implements [Mover].
func (p *Parent) JoinAll(sel Selection, rooms ...string) error {
	return p.movers(func(m Mover) error { return m.JoinAll(sel, rooms...) })
}

// LeaveAll implements [Mover].
func (p *Parent) LeaveAll(sel Selection, rooms ...string) error {
	return p.movers(func(m Mover) error { return m.LeaveAll(sel, rooms...) })
}

// DisconnectAll implements [Mover].
func (p *Parent) DisconnectAll(sel Selection, closeConn bool) error {
	return p.movers(func(m Mover) error { return m.DisconnectAll(sel, closeConn) })
}

// Close does nothing: the children close their own adapters.
func (p *Parent) Close(context.Context) error { return nil }

func (p *Parent) each(f func(Adapter) error) error {
	var failed []error
	for a := range p.children {
		if err := f(a); err != nil {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

func (p *Parent) movers(f func(Mover) error) error {
	return p.each(func(a Adapter) error {
		if m, ok := a.(Mover); ok {
			return f(m)
		}
		return errors.ErrUnsupported
	})
}
