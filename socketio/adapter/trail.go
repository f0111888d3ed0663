package adapter

import "slices"

// trail is where a socket has been, as far as the log of recovery reaches back:
// with it, whether a packet of the log was meant for the socket is decided by
// the rooms that it was in then, not by those that it is in now. Positions are
// the running numbers of logged packets. Everything here is guarded by the
// recovery lock.
type trail struct {
	joined uint64 // the socket is one of everyone for packets after this
	last   uint64 // newest packet with an offset that was queued on the socket; 0 if none
	past   []stay // rooms left, oldest first
	known  uint64 // stays that ended up to here may have been forgotten

	// A recovered socket's client has shown seen and had been sent nothing else up
	// to seenAt. It counts until it shows something newer: a client that is cut
	// off twice in a row has received nothing of the first replay.
	resumed      bool
	seen, seenAt uint64
}

// stay says that a socket was in room for the packets after from, up to and
// including to.
type stay struct {
	room     string
	from, to uint64
}

func (s stay) covers(seq uint64) bool { return s.from < seq && seq <= s.to }

// maxStays bounds what is remembered of a socket that changes rooms faster than
// the log forgets.
const maxStays = 256

// leave notes the end of a stay. Packets before first are not in the log any
// more.
func (t *trail) leave(s stay, first uint64) {
	if s.to == s.from || s.to < first {
		return // no packet of the log fell into it
	}
	old := 0
	for old < len(t.past) && t.past[old].to < first {
		old++
	}
	if len(t.past)-old >= maxStays {
		old = len(t.past) - maxStays + 1
		t.known = max(t.known, t.past[old-1].to)
	}
	t.past = append(slices.Delete(t.past, 0, old), s)
}

// position is where a session stands in the log.
type position struct {
	trail
	stays []stay // the rooms at the disconnect; their to is open
	end   uint64 // the newest packet then
	start uint64 // what comes after is to be replayed; set by Take
}

// replayFrom returns the position after which the client that has seen the
// packet c (0: none) has missed something; false if that can't be told, or not
// completely any more. first is the oldest packet in the log, newest the newest.
func (p *position) replayFrom(c, first, newest uint64) (start uint64, ok bool) {
	switch {
	case c == p.last:
		// It has everything, however long ago that was sent.
		start = p.end
	case p.resumed && c == p.seen:
		start = p.seenAt
	case c == 0 || c > newest:
		return 0, false
	default:
		start = c
	}
	return start, first <= start+1 && p.known <= start
}

// passage answers, for one session, which packets of the log were meant for it.
type passage struct {
	id     string
	joined uint64
	stays  map[string][]stay
}

func (p *position) passage(id string) passage {
	g := passage{id: id, joined: p.joined, stays: make(map[string][]stay, len(p.stays))}
	for _, list := range [][]stay{p.past, p.stays} {
		for _, s := range list {
			g.stays[s.room] = append(g.stays[s.room], s)
		}
	}
	return g
}

func (g passage) in(room string, seq uint64) bool {
	for _, s := range g.stays[room] {
		if s.covers(seq) {
			return true
		}
	}
	return false
}

// meant applies the selection of a packet as collect does to the index.
func (g passage) meant(e *entry) bool {
	if e.only != "" {
		return e.only == g.id
	}
	if e.seq <= g.joined {
		return false
	}
	in := func(room string) bool { return g.in(room, e.seq) }
	return (len(e.rooms) == 0 || slices.ContainsFunc(e.rooms, in)) && !slices.ContainsFunc(e.except, in)
}
