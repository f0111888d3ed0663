package adapter

import (
	"context"
	"errors"
	"hash/maphash"
	"iter"
	"slices"
	"sync/atomic"

	"github.com/siokit/siokit/sioparser"
)

// Memory is the adapter of a single server, and the part of every other adapter
// that knows the sockets of this one. It is two indexes: from a room to its
// sockets, sharded by the room's name, and from a socket to its rooms, in the
// socket's [Membership]. A room exists while it has members.
//
// Memory implements all optional interfaces but SessionStore and Restorer. As there are no
// other servers, ServerEmit reaches nobody and Servers is 1.
type Memory struct {
	local  Local
	seed   maphash.Seed
	shards []shard
	hooks  hooks
	closed atomic.Bool
}

var (
	_ Adapter        = (*Memory)(nil)
	_ AckBroadcaster = (*Memory)(nil)
	_ Fetcher        = (*Memory)(nil)
	_ Mover          = (*Memory)(nil)
	_ ServerEmitter  = (*Memory)(nil)
	_ Counter        = (*Memory)(nil)
	_ Index          = (*Memory)(nil)
	_ Observable     = (*Memory)(nil)
	_ New            = NewMemory
)

// NewMemory makes a [*Memory]; it is a [New].
func NewMemory(local Local) (Adapter, error) { return MakeMemory(local), nil }

// MakeMemory makes a Memory for an adapter that is built around one.
func MakeMemory(local Local) *Memory { return newMemory(local, shardCount()) }

func newMemory(local Local, shards int) *Memory {
	m := &Memory{local: local, seed: maphash.MakeSeed(), shards: make([]shard, shards)}
	m.hooks.panics, _ = local.(PanicReporter)
	return m
}

var errForeign = errors.New("adapter: the socket's membership belongs to another adapter")

// Join implements [Adapter].
func (m *Memory) Join(s Socket, rooms ...string) error {
	err := m.join(s, rooms, 0)
	m.hooks.report()
	return err
}

// join enters rooms; since is the position in the log of recovery.
func (m *Memory) join(s Socket, rooms []string, since uint64) error {
	ms := s.Membership()
	ms.mu.Lock()
	defer ms.mu.Unlock()
	switch {
	case ms.removed:
		return ErrRemoved
	case m.closed.Load():
		return ErrClosed
	case ms.index != nil && ms.index != m:
		return errForeign
	case len(ms.links)+len(rooms) > MaxRooms && len(ms.links)+ms.count(rooms) > MaxRooms:
		return ErrTooManyRooms
	}
	if ms.index == nil {
		ms.index = m
		sh := m.shardOf(s.ID())
		sh.mu.Lock()
		sh.register(s, ms)
		sh.mu.Unlock()
	}
	for _, name := range rooms {
		if ms.find(name) != nil {
			continue
		}
		sh := m.shardOf(name)
		sh.mu.Lock()
		l := sh.enter(s, name, &m.hooks)
		sh.mu.Unlock()
		l.since = since
		ms.add(l)
	}
	return nil
}

// count returns how many different rooms ms isn't in yet.
func (ms *Membership) count(rooms []string) int {
	fresh := make(map[string]struct{}, len(rooms))
	for _, name := range rooms {
		if ms.find(name) == nil {
			fresh[name] = struct{}{}
		}
	}
	return len(fresh)
}

// Leave implements [Adapter].
func (m *Memory) Leave(s Socket, rooms ...string) {
	m.leave(s, rooms, nil)
	m.hooks.report()
}

// leave takes s out of rooms and tells left, if that isn't nil, of each.
func (m *Memory) leave(s Socket, rooms []string, left func(*link)) {
	ms := s.Membership()
	ms.mu.Lock()
	defer ms.mu.Unlock()
	if ms.index != m {
		return
	}
	for _, name := range rooms {
		if l := ms.find(name); l != nil {
			m.cut(l)
			ms.drop(l)
			if left != nil {
				left(l)
			}
		}
	}
}

// cut takes the socket of l out of its room.
func (m *Memory) cut(l *link) {
	sh := m.shardOf(l.room.name)
	sh.mu.Lock()
	sh.exit(l, &m.hooks)
	sh.mu.Unlock()
}

// Remove implements [Adapter].
func (m *Memory) Remove(s Socket) []string {
	rooms, _ := m.remove(s)
	m.hooks.report()
	return rooms
}

// remove reports false for a socket that was removed before, or never joined.
func (m *Memory) remove(s Socket) (rooms []string, ok bool) {
	ms := s.Membership()
	ms.mu.Lock()
	defer ms.mu.Unlock()
	if ms.index != nil && ms.index != m || ms.removed {
		return nil, false
	}
	ms.removed = true
	if ms.index == nil {
		return nil, false
	}
	rooms = ms.rooms()
	for _, l := range ms.links {
		m.cut(l)
	}
	ms.links, ms.byRoom = nil, nil
	sh := m.shardOf(s.ID())
	sh.mu.Lock()
	sh.unregister(s, ms)
	sh.mu.Unlock()
	return rooms, true
}

