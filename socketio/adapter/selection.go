package adapter

import "sync"

// rlock locks every shard that sel looks into, in index order, and returns which
// they are. They are held together: a socket that goes from one selected room
// to another is met in one of them.
func (m *Memory) rlock(sel Selection) (held uint64) {
	if len(sel.Rooms) == 0 {
		held = 1<<len(m.shards) - 1
	} else {
		for _, name := range sel.Rooms {
			held |= 1 << m.shardIndex(name)
		}
		for _, name := range sel.Except {
			held |= 1 << m.shardIndex(name)
		}
	}
	for i := range m.shards {
		if held&(1<<i) != 0 {
			m.shards[i].mu.RLock()
		}
	}
	return held
}

func (m *Memory) runlock(held uint64) {
	for i := range m.shards {
		if held&(1<<i) != 0 {
			m.shards[i].mu.RUnlock()
		}
	}
}

// anyone reports whether sel may select somebody; except is not looked at.
func (m *Memory) anyone(sel Selection) bool {
	held := m.rlock(Selection{Rooms: sel.Rooms})
	defer m.runlock(held)
	if len(sel.Rooms) == 0 {
		for i := range m.shards {
			if len(m.shards[i].everyone) > 0 {
				return true
			}
		}
		return false
	}
	for _, name := range sel.Rooms {
		if m.members(name) != nil {
			return true
		}
	}
	return false
}

// members returns the set of a room, whose shard is locked.
func (m *Memory) members(room string) []member {
	if r := m.shardOf(room).rooms[room]; r != nil {
		return r.members
	}
	return nil
}

// collect puts the sockets that sel selects into w, each once. The shards are
// locked by rlock.
func (m *Memory) collect(sel Selection, w *walk) {
	w.exclude(m, sel.Except)
	switch len(sel.Rooms) {
	case 0:
		for i := range m.shards {
			w.add(m.shards[i].everyone)
		}
	case 1:
		w.add(m.members(sel.Rooms[0]))
	default:
		for _, name := range sel.Rooms {
			w.addNew(m.members(name))
		}
	}
}

// walk is the working memory of one broadcast. Walks are pooled, so that one to
// a room, or to everyone, with at most one socket excepted (the usual sender),
// allocates nothing and fills no map.
type walk struct {
	sockets []Socket
	but     Socket              // the only one excepted
	skip    map[Socket]struct{} // excepted, or selected before
	skips   bool                // skip counts
	peak    int                 // the most that skip has held
}

var walks = sync.Pool{New: func() any { return new(walk) }}

func newWalk() *walk { return walks.Get().(*walk) }

func (w *walk) free() {
	n := len(w.sockets)
	clear(w.sockets)
	w.sockets = w.sockets[:0]
	if sparse(n, cap(w.sockets)) && cap(w.sockets) > 4096 {
		w.sockets = nil
	}
	w.but = nil
	if w.skips {
		// Clearing costs what the map has room for.
		if used := len(w.skip); sparse(used, w.peak) {
			w.skip, w.peak = nil, 0
		}
		clear(w.skip)
		w.skips = false
	}
	walks.Put(w)
}

func (w *walk) mark(s Socket) {
	if w.skip == nil {
		w.skip = make(map[Socket]struct{})
	}
	w.skip[s] = struct{}{}
	w.skips = true
	w.peak = max(w.peak, len(w.skip))
}

func (w *walk) exclude(m *Memory, rooms []string) {
	for _, name := range rooms {
		members := m.members(name)
		if len(members) == 1 && w.but == nil {
			w.but = members[0].socket
			continue
		}
		for _, mb := range members {
			w.mark(mb.socket)
		}
	}
}

// add takes sockets that have not been met before.
func (w *walk) add(members []member) {
	for _, mb := range members {
		if mb.socket == w.but {
			continue
		}
		if w.skips {
			if _, ok := w.skip[mb.socket]; ok {
				continue
			}
		}
		w.sockets = append(w.sockets, mb.socket)
	}
}

// addNew takes sockets that may have been met before.
func (w *walk) addNew(members []member) {
	for _, mb := range members {
		if mb.socket == w.but {
			continue
		}
		n := len(w.skip)
		if w.mark(mb.socket); len(w.skip) > n {
			w.sockets = append(w.sockets, mb.socket)
		}
	}
}
