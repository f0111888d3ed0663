package adapter

import (
	"context"
	"iter"

	"github.com/siokit/siokit/sioparser"
)

// What recovery doesn't change is the index's.

// Fetch implements [Fetcher].
func (r *Recovery) Fetch(ctx context.Context, sel Selection) iter.Seq2[SocketInfo, error] {
	return r.index.Fetch(ctx, sel)
}

// JoinAll implements [Mover].
func (r *Recovery) JoinAll(sel Selection, rooms ...string) error {
	return joinAll(r, r.index.Sockets(sel), rooms)
}

// LeaveAll implements [Mover].
func (r *Recovery) LeaveAll(sel Selection, rooms ...string) error {
	for _, s := range r.index.Sockets(sel) {
		r.Leave(s, rooms...)
	}
	return nil
}

// DisconnectAll implements [Mover].
func (r *Recovery) DisconnectAll(sel Selection, closeConn bool) error {
	return r.index.DisconnectAll(sel, closeConn)
}

// ServerEmit implements [ServerEmitter]: there is no other server.
func (r *Recovery) ServerEmit(p *sioparser.Packet) error { return r.index.ServerEmit(p) }

// ServerEmitAck implements [ServerEmitter]: nobody answers.
func (r *Recovery) ServerEmitAck(ctx context.Context, p *sioparser.Packet) iter.Seq2[Reply, error] {
	return r.index.ServerEmitAck(ctx, p)
}

// Servers implements [Counter].
func (r *Recovery) Servers(ctx context.Context) (int, error) { return r.index.Servers(ctx) }

// Observe implements [Observable].
func (r *Recovery) Observe(h Hook) (stop func()) { return r.index.Observe(h) }

// Rooms implements [Index].
func (r *Recovery) Rooms() iter.Seq[string] { return r.index.Rooms() }

// SocketRooms implements [Index].
func (r *Recovery) SocketRooms(id string) []string { return r.index.SocketRooms(id) }

// Sockets implements [Index].
func (r *Recovery) Sockets(sel Selection) []Socket { return r.index.Sockets(sel) }

// Len implements [Index].
func (r *Recovery) Len() (sockets, rooms int) { return r.index.Len() }
