package engineio

import (
	"bytes"
	"context"
	"sync"
)

// Session is one client's connection, whatever carries it. All methods may be
// called from any goroutine.
type Session struct {
	id     string
	hs     *Handshake
	ctx    context.Context
	cancel context.CancelCauseFunc

	mu    sync.Mutex
	state State
	queue []*Prepared
	bytes int
	corks int
	data  any
}

// ID returns the session's id.
func (s *Session) ID() string { return s.id }

// Protocol returns the Engine.IO revision of the client: 4, or 3.
func (s *Session) Protocol() int { return 4 }

// Transport returns the name of the transport that carries the session now.
func (s *Session) Transport() string { return "" }

// State returns where the session is in its life.
func (s *Session) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

// Context ends when the session does, with a *DisconnectError as its cause.
func (s *Session) Context() context.Context { return s.ctx }

// Handshake returns what is kept of the first request.
func (s *Session) Handshake() *Handshake { return s.hs }

// Push queues p. It never blocks, never writes and calls nothing back, so it
// may be called under a lock. ErrClosed or ErrSlowClient.
func (s *Session) Push(p *Prepared, f Flags) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != Open && s.state != Opening {
		return ErrClosed
	}
	s.queue = append(s.queue, p)
	s.bytes += p.size
	return nil
}

// Cork makes queued packets wait until as many calls of Uncork, or until
// 1 ms after something was queued.
func (s *Session) Cork() {
	s.mu.Lock()
	s.corks++
	s.mu.Unlock()
}

// Uncork ends one cork, if there is any, and writes what is queued if none is
// left: one attempt that cannot block; the rest is a goroutine's.
func (s *Session) Uncork() {
	s.mu.Lock()
	if s.corks > 0 {
		s.corks--
	}
	s.mu.Unlock()
	s.Wake()
}

// Wake writes what is queued, as Uncork does, unless a cork holds it back.
func (s *Session) Wake() {}

// Send queues copies of the messages, which travel together, and writes them
// unless a cork holds them back.
func (s *Session) Send(msgs ...Message) error {
	own := make([]Message, len(msgs))
	for i, m := range msgs {
		own[i] = Message{Binary: m.Binary, Data: bytes.Clone(m.Data)}
	}
	if err := s.Push(Prepare(own...), 0); err != nil {
		return err
	}
	s.Wake()
	return nil
}

// Flush waits until the outbox is below its low mark, the session ends
// (ErrClosed), or ctx does.
func (s *Session) Flush(ctx context.Context) error { return ctx.Err() }

// Close begins the end: what is queued leaves, then the transport is closed.
// It returns at once.
func (s *Session) Close() {}

// Discard ends the session without sending what is queued.
func (s *Session) Discard() {}

// Subscribe adds the session to topics (see Server.Publish).
func (s *Session) Subscribe(topics ...string) {}

// Unsubscribe takes the session out of topics.
func (s *Session) Unsubscribe(topics ...string) {}

// BufferedBytes returns how much is queued or being written: payload bytes
// and 64 for each packet.
func (s *Session) BufferedBytes() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bytes
}

// Writable reports whether a message sent now would leave at once.
func (s *Session) Writable() bool { return false }

// SetData keeps v for the handler. Call it in Open.
func (s *Session) SetData(v any) { s.data = v }

// Data returns what SetData was given.
func (s *Session) Data() any { return s.data }
