package cluster

import (
	"context"
	"errors"
	"fmt"

	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio/adapter"
)

// Recovering is an [Adapter] with connection state recovery: what a client missed
// is read from the bus's log, on whichever server it comes back to.
//
// Packets that the log did not take in time go out without an offset, and until
// their sockets are sent one with an offset those can't be recovered. Broadcasts
// for this server alone are not in the log: they aren't replayed.
type Recovering struct{ *Adapter }

var (
	_ adapter.Adapter      = Recovering{}
	_ adapter.SessionStore = Recovering{}
	_ adapter.Restorer     = Recovering{}
)

// Send implements [adapter.SessionStore].
func (r Recovering) Send(s adapter.Socket, p *sioparser.Packet, f adapter.Flags) error {
	if err := sioparser.Valid(p); err != nil {
		return err
	}
	return r.journal.broadcast(p, adapter.Selection{Flags: f}, s)
}

// Persist implements [adapter.SessionStore]. The session is saved soon; on this
// server it can be taken at once.
func (r Recovering) Persist(s adapter.Socket, session adapter.Session) ([]string, error) {
	rooms, t, ok := r.journal.remove(s)
	if !ok {
		return rooms, adapter.ErrRemoved
	}
	if t.suspended {
		return rooms, nil // its client begins anew
	}
	t.Namespace = r.local.Namespace()
	text, err := t.encode()
	if err != nil {
		return rooms, fmt.Errorf("cluster: session: %w", err)
	}
	r.journal.sessions.save(&SavedSession{
		SocketID: session.SocketID, PrivateID: session.PrivateID,
		Rooms: rooms, Data: session.Data, Trail: text,
	})
	return rooms, nil
}

// resumption is what Take leaves in a session's Value for Resume.
type resumption struct {
	saved  *SavedSession
	trail  *trail
	seen   Offset
	start  Offset
	upTo   Offset // the log was read up to here
	missed []missed
	bytes  int
	heard  map[string]*serials // see journal.fresh
}

// missed is a packet to be replayed.
type missed struct {
	at     Offset
	packet *sioparser.Packet
	flags  adapter.Flags
}

// What is replayed is queued at once, so it has to fit the outbox that a socket's
// connection has by default, with what each message counts beside its own.
const (
	maxMissed      = 100_000 // packets
	maxMissedBytes = 8 << 20
	maxReads       = 100 // of the log for one session, while others append to it
)

// Take implements [adapter.SessionStore]. Who gives up before it has returned can
// come back for the session.
func (r Recovering) Take(ctx context.Context, privateID, offset string) (_ *adapter.Session, err error) {
	saved, err := r.journal.sessions.take(ctx, privateID)
	if err != nil {
		return nil, unrecoverable(err)
	}
	defer func() {
		if err != nil && ctx.Err() != nil {
			r.journal.sessions.save(saved)
		}
	}()
	var seen Offset
	if offset != "" {
		if seen, err = ParseOffset(offset); err != nil {
			return nil, unrecoverable(err)
		}
	}
	t, err := trailOf(saved, seen)
	if err != nil {
		return nil, unrecoverable(err)
	}
	if len(saved.Trail) > 0 && t.Namespace != r.local.Namespace() {
		return nil, unrecoverable(errElsewhere)
	}
	start, ok := t.start(seen)
	if !ok {
		return nil, adapter.ErrUnrecoverable
	}
	rs := &resumption{saved: saved, trail: t, seen: seen, start: start, upTo: start, heard: make(map[string]*serials)}
	select {
	case <-r.journal.ready:
	case <-ctx.Done():
		return nil, unrecoverable(context.Cause(ctx))
	}
	session := &adapter.Session{
		SocketID: saved.SocketID, PrivateID: saved.PrivateID,
		Rooms: saved.Rooms, Data: saved.Data, Value: rs,
		Unbound: len(saved.Trail) == 0, // an official adapter does not say
	}
	return session, r.journal.read(ctx, session.SocketID, rs)
}

// Restorable implements [adapter.Restorer].
func (r Recovering) Restorable(session *adapter.Session) (restore func()) {
	rs, _ := session.Value.(*resumption)
	if rs == nil {
		return func() {} // not from Take
	}
	return func() { r.journal.sessions.save(rs.saved) }
}

func unrecoverable(err error) error { return fmt.Errorf("%w: %w", adapter.ErrUnrecoverable, err) }

// read reads on, at least up to what this server has delivered.
func (j *journal) read(ctx context.Context, id string, rs *resumption) error {
	j.mu.Lock()
	delivered := j.newest
	j.mu.Unlock()
	for e, err := range j.log.Read(ctx, j.a.local.Namespace(), rs.upTo) {
		if err != nil {
			return unrecoverable(err)
		}
		rs.upTo = e.At
		if err := rs.note(id, j.a, e); err != nil {
			return err
		}
	}
	if delivered.After(rs.upTo) {
		rs.upTo = delivered // what lies between is not this namespace's
	}
	return nil
}