// Broadcast implements [Adapter]. If nobody is selected, p isn't encoded.
func (m *Memory) Broadcast(p *sioparser.Packet, sel Selection) error {
	return m.BroadcastTo(p, sel, m.local.Flush)
}

// BroadcastTo is Broadcast as DeliverTo is Deliver.
func (m *Memory) BroadcastTo(p *sioparser.Packet, sel Selection, flush func([]Socket)) error {
	if !m.anyone(sel) {
		return nil
	}
	d, err := m.local.Prepare(p, sel.Flags)
	if err != nil {
		return err
	}
	m.DeliverTo(d, sel, flush)
	return nil
}

// Deliver hands a delivery that Local has prepared to the sockets that sel
// selects: Broadcast without the encoding, for adapters that encode elsewhere.
func (m *Memory) Deliver(d Delivery, sel Selection) { m.DeliverTo(d, sel, m.local.Flush) }

// DeliverTo is Deliver with another way to write what it has queued, for adapters
// to which many packets come at once: flush is called once, with no lock held and
// only if somebody was selected, and does not keep the slice.
func (m *Memory) DeliverTo(d Delivery, sel Selection, flush func([]Socket)) {
	w := newWalk()
	defer w.free()
	held := m.rlock(sel)
	m.collect(sel, w)
	for _, s := range w.sockets {
		s.Push(d)
	}
	m.runlock(held)
	if len(w.sockets) > 0 {
		flush(w.sockets)
	}
}

// Close implements [Adapter]. There is nothing to wait for; further joins fail.
func (m *Memory) Close(context.Context) error {
	m.closed.Store(true)
	return nil
}

// Fetch implements [Fetcher].
func (m *Memory) Fetch(_ context.Context, sel Selection) iter.Seq2[SocketInfo, error] {
	return func(yield func(SocketInfo, error) bool) {
		for _, s := range m.Sockets(sel) {
			if !yield(SocketInfo{ID: s.ID(), Rooms: s.Membership().Rooms(), Local: s}, nil) {
				return
			}
		}
	}
}

// JoinAll implements [Mover].
func (m *Memory) JoinAll(sel Selection, rooms ...string) error {
	return joinAll(m, m.Sockets(sel), rooms)
}

func joinAll(a Adapter, sockets []Socket, rooms []string) error {
	var failed []error
	for _, s := range sockets {
		if err := a.Join(s, rooms...); err != nil && err != ErrRemoved {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

// LeaveAll implements [Mover].
func (m *Memory) LeaveAll(sel Selection, rooms ...string) error {
	for _, s := range m.Sockets(sel) {
		m.Leave(s, rooms...)
	}
	return nil
}

// DisconnectAll implements [Mover].
func (m *Memory) DisconnectAll(sel Selection, closeConn bool) error {
	for _, s := range m.Sockets(sel) {
		m.local.Disconnect(s, closeConn)
	}
	return nil
}

// ServerEmit implements [ServerEmitter]: there is no other server.
func (m *Memory) ServerEmit(*sioparser.Packet) error { return nil }

// ServerEmitAck implements [ServerEmitter]: nobody answers.
func (m *Memory) ServerEmitAck(context.Context, *sioparser.Packet) iter.Seq2[Reply, error] {
	return func(func(Reply, error) bool) {}
}

// Servers implements [Counter].
func (m *Memory) Servers(context.Context) (int, error) { return 1, nil }

// Observe implements [Observable].
func (m *Memory) Observe(h Hook) (stop func()) { return m.hooks.observe(h) }

// Rooms implements [Index].
func (m *Memory) Rooms() iter.Seq[string] {
	return func(yield func(string) bool) {
		var names []string
		for i := range m.shards {
			sh := &m.shards[i]
			sh.mu.RLock()
			names = slices.Grow(names[:0], len(sh.rooms))
			for name := range sh.rooms {
				names = append(names, name)
			}
			sh.mu.RUnlock()
			for _, name := range names {
				if !yield(name) {
					return
				}
			}
		}
	}
}

// SocketRooms implements [Index].
func (m *Memory) SocketRooms(id string) []string {
	sh := m.shardOf(id)
	sh.mu.RLock()
	s := sh.ids[id]
	sh.mu.RUnlock()
	if s == nil {
		return nil
	}
	return s.Membership().Rooms()
}

// HasRoom reports whether a room has members on this server.
func (m *Memory) HasRoom(room string) bool {
	sh := m.shardOf(room)
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	return sh.rooms[room] != nil
}

// Sockets implements [Index].
func (m *Memory) Sockets(sel Selection) []Socket {
	w := newWalk()
	defer w.free()
	held := m.rlock(sel)
	m.collect(sel, w)
	m.runlock(held)
	return slices.Clone(w.sockets)
}

// Len implements [Index].
func (m *Memory) Len() (sockets, rooms int) {
	for i := range m.shards {
		sh := &m.shards[i]
		sh.mu.RLock()
		sockets += len(sh.everyone)
		rooms += len(sh.rooms)
		sh.mu.RUnlock()
	}
	return sockets, rooms
}
