package engineio

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"sync"
)

// outbox is what a session has to send. It is guarded by the session's mu.
//
// One bit, owned, says that somebody is writing. Who sets it, because there is
// something to write and nobody writes, makes one attempt that cannot block; if
// something is left, a goroutine takes the bit over and keeps it until nothing
// is. So a session that has nothing to say has no writer, and a sender never
// waits for a client.
type outbox struct {
	queue   *batch        // what nobody has taken yet; nil when empty
	size    int           // bytes counted in queue and in what is being written
	old     *Port         // the link that was replaced while it was being written to
	drained chan struct{} // closed when size falls to the low mark; nil when nobody waits
	owned   bool          // somebody is writing
	blocked bool          // it is a goroutine, because the peer did not take everything
	wake    bool          // the live link asked for a TryWrite
	full    bool          // the limit was passed: the session is being closed
	parting bool          // the batch with the Close packet has been taken
	stale   bool          // what is queued is waiting behind a cork for the second tick; see cork.go
	waited  bool          // what is queued has waited behind a cork for long enough
	listed  bool          // in the server's list of corks
	corks   int16
}

// batch is what is written at a time. Between two bursts it is in a pool: an
// idle session holds none.
type batch struct {
	items []Outgoing
	size  int
	last  bool // holds the Close packet of a graceful end
}

var batches = sync.Pool{New: func() any { return &batch{items: make([]Outgoing, 0, 16)} }}

func (b *batch) free() {
	clear(b.items)
	b.items = b.items[:0]
	b.size, b.last = 0, false
	if cap(b.items) <= 1024 {
		batches.Put(b)
	}
}

// copied prepares copies of messages, in one piece of memory.
func copied(msgs []Message) *Prepared {
	if len(msgs) == 1 {
		m := msgs[0]
		m.Data = bytes.Clone(m.Data)
		return Prepare(m)
	}
	n := 0
	for _, m := range msgs {
		n += len(m.Data)
	}
	all := make([]byte, 0, n)
	own := make([]Message, len(msgs))
	for i, m := range msgs {
		from := len(all)
		all = append(all, m.Data...)
		own[i] = Message{Binary: m.Binary, Data: all[from:len(all):len(all)]}
	}
	return Prepare(own...)
}

// Push queues p. It never blocks, never writes and calls nothing back, so it
// may be called under a lock; Wake, Uncork or Server.Uncork must follow.
//
// ErrClosed: the session is over or ending. ErrSlowClient: the outbox is past
// its limit (Limits.Outbox), and the session is being closed. A volatile
// message that could not leave at once is dropped and nil is returned.
func (s *Session) Push(p *Prepared, f Flags) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.push(p, f)
}

// push is Push for a caller that holds mu.
func (s *Session) push(p *Prepared, f Flags) error {
	if st := s.State(); st != Open && st != Opening {
		return ErrClosed
	}
	if len(p.packets) == 0 {
		return nil // an empty payload is none
	}
	limit := s.srv.cfg.Limits.Outbox
	over := s.size > limit || s.size+p.size > limit && p.size <= limit
	if f&Volatile != 0 && (over || s.blocked || !s.port.ready || s.probing()) {
		return nil
	}
	if over {
		if !s.full {
			s.full = true
			s.srv.group.run(s.slow)
		}
		return ErrSlowClient
	}
	p.pushed.Add(1)
	s.append(Outgoing{Prepared: p, NoCompress: f&NoCompress != 0})
	return nil
}

// slow ends a session that does not read. It runs on a goroutine, since Push
// may be called under any lock.
func (s *Session) slow() {
	s.srv.log.Warn("engineio: slow client closed", slog.Int("limit", s.srv.cfg.Limits.Outbox))
	s.end(TransportError, ErrSlowClient)
}

// queueControl queues a packet of the protocol. It is bounded by whoever
// causes it, and leaves also when the outbox is full. The caller holds mu.
func (s *Session) queueControl(p *Prepared) {
	s.append(Outgoing{Prepared: p, NoCompress: true})
	if p == closePacket {
		s.queue.last = true
	}
}

// queueClose queues the last packet. As by the reference, a poll that comes only
// to be told of the end gets a noop before it. The caller holds mu.
func (s *Session) queueClose() {
	if !s.port.ready {
		s.queueControl(noopPacket)
	}
	s.queueControl(closePacket)
}

func (s *Session) append(o Outgoing) {
	if s.queue == nil {
		s.queue = batches.Get().(*batch)
	}
	s.queue.items = append(s.queue.items, o)
	s.queue.size += o.size
	s.size += o.size
	s.held()
}

// Wake writes what is queued unless a cork holds it back: one attempt that
// cannot block; the rest is a goroutine's.
func (s *Session) Wake() {
	s.mu.Lock()
	s.pump(false)
}

