package cluster

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio/adapter"
)

// journal is what an adapter does with a bus that keeps a log. It appends what
// other servers may have to replay, and follows the log.
//
// With recovery, a packet must hold its offset, which is known only when its
// entry has come back: until then it waits in a queue, in order, with whatever
// else goes to sockets. So all servers deliver in the order of the log. One lock
// covers queue, delivery, joining, leaving, persisting and resuming.
type journal struct {
	a   *Adapter
	log Log
	// recovers says whether there is recovery; without it, only serial, heard and
	// the calls of Follower are used.
	recovers bool

	mu      sync.Mutex // before a Membership's; see DESIGN.md
	serial  uint64     // of the last message appended
	heard   map[string]*serials
	again   []Offset // of entries that repeat others, oldest first; see maxAgain
	newest  Offset   // the last entry that was delivered
	passed  Offset   // the log was followed up to here; later than newest if other namespaces have the rest
	begun   bool
	ready   chan struct{} // closed when begun
	queue   []waiting
	loose   uint64 // serial of the last message of ours that went out without its offset
	echoed  uint64 // of the last one that has come back
	stalled bool   // the log does not answer: packets go out without offsets
	armed   bool   // late is set
	late    alarm  // when the first in the queue has waited for Config.OffsetTimeout
	tracks  map[adapter.Socket]*trail
	flushes [][]adapter.Socket // who was pushed to since the lock was taken
	ends    []ending           // who is to be disconnected when it is released

	sessions *sessions
}

// waiting is something for this server's sockets that waits for its turn.
type waiting struct {
	serial uint64 // of the entry that brings the offset; 0 if it needs none
	since  time.Time
	packet *sioparser.Packet
	sel    adapter.Selection
	only   adapter.Socket // the one socket that it is for; then no selection
	place  Offset         // of the entry that has come
	run    func()         // instead of a packet; called with mu held
}

func newJournal(a *Adapter, log Log) *journal {
	j := &journal{
		a: a, log: log, recovers: a.config.MaxDisconnection > 0,
		heard: make(map[string]*serials), ready: make(chan struct{}),
		tracks: make(map[adapter.Socket]*trail),
		// One who has had this name before has numbered fewer. A MessagePack number
		// that was one of JSON is exact up to 2^53.
		serial: uint64(max(time.Now().UnixMicro(), 0)),
	}
	j.late.f = j.onLate
	j.sessions = newSessions(log, a.config.MaxDisconnection, a.config.Logger)
	return j
}

// unlock releases mu, and does what was left for then: it writes what was queued
// on sockets, and ends sockets.
func (j *journal) unlock() { j.release(j.a.local.Flush) }

// release is unlock with another way to write what was queued.
func (j *journal) release(flush func([]adapter.Socket)) {
	flushes, ends := j.flushes, j.ends
	j.flushes, j.ends = nil, nil
	j.mu.Unlock()
	if len(ends) > 0 {
		flush = j.a.local.Flush // before they end
	}
	for _, sockets := range flushes {
		flush(sockets)
	}
	for _, e := range ends {
		for _, s := range e.sockets {
			j.a.local.Disconnect(s, e.closeConn)
		}
	}
}

// append queues m for the log and returns its serial number.
func (j *journal) append(m *Message) (uint64, error) {
	j.mu.Lock()
	defer j.unlock()
	return j.appendLocked(m)
}

func (j *journal) appendLocked(m *Message) (uint64, error) {
	m.Serial = j.serial + 1
	if err := j.a.sendLogged(m); err != nil {
		return 0, err
	}
	j.serial++
	return m.Serial, nil
}

// broadcast sends p to the sockets that sel selects, or to one.
func (j *journal) broadcast(p *sioparser.Packet, sel adapter.Selection, only adapter.Socket) error {
	j.mu.Lock()
	defer j.unlock()
	var err error
	w := waiting{packet: p, sel: sel, only: only}
	replayed := replayed(p, sel)
	if sel.Flags&adapter.LocalOnly == 0 && (only == nil || replayed) {
		m := &Message{Type: Broadcast, Selection: sel, Name: p.Name, Args: p.Args}
		if only != nil {
			m.Selection.Rooms = []string{only.ID()}
		}
		if p.HasID {
			err = j.a.send(j.a.topic, m) // nobody can answer it later
		} else {
			w.serial, err = j.appendLocked(m)
		}
		switch {
		case !replayed:
			w.serial = 0
		case err != nil || j.stalled:
			j.flush()
			j.loose = max(j.loose, w.serial)
			j.deliver(w, Offset{}, true)
			return err
		}
	}
	if w.serial == 0 && len(j.queue) == 0 {
		j.deliver(w, Offset{}, false)
		return err
	}
	w.packet = p.Clone()
	w.sel.Rooms, w.sel.Except = slices.Clone(sel.Rooms), slices.Clone(sel.Except)
	j.add(w)
	return err
}

