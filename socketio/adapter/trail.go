package adapter

// trail is where a socket has been, as far as the log of recovery reaches back:
// with it, whether a packet of the log was meant for the socket is decided by
// the rooms that it was in then, not by those that it is in now. Everything
// here is guarded by the recovery lock.
type trail struct {
	joined uint64 // the socket is one of everyone for packets after this
	last   uint64 // newest packet with an offset that was queued on the socket; 0 if none
	past   []stay // rooms left, oldest first
	known  uint64 // stays that ended up to here may have been forgotten
}

// stay says that a socket was in room for the packets after from, up to and
// including to.
type stay struct {
	room     string
	from, to uint64
}

// maxStays bounds what is remembered of a socket that changes rooms faster than
// the log forgets.
const maxStays = 256

// leave notes the end of a stay. Packets before first are not in the log any
// more.
func (t *trail) leave(s stay, first uint64) {
	if s.to == s.from || s.to < first {
		return // no packet fell into it
	}
	old := 0
	for old < len(t.past) && t.past[old].to < first {
		old++
	}
	if len(t.past)-old >= maxStays {
		old = max(old, len(t.past)-maxStays+1)
		t.known = max(t.known, t.past[old-1].to)
	}
	if old > 0 {
		t.past = append(t.past[:0], t.past[old:]...)
	}
	t.past = append(t.past, s)
}

// position is where a session stands in the log: what the socket had been sent
// and which rooms it was in when.
type position struct {
	trail
	stays []stay // the rooms at the disconnect; to is open
	end   uint64 // newest packet at the disconnect
	start uint64 // replay what comes after; set by Take
}
