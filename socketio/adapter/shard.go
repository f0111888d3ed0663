package adapter

import (
	"hash/maphash"
	"runtime"
	"sync"
)

// A shard holds the rooms whose names hash to it, and, of everyone, the sockets
// whose ids do. Broadcasts lock it for reading, changes for writing. Whoever
// needs several locks them in the order of their index.
type shard struct {
	mu       sync.RWMutex
	rooms    map[string]*room
	everyone []member
	ids      map[string]Socket
	// The most that rooms and ids have held since they were made.
	roomsPeak, idsPeak int

	_ [24]byte // shards don't share cache lines
}

// member is one socket as a broadcast meets it: in a row, without a look-up.
type member struct {
	socket Socket
	link   *link       // in a room
	of     *Membership // among everyone
}

// room is the set of a room's members. It exists only while it has any.
type room struct {
	name    string
	members []member
	only    [1]member // memory for the first, as most rooms are a socket's own
}

// shardCount gives every core a few shards, so that two that work at once seldom
// meet; selections note the shards they hold in 64 bits.
func shardCount() int {
	n := 8
	for n < 4*runtime.GOMAXPROCS(0) && n < 64 {
		n *= 2
	}
	return n
}

func (m *Memory) shardIndex(name string) int {
	if len(m.shards) == 1 {
		return 0
	}
	return int(maphash.String(m.seed, name) & uint64(len(m.shards)-1))
}

func (m *Memory) shardOf(name string) *shard { return &m.shards[m.shardIndex(name)] }

// enter puts s into the set of a room, which it isn't in yet, and returns the
// link, which the caller adds to the Membership. The shard is locked.
func (sh *shard) enter(s Socket, name string, h *hooks) *link {
	r := sh.rooms[name]
	if r == nil {
		r = &room{name: name}
		r.members = r.only[:0]
		if sh.rooms == nil {
			sh.rooms = make(map[string]*room)
		}
		sh.rooms[name] = r
		sh.roomsPeak = max(sh.roomsPeak, len(sh.rooms))
		h.add(Created, name, "")
	}
	l := &link{room: r, at: len(r.members)}
	r.members = append(r.members, member{socket: s, link: l})
	if len(r.members) == 2 {
		r.only = [1]member{} // moved out of here; keep nothing alive
	}
	h.add(Joined, name, s.ID())
	return l
}

// exit takes the socket of l out of the set of its room. The shard is locked.
func (sh *shard) exit(l *link, h *hooks) {
	r := l.room
	last := len(r.members) - 1
	id := r.members[l.at].socket.ID()
	moved := r.members[last]
	r.members[l.at] = moved
	moved.link.at = l.at
	r.members[last] = member{}
	r.members = r.members[:last]
	h.add(Left, r.name, id)
	switch {
	case last == 0:
		delete(sh.rooms, r.name)
		sh.rooms, sh.roomsPeak = shrink(sh.rooms, sh.roomsPeak)
		h.add(Deleted, r.name, "")
	case sparse(last, cap(r.members)):
		r.members = append(make([]member, 0, 2*last), r.members...)
	}
}

// register makes s one of everyone. Its Membership and the shard are locked.
func (sh *shard) register(s Socket, ms *Membership) {
	ms.at = len(sh.everyone)
	sh.everyone = append(sh.everyone, member{socket: s, of: ms})
	if sh.ids == nil {
		sh.ids = make(map[string]Socket)
	}
	sh.ids[s.ID()] = s
	sh.idsPeak = max(sh.idsPeak, len(sh.ids))
}

// unregister undoes register. Its Membership and the shard are locked.
func (sh *shard) unregister(s Socket, ms *Membership) {
	last := len(sh.everyone) - 1
	moved := sh.everyone[last]
	sh.everyone[ms.at] = moved
	moved.of.at = ms.at
	sh.everyone[last] = member{}
	sh.everyone = sh.everyone[:last]
	if sparse(last, cap(sh.everyone)) {
		sh.everyone = append(make([]member, 0, 2*last), sh.everyone...)
	}
	// A recovered socket has the id of the one that it follows.
	if sh.ids[s.ID()] == s {
		delete(sh.ids, s.ID())
		sh.ids, sh.idsPeak = shrink(sh.ids, sh.idsPeak)
	}
}

// shrink returns the map, or a copy that fits if it was once much larger.
func shrink[V any](m map[string]V, peak int) (map[string]V, int) {
	if !sparse(len(m), peak) {
		return m, peak
	}
	small := make(map[string]V, 2*len(m))
	for k, v := range m {
		small[k] = v
	}
	return small, 2 * len(m)
}