// replayed reports whether a packet is one that a client may miss. One that is
// for this server alone isn't in the log.
func replayed(p *sioparser.Packet, sel adapter.Selection) bool {
	event := p.Type == sioparser.Event || p.Type == sioparser.BinaryEvent
	return event && !p.HasID && sel.Flags&(adapter.Volatile|adapter.LocalOnly) == 0
}

// inTurn calls f, with mu held, when everything that was sent before is out.
func (j *journal) inTurn(f func()) {
	j.mu.Lock()
	defer j.unlock()
	if len(j.queue) == 0 {
		f()
		return
	}
	j.add(waiting{run: f})
}

func (j *journal) add(w waiting) {
	w.since = time.Now()
	j.queue = append(j.queue, w)
	if !j.armed {
		j.armed = true
		j.late.set(j.a.config.OffsetTimeout)
	}
}

// onLate gives the log up if the first in the queue has waited for too long.
func (j *journal) onLate() {
	j.mu.Lock()
	defer j.unlock()
	j.armed = false
	if len(j.queue) == 0 {
		return
	}
	left := j.a.config.OffsetTimeout - time.Since(j.queue[0].since)
	if left <= 0 {
		j.stalled = true
		j.a.config.Logger.Warn("cluster: the log does not answer; packets go out without offsets, their sockets can't be recovered until it does",
			"namespace", j.a.local.Namespace())
		j.flush()
		return
	}
	j.armed = true
	j.late.set(left)
}

// flush delivers what waits, without offsets.
func (j *journal) flush() {
	for len(j.queue) > 0 {
		w := j.pop()
		j.loose = max(j.loose, w.serial)
		j.deliver(w, Offset{}, w.serial > 0)
	}
}

func (j *journal) pop() waiting {
	w := j.queue[0]
	j.queue[0] = waiting{}
	j.queue = j.queue[1:]
	if len(j.queue) == 0 {
		j.queue = nil
	}
	return w
}

// deliver queues w on its sockets, with the offset at if that isn't zero. Without
// one, suspends says that it should have had one.
func (j *journal) deliver(w waiting, at Offset, suspends bool) {
	if w.run != nil {
		w.run()
		return
	}
	sockets := []adapter.Socket{w.only}
	if w.only == nil {
		if sockets = j.a.Memory.Sockets(w.sel); len(sockets) == 0 {
			return
		}
	}
	p := w.packet
	if (at != Offset{}) {
		numbered := *p
		numbered.Args = p.Args.Concat(offsetArgs(at))
		p = &numbered
	}
	d, err := j.a.local.Prepare(p, w.sel.Flags)
	if err != nil {
		j.a.config.Logger.Warn("cluster: a packet can't be encoded", "namespace", j.a.local.Namespace(), "error", err)
		return
	}
	for _, s := range sockets {
		t := j.tracks[s]
		if t.has(w.place) {
			continue
		}
		s.Push(d)
		if t != nil && (suspends || at != Offset{}) {
			t.sent(at, j.loose <= j.echoed)
		}
	}
	j.flushes = append(j.flushes, sockets)
}

// offsetArgs are the arguments that carry an offset: one string, as in the
// reference.
func offsetArgs(at Offset) sioparser.Args {
	args, err := sioparser.ParseArgs([]byte(`["`+at.String()+`"]`), nil)
	if err != nil {
		panic("cluster: " + err.Error()) // digits and a dash are a string
	}
	return args
}

// Begin implements [Follower].
func (j *journal) Begin(at Offset) {
	j.mu.Lock()
	first := !j.begun
	j.newest, j.passed, j.stalled, j.begun = at, at, false, true
	j.unlock()
	if first {
		close(j.ready)
		j.a.announce()
	}
}