// mayWrite reports whether there is something to write and nothing against it.
// The caller holds mu.
func (s *Session) mayWrite(force bool) bool {
	if s.owned || !s.port.ready || (s.queue == nil && !s.wake) {
		return false
	}
	switch s.State() {
	case Open:
		return force || s.corks == 0 || s.waited
	case Closing:
		return true
	}
	return false
}

// pumpRounds is how many batches a caller of pump writes before a goroutine
// does: others may push as fast as it writes.
const pumpRounds = 8

// pump writes what there is to write. It is called with mu held and releases it.
func (s *Session) pump(force bool) {
	for round := 0; s.mayWrite(force); round++ {
		if round == pumpRounds {
			s.srv.group.run(s.Wake)
			break
		}
		port, b := s.take()
		if port.try == nil {
			s.blocked = true
			s.srv.group.run(func() { s.write(port, b, b.list()) })
			break
		}
		s.mu.Unlock()
		s.srv.cfg.Trace.sending(s, b.list())
		err := port.tryWrite(b.list())
		s.mu.Lock()
		if errors.Is(err, ErrWouldBlock) {
			s.blocked = true
			s.srv.group.run(func() { s.write(port, b, nil) })
			break
		}
		if !s.release(b, err) {
			return
		}
	}
	s.mu.Unlock()
}

// write is the writer: it owns the outbox, of which b has been taken and items
// is still to be written, until there is nothing to write.
func (s *Session) write(port *Port, b *batch, items []Outgoing) {
	for {
		s.srv.cfg.Trace.sending(s, items)
		err := port.write(items)
		s.mu.Lock()
		if !s.release(b, err) {
			return
		}
		if !s.mayWrite(false) {
			s.mu.Unlock()
			return
		}
		port, b = s.take()
		items = b.list()
		s.blocked = true
		s.mu.Unlock()
	}
}

// list is nil safe: there may be nothing but a wake.
func (b *batch) list() []Outgoing {
	if b == nil {
		return nil
	}
	return b.items
}

// take sets the owner's bit and returns what is to be written, and where to.
// The caller holds mu.
func (s *Session) take() (*Port, *batch) {
	b := s.queue
	s.owned, s.queue, s.wake, s.stale, s.waited = true, nil, false, false, false
	s.parting = b != nil && b.last
	return s.port, b
}

// release clears the owner's bit after b has been written. It is called with mu held and returns with mu held and true, or, if the session is
// over, without mu and false.
func (s *Session) release(b *batch, err error) bool {
	s.owned, s.blocked = false, false
	last := false
	if b != nil {
		last = b.last
		s.size -= b.size
		b.free()
	}
	if s.drained != nil && s.size <= s.srv.cfg.Limits.Outbox/4 {
		close(s.drained)
		s.drained = nil
	}
	if old := s.old; old != nil {
		// The session moved on while this link was being written to. What it took
		// is its own business, and so is an error.
		s.old, err = nil, nil
		s.mu.Unlock()
		old.close()
		s.mu.Lock()
	}
	switch {
	case s.State() == Closed:
		s.abandon()
		s.mu.Unlock()
		return false
	case err != nil:
		s.mu.Unlock()
		s.end(TransportError, err)
		return false
	case last:
		why := s.why
		s.mu.Unlock()
		s.end(why, nil)
		return false
	case s.State() == Closing && s.queue == nil:
		// A client acts on a close packet at once, even where the packets before it
		// in the same payload wait for their turn: so it never shares one.
		s.queueClose()
	}
	return true
}

// abandon drops what is queued. What is being written is dropped when its
// write returns. The caller holds mu; the session is closed.
func (s *Session) abandon() {
	if s.queue != nil {
		s.size -= s.queue.size
		s.queue.free()
		s.queue = nil
	}
	if s.drained != nil {
		close(s.drained)
		s.drained = nil
	}
}

// Flush waits until the outbox has room again: until at most a quarter of its
// limit is used. Producers that send more than a client may read should call
// it now and then. ErrClosed, or the cause of ctx.
func (s *Session) Flush(ctx context.Context) error {
	for {
		s.mu.Lock()
		if s.State() == Closed {
			s.mu.Unlock()
			return ErrClosed
		}
		if s.size <= s.srv.cfg.Limits.Outbox/4 {
			s.mu.Unlock()
			return nil
		}
		if s.drained == nil {
			s.drained = make(chan struct{})
		}
		c := s.drained
		s.mu.Unlock()
		s.Wake()
		select {
		case <-c:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// BufferedBytes returns how much is queued or being written: the messages'
// bytes and 64 for each.
func (s *Session) BufferedBytes() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.size
}

// Writable reports whether a message sent now would be written at once: the
// client has taken what was written before, a long-polling client has a poll
// pending, and no upgrade is going on.
func (s *Session) Writable() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.State() == Open && s.port.ready && !s.blocked && !s.probing()
}