// note keeps the packet of an entry if it was meant for the socket.
func (rs *resumption) note(id string, a *Adapter, e Entry) error {
	var m Message
	if err := a.decode(a.config.LogCodec, e.Data, &m); err != nil || m.Type != Broadcast || m.RequestID != "" {
		return nil // counted when it was delivered
	}
	if m.Serial != 0 {
		known := rs.heard[m.UID]
		if known == nil {
			known = new(serials)
			rs.heard[m.UID] = known
		}
		if !known.fresh(m.Serial) {
			return nil
		}
	}
	p := &sioparser.Packet{Type: sioparser.Event, Name: m.Name, Args: m.Args}
	if !replayed(p, m.Selection) || !rs.trail.meant(id, &m, e.At) {
		return nil
	}
	rs.bytes += len(e.Data)
	if len(rs.missed) == maxMissed || rs.bytes > maxMissedBytes {
		return unrecoverable(errTooMuch)
	}
	p.Args = p.Args.Concat(offsetArgs(e.At))
	rs.missed = append(rs.missed, missed{e.At, p, m.Selection.Flags})
	return nil
}

var (
	errTooMuch   = errors.New("cluster: too much was missed")
	errElsewhere = errors.New("cluster: a session of another namespace")
	errTooFast   = errors.New("cluster: the log grows faster than it is read")
)

// Resume implements [adapter.SessionStore].
func (r Recovering) Resume(ctx context.Context, s adapter.Socket, session *adapter.Session) error {
	rs, _ := session.Value.(*resumption)
	session.Value = nil // a session is resumed once
	if rs == nil {
		return adapter.ErrUnrecoverable // not from Take
	}
	for range maxReads {
		done, err := r.journal.resume(s, session.Rooms, rs)
		if done || err != nil {
			return err
		}
		if err := r.journal.read(ctx, session.SocketID, rs); err != nil {
			return err
		}
	}
	return unrecoverable(errTooFast)
}

// resume enters the socket if everything that this server has delivered was read.
func (j *journal) resume(s adapter.Socket, rooms []string, rs *resumption) (done bool, err error) {
	index := j.a.Memory.Unreported()
	defer index.Report()
	j.mu.Lock()
	defer j.unlock()
	if j.newest.After(rs.upTo) {
		return false, nil
	}
	if j.loose > j.echoed {
		return false, adapter.ErrUnrecoverable // what went out without its offset will not go out again
	}
	if err := index.Join(s, rooms...); err != nil {
		return false, err
	}
	t := rs.trail
	t.Resumed, t.Seen, t.SeenAt, t.End = true, rs.seen, rs.start, Offset{}
	t.from = rs.start
	for _, m := range rs.missed {
		if m.at.After(j.newest) {
			break // comes from the log
		}
		if j.repeats(m.at) {
			continue
		}
		d, err := j.a.local.Prepare(m.packet, m.flags)
		if err != nil {
			continue // nor could it be sent then
		}
		s.Push(d)
		t.Last = m.at
	}
	j.tracks[s] = t
	return true, nil
}

// join, leave and remove change the index, and note where in the log.

func (j *journal) join(s adapter.Socket, rooms []string) error {
	index := j.a.Memory.Unreported()
	defer index.Report()
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := index.Join(s, rooms...); err != nil {
		return err
	}
	t := j.tracks[s]
	if t == nil {
		t = &trail{Joined: j.newest}
		j.tracks[s] = t
	}
	for _, room := range rooms {
		t.enter(room, j.newest)
	}
	return nil
}

func (j *journal) leave(s adapter.Socket, rooms []string) {
	index := j.a.Memory.Unreported()
	defer index.Report()
	j.mu.Lock()
	defer j.mu.Unlock()
	if t := j.tracks[s]; t != nil {
		index.Leave(s, func(room string) { t.leave(room, j.newest) }, rooms...)
	}
}

func (j *journal) remove(s adapter.Socket) (rooms []string, t *trail, ok bool) {
	index := j.a.Memory.Unreported()
	defer index.Report()
	j.mu.Lock()
	defer j.mu.Unlock()
	rooms, ok = index.Remove(s)
	t = j.tracks[s]
	delete(j.tracks, s)
	if t != nil {
		if t.End = j.newest; j.passed.After(t.End) {
			t.End = j.passed
		}
		if t.from.After(t.End) {
			t.End = t.from
		}
	}
	return rooms, t, ok && t != nil
}
