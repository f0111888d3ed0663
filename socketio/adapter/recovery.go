package adapter

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/siokit/siokit/sioparser"
)

// RecoveryConfig says how much connection state recovery keeps. The zero value
// is usable; no number may be negative.
type RecoveryConfig struct {
	// MaxDisconnection is how long a session waits for its client. Zero means two
	// minutes.
	MaxDisconnection time.Duration
	// MaxAge is how long the log keeps a packet. A client that vanishes is noticed
	// by the heartbeat only, and misses what was sent until then too; zero means
	// MaxDisconnection and one minute.
	MaxAge time.Duration
	// MaxPackets bounds the packets in the log; zero means 100,000.
	MaxPackets int
	// MaxBytes bounds the text and attachments of the packets in the log; zero
	// means 64 MiB.
	MaxBytes int64
	// MaxReplay bounds what is replayed to one client, counted as for MaxBytes: it is
	// queued all at once, so it must be well below engineio's Limits.Outbox. Who has
	// missed more is not recovered. Zero means 8 MiB.
	MaxReplay int64
	// MaxSessions bounds the sessions that wait; the one that has waited longest
	// expires for a new one. Zero means 100,000.
	MaxSessions int
	// OnExpired, if set, is told of each session that nobody came back for, at most
	// a second late, with no lock held, perhaps by several goroutines at once. A
	// session that was taken but could not be recovered isn't among them, nor one
	// that waits when the adapter is closed. It must not panic.
	OnExpired func(*Session)
}

func (c RecoveryConfig) withDefaults() (RecoveryConfig, error) {
	for _, limit := range []struct {
		name  string
		value int64
	}{
		{"MaxDisconnection", int64(c.MaxDisconnection)},
		{"MaxAge", int64(c.MaxAge)},
		{"MaxPackets", int64(c.MaxPackets)},
		{"MaxBytes", c.MaxBytes},
		{"MaxReplay", c.MaxReplay},
		{"MaxSessions", int64(c.MaxSessions)},
	} {
		if limit.value < 0 {
			return c, fmt.Errorf("adapter: RecoveryConfig.%s is %d, less than 0", limit.name, limit.value)
		}
	}
	if c.MaxDisconnection == 0 {
		c.MaxDisconnection = 2 * time.Minute
	}
	if c.MaxAge == 0 {
		c.MaxAge = c.MaxDisconnection + time.Minute
	}
	if c.MaxPackets == 0 {
		c.MaxPackets = 100_000
	}
	if c.MaxBytes == 0 {
		c.MaxBytes = 64 << 20
	}
	if c.MaxReplay == 0 {
		c.MaxReplay = 8 << 20
	}
	if c.MaxSessions == 0 {
		c.MaxSessions = 100_000
	}
	return c, nil
}

// Recovery is the adapter of a single server with connection state recovery: a
// Memory and, beside it, a log of the packets that were sent and the sessions
// of sockets that were disconnected, both bounded by age and by size. One lock
// covers numbering, log, queueing, joining, leaving, persisting and resuming, so
// that all sockets get their packets in one order and a replay is exactly what
// was missed.
//
// It implements all optional interfaces.
type Recovery struct {
	config RecoveryConfig
	local  Local
	index  *Memory // of one shard: whoever changes it holds mu

	mu       sync.Mutex
	closed   bool
	log      packetLog
	sessions map[string]*list.Element // by private id
	waiting  *list.List               // of *stored, by time of the disconnect
	peak     int                      // the most sessions since the map was made
	timer    *time.Timer              // armed while something can expire
	due      time.Time                // what it is armed for
	sweeps   sync.WaitGroup           // the timer, or the sweep that it started
}

// stored is a session that waits for its client.
type stored struct {
	session *Session
	until   time.Time
}

var (
	_ Adapter        = (*Recovery)(nil)
	_ SessionStore   = (*Recovery)(nil)
	_ Restorer       = (*Recovery)(nil)
	_ AckBroadcaster = (*Recovery)(nil)
	_ Fetcher        = (*Recovery)(nil)
	_ Mover          = (*Recovery)(nil)
	_ ServerEmitter  = (*Recovery)(nil)
	_ Counter        = (*Recovery)(nil)
	_ Index          = (*Recovery)(nil)
	_ Observable     = (*Recovery)(nil)
)

