package client

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/engineio"
)

// outbox is what a session has to send. It is guarded by the session's mu.
type outbox struct {
	queue   []eioparser.Packet // what nobody has taken yet
	size    int                // bytes counted in queue and in what is being written
	writing bool               // there is a writer
	held    bool               // nothing is written: the session is moving to another link
	ponged  bool               // the queue holds a pong
	parting bool               // the Close packet has been taken
	idle    chan struct{}      // closed when the writer has ended; nil when nobody waits
	drained chan struct{}      // closed when there is room again; nil when nobody waits
}

// errClosed: the server closed the session in words.
var errClosed = fmt.Errorf("engineio: transport closed by the server: %w", io.EOF)

// packetCost is what a packet counts in an outbox beside its bytes.
const packetCost = 64

// Send queues copies of the messages, which travel together. It never blocks.
// engineio.ErrClosed, ErrFull or ErrTooLarge: none of them was queued.
func (s *Session) Send(msgs ...engineio.Message) error {
	own := make([]engineio.Message, len(msgs))
	for i, m := range msgs {
		own[i] = engineio.Message{Binary: m.Binary, Data: bytes.Clone(m.Data)}
	}
	return s.Push(engineio.Prepare(own...), 0)
}

// Push is Send without a copy, for messages that are sent to many, or that the
// caller will not touch again. A volatile one is dropped, without an error, if
// it could not leave at once: while something is being written, and during an
// upgrade. With engineio.Overflow there is no ErrFull.
func (s *Session) Push(p *engineio.Prepared, f engineio.Flags) error {
	size := 0
	for _, pkt := range p.Packets() {
		size += packetCost + len(pkt.Data)
		if limit := s.hs.MaxPayload; limit > 0 && frameLen(pkt) > limit {
			return ErrTooLarge
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != engineio.Open {
		return engineio.ErrClosed
	}
	full := f&engineio.Overflow == 0 && s.size > 0 && s.size+size > s.cfg.Outbox // one of any size has room
	switch {
	case f&engineio.Volatile != 0 && (full || s.writing || s.held):
		return nil
	case full:
		return ErrFull
	}
	s.queue = append(s.queue, p.Packets()...)
	s.size += size
	s.pump()
	return nil
}

// frameLen is what a message counts for a server's maxPayload.
func frameLen(p eioparser.Packet) int64 {
	if p.Binary {
		return int64(len(p.Data))
	}
	return int64(len(p.Data)) + 1
}

// queuePong queues the answer to a ping. One that has not left yet answers both.
// The caller holds mu.
func (s *Session) queuePong() {
	if s.ponged || s.state != engineio.Open {
		return
	}
	s.ponged = true
	s.queue = append(s.queue, eioparser.Packet{Type: eioparser.Pong})
	s.pump()
}

// pump starts the writer if there is something to write. The caller holds mu.
func (s *Session) pump() {
	if s.writing || s.held || len(s.queue) == 0 {
		return
	}
	s.writing = s.start(s.write)
}

// write is the writer: it lives until the queue is empty.
func (s *Session) write() {
	var batch []eioparser.Packet
	s.mu.Lock()
	for !s.held && len(s.queue) > 0 && s.state != engineio.Closed {
		s.queue, batch = batch[:0], s.queue
		s.ponged = false
		s.parting = s.state == engineio.Closing && batch[len(batch)-1].Type == eioparser.Close
		parting, link := s.parting, s.link
		s.mu.Unlock()
		err := link.Send(batch)
		sent := 0
		for _, p := range batch {
			if p.Type == eioparser.Message {
				sent += packetCost + len(p.Data)
			}
		}
		clear(batch)
		switch {
		case parting:
			s.end(engineio.ForcedClose, nil)
		case err != nil:
			s.fail(err)
		}
		s.mu.Lock()
		s.size -= sent
		s.stir()
	}
	s.writing = false
	if s.idle != nil {
		close(s.idle)
		s.idle = nil
	}
	if len(s.queue) == 0 && cap(batch) <= 256 {
		s.queue = batch[:0] // kept for the next time
	}
	s.mu.Unlock()
}

// stir wakes Flush if there is room. The caller holds mu.
func (s *Session) stir() {
	if s.drained != nil && s.size <= s.cfg.Outbox/4 {
		close(s.drained)
		s.drained = nil
	}
}

// abandon drops what is queued. The caller holds mu; the session is closed.
func (s *Session) abandon() {
	s.queue = nil
	if s.drained != nil {
		close(s.drained)
		s.drained = nil
	}
}

// Flush waits until the outbox has room again: until at most a quarter of its
// limit is used. engineio.ErrClosed, or the cause of ctx.
func (s *Session) Flush(ctx context.Context) error {
	for {
		s.mu.Lock()
		if s.state == engineio.Closed {
			s.mu.Unlock()
			return engineio.ErrClosed
		}
		if s.size <= s.cfg.Outbox/4 {
			s.mu.Unlock()
			return nil
		}
		if s.drained == nil {
			s.drained = make(chan struct{})
		}
		drained := s.drained
		s.mu.Unlock()
		select {
		case <-drained:
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

// Writable reports whether a message sent now would be written at once: nothing
// else is being written, and no upgrade is being completed.
func (s *Session) Writable() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state == engineio.Open && !s.writing && !s.held
}
