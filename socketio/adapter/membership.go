package adapter

import (
	"sync"
)

// MaxRooms is how many rooms a socket can be in at once.
const MaxRooms = 65536

// Membership is the socket's half of a room index: the rooms that it is in. A
// socket holds one by value, in its zero state, and must not be copied after
// its first use. The methods may be called from any goroutine.
type Membership struct {
	// Lock order: a Membership, then shards in index order, then what Push locks.
	mu      sync.Mutex
	index   *Memory // the index that it is registered with
	removed bool
	links   []*link
	byRoom  map[string]*link // beside links when there are many

	at int // place in its shard's everyone; guarded by that shard

	track *trail // nil without recovery, whose lock guards it
}

// trail returns where the socket has been. The recovery lock is held.
func (ms *Membership) trail() *trail {
	if ms.track == nil {
		ms.track = new(trail)
	}
	return ms.track
}

// link says that one socket is in one room. Both sides know where the other
// keeps it, so that taking it out needs no search.
type link struct {
	room  *room
	at    int    // place in room.members; guarded by the room's shard
	slot  int    // place in Membership.links; guarded by the Membership
	since uint64 // log position of the join; guarded by the recovery lock
}

// manyLinks is the number of rooms above which a map is worth its memory. Most
// sockets are in one to five.
const manyLinks = 16

// Rooms returns the rooms that the socket is in, in order of joining as long as
// it has left none.
func (ms *Membership) Rooms() []string {
	ms.mu.Lock()
	defer ms.mu.Unlock()
	return ms.rooms()
}

func (ms *Membership) rooms() []string {
	if len(ms.links) == 0 {
		return nil
	}
	names := make([]string, len(ms.links))
	for i, l := range ms.links {
		names[i] = l.room.name
	}
	return names
}

// In reports whether the socket is in room.
func (ms *Membership) In(room string) bool {
	ms.mu.Lock()
	defer ms.mu.Unlock()
	return ms.find(room) != nil
}

// Len returns the number of rooms that the socket is in.
func (ms *Membership) Len() int {
	ms.mu.Lock()
	defer ms.mu.Unlock()
	return len(ms.links)
}

// find, add and drop are called with ms locked.

func (ms *Membership) find(room string) *link {
	if ms.byRoom != nil {
		return ms.byRoom[room]
	}
	for _, l := range ms.links {
		if l.room.name == room {
			return l
		}
	}
	return nil
}

func (ms *Membership) add(l *link) {
	l.slot = len(ms.links)
	ms.links = append(ms.links, l)
	switch {
	case ms.byRoom != nil:
		ms.byRoom[l.room.name] = l
	case len(ms.links) > manyLinks:
		ms.mapRooms()
	}
}

func (ms *Membership) mapRooms() {
	ms.byRoom = make(map[string]*link, 2*len(ms.links))
	for _, l := range ms.links {
		ms.byRoom[l.room.name] = l
	}
}

func (ms *Membership) drop(l *link) {
	last := len(ms.links) - 1
	moved := ms.links[last]
	ms.links[l.slot] = moved
	moved.slot = l.slot
	ms.links[last] = nil
	ms.links = ms.links[:last]
	if ms.byRoom != nil {
		delete(ms.byRoom, l.room.name)
	}
	if sparse(len(ms.links), cap(ms.links)) {
		// Go's maps and slices keep the size of their peak.
		ms.links = append(make([]*link, 0, 2*len(ms.links)), ms.links...)
		ms.byRoom = nil
		if len(ms.links) > manyLinks {
			ms.mapRooms()
		}
	}
}

// sparse reports whether a container of n elements with room for peak should be
// made anew: what it gives back must be worth copying what is left.
func sparse(n, peak int) bool { return peak > 2*manyLinks && n < peak/4 }