// NewRecovery returns a [New] that makes a [*Recovery].
func NewRecovery(config RecoveryConfig) New {
	return func(local Local) (Adapter, error) {
		config, err := config.withDefaults()
		if err != nil {
			return nil, err
		}
		return &Recovery{
			config:   config,
			local:    local,
			index:    newMemory(local, 1),
			log:      newLog(),
			sessions: make(map[string]*list.Element),
			waiting:  list.New(),
		}, nil
	}
}

// Join implements [Adapter].
func (r *Recovery) Join(s Socket, rooms ...string) error {
	r.mu.Lock()
	ms := s.Membership()
	first := ms.index == nil
	err := r.index.join(s, rooms, r.log.newest)
	if err == nil && first {
		*ms.trail() = trail{joined: r.log.newest}
	}
	r.mu.Unlock()
	r.index.hooks.report()
	return err
}

// Leave implements [Adapter].
func (r *Recovery) Leave(s Socket, rooms ...string) {
	r.mu.Lock()
	t := s.Membership().trail()
	r.index.leave(s, rooms, func(l *link) {
		t.leave(stay{l.room.name, l.since, r.log.newest}, r.log.first())
	})
	r.mu.Unlock()
	r.index.hooks.report()
}

// Remove implements [Adapter].
func (r *Recovery) Remove(s Socket) []string {
	r.mu.Lock()
	rooms, _ := r.index.remove(s)
	r.mu.Unlock()
	r.index.hooks.report()
	return rooms
}

// Broadcast implements [Adapter].
func (r *Recovery) Broadcast(p *sioparser.Packet, sel Selection) error {
	w := newWalk()
	defer w.free()
	r.mu.Lock()
	r.index.collect(sel, w)
	err := r.send(p, sel.Flags, w.sockets, entry{rooms: sel.Rooms, except: sel.Except})
	r.mu.Unlock()
	if err == nil && len(w.sockets) > 0 {
		r.local.Flush(w.sockets)
	}
	return err
}

// Send implements [SessionStore].
func (r *Recovery) Send(s Socket, p *sioparser.Packet, f Flags) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.send(p, f, []Socket{s}, entry{only: s.ID()})
}

// send pushes p on sockets and, if it is one that a client may miss, appends it
// to the log: then it gets its offset, which is why it is encoded under the
// lock. e says for whom it is meant.
func (r *Recovery) send(p *sioparser.Packet, f Flags, sockets []Socket, e entry) error {
	event := p.Type == sioparser.Event || p.Type == sioparser.BinaryEvent
	if !event || p.HasID || f&Volatile != 0 || r.closed {
		if len(sockets) == 0 {
			return nil
		}
		d, err := r.local.Prepare(p, f)
		if err != nil {
			return err
		}
		for _, s := range sockets {
			s.Push(d)
		}
		return nil
	}
	offset, err := r.log.offset()
	if err != nil {
		return err
	}
	numbered := *p
	numbered.Args = p.Args.Concat(offset)
	if e.delivery, err = r.local.Prepare(&numbered, f); err != nil {
		return err
	}
	e.at = time.Now()
	e.size = sizeOf(&numbered, &e)
	e.rooms, e.except = clone(e.rooms), clone(e.except)
	r.log.append(e)
	r.log.trim(e.at, r.config.MaxAge, r.config.MaxPackets, r.config.MaxBytes)
	for _, s := range sockets {
		s.Push(e.delivery)
		s.Membership().trail().last = r.log.newest
	}
	r.arm(e.at)
	return nil
}

// clone copies a list of rooms; an empty one costs nothing.
func clone(list []string) []string {
	if len(list) == 0 {
		return nil
	}
	return append([]string(nil), list...)
}

// sizeOf is what a packet counts in the log.
func sizeOf(p *sioparser.Packet, e *entry) int64 {
	n := 256 + len(p.Name) + len(p.Args.Raw())
	for _, b := range p.Args.Attachments() {
		n += len(b)
	}
	for _, names := range [][]string{e.rooms, e.except} {
		for _, name := range names {
			n += 16 + len(name)
		}
	}
	return int64(n)
}

// BroadcastAck implements [AckBroadcaster]. Such packets are not logged.
func (r *Recovery) BroadcastAck(ctx context.Context, p *sioparser.Packet, sel Selection) iter.Seq2[Reply, error] {
	return broadcastAck(ctx, r.deliverAck, p, sel)
}