// Passed implements [Passer].
func (j *journal) Passed(at Offset) {
	if j.a.closed.Load() {
		return // entries before it may have been dropped
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if at.After(j.passed) {
		j.passed = at
	}
}

// Entry implements [Follower].
func (j *journal) Entry(e Entry) {
	if j.a.closed.Load() {
		return
	}
	var m Message
	err := j.a.decode(j.a.config.LogCodec, e.Data, &m)
	own := m.UID == j.a.config.UID
	j.mu.Lock()
	j.newest, j.stalled = e.At, false
	fresh := err == nil && j.fresh(&m)
	switch {
	case err != nil:
	case !fresh:
		j.repeated(e.At)
	case own:
		j.echoed = max(j.echoed, m.Serial)
		j.echo(m.Serial, e.At)
	case j.recovers && m.Type == Broadcast && m.RequestID == "":
		j.a.heard(&m)
		j.entry(&m, e.At)
		fresh = false // and done
	}
	j.release(j.a.in.add) // more entries may follow at once
	switch {
	case err != nil:
		j.a.drop(err)
	case own:
	default:
		j.a.stats.received.Add(1)
		if fresh {
			if err := j.a.handle(&m, e.At); err != nil {
				j.a.drop(err)
			}
		}
	}
}

// entry delivers a broadcast of another server.
func (j *journal) entry(m *Message, at Offset) {
	p := &sioparser.Packet{Type: sioparser.Event, Name: m.Name, Args: m.Args}
	w := waiting{packet: p, sel: m.Selection, place: at}
	if !replayed(p, m.Selection) {
		at = Offset{}
	}
	j.deliver(w, at, false)
}

// fresh reports whether a message has not come before: a server that does not
// know whether the log has taken a message appends it again.
func (j *journal) fresh(m *Message) bool {
	if m.Serial == 0 {
		return true // from an official adapter
	}
	known := j.heard[m.UID]
	if known == nil {
		if len(j.heard) >= maxNodes {
			for uid := range j.heard { // any: it is only that its repetitions are not noticed
				delete(j.heard, uid)
				break
			}
		}
		known = new(serials)
		j.heard[m.UID] = known
	}
	return known.fresh(m.Serial)
}

// maxAgain bounds how many repetitions are remembered.
const maxAgain = 2 * recent

// repeated notes that an entry repeats an earlier one: who has seen that must not be
// replayed this one.
func (j *journal) repeated(at Offset) {
	if len(j.again) == maxAgain {
		j.again = append(make([]Offset, 0, maxAgain), j.again[maxAgain/2:]...)
	}
	j.again = append(j.again, at)
}

// repeats reports whether the entry at a place is a repetition.
func (j *journal) repeats(at Offset) bool {
	_, found := slices.BinarySearchFunc(j.again, at, func(a, b Offset) int {
		return cmp.Or(cmp.Compare(a.Major, b.Major), cmp.Compare(a.Minor, b.Minor))
	})
	return found
}

// echo delivers what waits for an entry of this server's own, which has come back.
func (j *journal) echo(serial uint64, at Offset) {
	for len(j.queue) > 0 && j.queue[0].serial <= serial {
		w := j.pop()
		switch w.serial {
		case serial:
			w.place = at
			j.deliver(w, at, false)
		default: // needs none, or the log has lost it
			j.deliver(w, Offset{}, w.serial > 0)
		}
	}
	for len(j.queue) > 0 && j.queue[0].serial == 0 {
		j.deliver(j.pop(), Offset{}, false)
	}
}

// present returns this server's sockets that sel selects, without those that the
// entry at a place was for when they were elsewhere.
func (j *journal) present(sel adapter.Selection, at Offset) []adapter.Socket {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.DeleteFunc(j.a.Memory.Sockets(sel), func(s adapter.Socket) bool { return j.tracks[s].has(at) })
}

// disconnect ends this server's sockets that sel selects when what they were sent
// before is out.
func (j *journal) disconnect(sel adapter.Selection, closeConn bool) {
	sel.Rooms, sel.Except = slices.Clone(sel.Rooms), slices.Clone(sel.Except)
	j.inTurn(func() { j.ends = append(j.ends, ending{j.a.Memory.Sockets(sel), closeConn}) })
}

// ending is sockets that are to be disconnected.
type ending struct {
	sockets   []adapter.Socket
	closeConn bool
}

// deliverAck is Memory.DeliverAck in its turn.
func (j *journal) deliverAck(p *sioparser.Packet, sel adapter.Selection, expect func([]adapter.Socket), reply adapter.ReplyFunc) (func([]adapter.Socket), error) {
	d, forget, err := j.a.local.PrepareAck(p, sel.Flags, reply)
	if err != nil {
		return nil, err
	}
	done := make(chan struct{})
	j.inTurn(func() {
		defer close(done)
		sockets := j.a.Memory.Sockets(sel)
		expect(sockets)
		for _, s := range sockets {
			s.Push(d)
		}
		j.flushes = append(j.flushes, sockets)
	})
	<-done // within Config.OffsetTimeout
	return forget, nil
}

// close delivers what waits and has every session saved.
func (j *journal) close(ctx context.Context) error {
	j.mu.Lock()
	j.flush()
	j.unlock()
	j.late.stop()
	return j.sessions.close(ctx)
}
