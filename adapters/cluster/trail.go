package cluster

import (
	"slices"

	"github.com/go-json-experiment/json"
)

// trail is where a socket has been, in places of the log: with it, whether an
// entry was meant for the socket is decided by the rooms that it was in then, not
// by those that it is in at the end. A saved session carries it from server to
// server.
type trail struct {
	Namespace string            `json:"nsp"`            // that the session belongs to
	Joined    Offset            `json:"joined"`         // one of everyone for the entries after this
	Last      Offset            `json:"last"`           // of the newest packet with an offset that was queued on it; zero if none
	Since     map[string]Offset `json:"since"`          // the rooms that it is in
	Past      []stay            `json:"past,omitempty"` // rooms left, oldest first
	Known     Offset            `json:"known,omitzero"` // stays that ended up to here may have been forgotten
	End       Offset            `json:"end,omitzero"`   // of the log, when the socket was disconnected

	// Floor is the first offset after packets that went out without one: offsets
	// before it don't tell what the client has.
	Floor Offset `json:"floor,omitzero"`

	// A recovered socket's client has shown Seen and had been sent nothing else up
	// to SeenAt. It counts until it shows something newer: a client that is cut
	// off twice in a row has received nothing of the first replay.
	Resumed bool   `json:"resumed,omitzero"`
	Seen    Offset `json:"seen,omitzero"`
	SeenAt  Offset `json:"seenAt,omitzero"`

	// suspended: the socket was sent something without an offset, and nothing with
	// one since. Such a socket is not saved.
	suspended bool

	// from: the client has what was sent up to here from another server, which may have
	// followed the log further than this one.
	from Offset
}

// has reports whether the entry at a place was for the socket when it was elsewhere.
func (t *trail) has(at Offset) bool {
	return t != nil && at != (Offset{}) && !at.After(t.from)
}

// stay says that a socket was in Room for the entries after From, up to and
// including To.
type stay struct {
	Room string `json:"room"`
	From Offset `json:"from"`
	To   Offset `json:"to"`
}

// maxStays bounds what is remembered of a socket that changes rooms often.
const maxStays = 256

// enter notes that the socket is in room for the entries after at.
func (t *trail) enter(room string, at Offset) {
	if _, in := t.Since[room]; in {
		return
	}
	if t.Since == nil {
		t.Since = make(map[string]Offset, 2)
	}
	t.Since[room] = at
}

// leave notes that at was the last entry for which the socket was in room.
func (t *trail) leave(room string, at Offset) {
	from, in := t.Since[room]
	delete(t.Since, room)
	if !in || !at.After(from) {
		return // there was no entry
	}
	if len(t.Past) == maxStays {
		t.Known = t.Past[0].To
		t.Past = slices.Delete(t.Past, 0, 1)
	}
	t.Past = append(t.Past, stay{room, from, at})
}

// sent notes that a packet was queued on the socket; at is zero if it had no
// offset and should have had one.
func (t *trail) sent(at Offset, settled bool) {
	switch {
	case at == Offset{}:
		t.suspended = true
		return
	case t.suspended && settled:
		t.suspended, t.Floor = false, at
	}
	t.Last = at
}

// start returns the place after which the client that presents the offset seen
// (zero: none) has missed something; false if that can't be told.
func (t *trail) start(seen Offset) (Offset, bool) {
	var start Offset
	switch {
	case t.Floor.After(seen):
		return Offset{}, false
	case seen == t.Last:
		start = t.End // it has everything, however long ago that was sent
	case t.Resumed && seen == t.Seen:
		start = t.SeenAt
	case seen == Offset{} || seen.After(t.Last):
		return Offset{}, false
	default:
		start = seen
	}
	return start, !t.Known.After(start)
}

// meant applies the selection of a broadcast, the entry at, to the socket with
// this id as the index would have done then. A broadcast to the id alone is one
// to the socket, whatever rooms it was in.
func (t *trail) meant(id string, m *Message, at Offset) bool {
	rooms, except := m.Selection.Rooms, m.Selection.Except
	if len(rooms) == 1 && rooms[0] == id && len(except) == 0 {
		return true
	}
	if !at.After(t.Joined) {
		return false
	}
	in := func(room string) bool { return t.in(room, at) }
	return (len(rooms) == 0 || slices.ContainsFunc(rooms, in)) && !slices.ContainsFunc(except, in)
}

func (t *trail) in(room string, at Offset) bool {
	if from, ok := t.Since[room]; ok && at.After(from) {
		return true
	}
	return slices.ContainsFunc(t.Past, func(s stay) bool {
		return s.Room == room && at.After(s.From) && !at.After(s.To)
	})
}

func (t *trail) encode() ([]byte, error) { return json.Marshal(t) }

// trailOf reads the trail of a saved session. That of an official adapter has
// none: its client was in the session's rooms from the offset on that it presents.
func trailOf(s *SavedSession, seen Offset) (*trail, error) {
	t := &trail{Last: seen, End: seen}
	if len(s.Trail) > 0 {
		t = new(trail)
		if err := json.Unmarshal(s.Trail, t); err != nil {
			return nil, err
		}
	}
	for _, room := range s.Rooms {
		t.enter(room, Offset{})
	}
	return t, nil
}