func (r *Recovery) deliverAck(p *sioparser.Packet, sel Selection, expect func([]Socket), reply ReplyFunc) (func([]Socket), error) {
	d, forget, err := r.local.PrepareAck(p, sel.Flags, reply)
	if err != nil {
		return nil, err
	}
	w := newWalk()
	defer w.free()
	r.mu.Lock()
	r.index.collect(sel, w)
	expect(w.sockets)
	for _, s := range w.sockets {
		s.Push(d)
	}
	r.mu.Unlock()
	if len(w.sockets) > 0 {
		r.local.Flush(w.sockets)
	}
	return forget, nil
}

// Persist implements [SessionStore].
func (r *Recovery) Persist(s Socket, session Session) ([]string, error) {
	r.mu.Lock()
	ms := s.Membership()
	at := &position{trail: *ms.trail(), stays: ms.stays(), end: r.log.newest}
	rooms, ok := r.index.remove(s)
	var dropped *Session
	err := ErrRemoved
	if ok {
		session.Rooms, session.position = rooms, at
		dropped, err = r.store(&session)
	}
	r.mu.Unlock()
	r.index.hooks.report()
	if dropped != nil {
		r.config.OnExpired(dropped)
	}
	return rooms, err
}

// stays returns the rooms that the socket is in and since when.
func (ms *Membership) stays() []stay {
	ms.mu.Lock()
	defer ms.mu.Unlock()
	list := make([]stay, len(ms.links))
	for i, l := range ms.links {
		list[i] = stay{l.room.name, l.since, math.MaxUint64}
	}
	return list
}

// Take implements [SessionStore].
func (r *Recovery) Take(_ context.Context, privateID, offset string) (*Session, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	el := r.sessions[privateID]
	if el == nil {
		return nil, ErrUnrecoverable
	}
	st := el.Value.(*stored)
	now := time.Now()
	if !now.Before(st.until) {
		return nil, ErrUnrecoverable // and left for the sweep to report
	}
	r.unstore(el)
	r.log.trim(now, r.config.MaxAge, r.config.MaxPackets, r.config.MaxBytes)
	c, ok := r.log.number(offset)
	if ok {
		at := st.session.position
		at.start, ok = at.replayFrom(c, r.log.first(), r.log.newest)
		at.resumed, at.seen, at.seenAt = true, c, at.start
	}
	if !ok {
		return nil, ErrUnrecoverable
	}
	return st.session, nil
}

// Restorable implements [Restorer].
func (r *Recovery) Restorable(session *Session) (restore func()) {
	if session.position == nil {
		return func() {} // not from Take
	}
	own, at := *session, *session.position
	at.past = slices.Clone(at.past) // the socket goes on with the other one
	own.position = &at
	return func() {
		r.mu.Lock()
		dropped, _ := r.store(&own) // after Close there is nothing to come back to
		r.mu.Unlock()
		if dropped != nil {
			r.config.OnExpired(dropped)
		}
	}
}

// Resume implements [SessionStore].
func (r *Recovery) Resume(_ context.Context, s Socket, session *Session) error {
	err := r.resume(s, session)
	r.index.hooks.report()
	return err
}

func (r *Recovery) resume(s Socket, session *Session) error {
	at := session.position
	if at == nil {
		return ErrUnrecoverable // not from Take
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.log.first() > at.start+1 {
		return ErrUnrecoverable
	}
	g := at.passage(session.SocketID)
	after := r.log.after(at.start)
	var missed []*entry
	size := int64(0)
	for i := range after {
		if e := &after[i]; g.meant(e) {
			missed = append(missed, e)
			size += e.size
		}
		if size > r.config.MaxReplay {
			return ErrUnrecoverable // its connection would not take it, however often it comes back
		}
	}
	if err := r.index.join(s, nil, 0); err != nil {
		return err
	}
	for _, st := range at.stays {
		if err := r.index.join(s, []string{st.room}, st.from); err != nil {
			return err
		}
	}
	t := s.Membership().trail()
	*t = at.trail
	for _, e := range missed {
		s.Push(e.delivery)
		t.last = max(t.last, e.seq)
	}
	session.position = nil // a session is resumed once
	return nil
}

// Close implements [Adapter]: the log and the sessions are given up.
func (r *Recovery) Close(ctx context.Context) error {
	err := r.index.Close(ctx)
	r.mu.Lock()
	r.closed = true
	clear(r.sessions)
	r.waiting.Init()
	r.log.trim(time.Now(), 0, 0, 0)
	r.disarm()
	r.mu.Unlock()
	return errors.Join(err, waitFor(ctx, &r.sweeps))
}
