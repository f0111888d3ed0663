package socketio

import (
	"context"
	"time"

	"github.com/siokit/siokit/sioparser"
)

// A callback is a pending acknowledgement that nobody waits for: a function of
// the user's, which the socket's dispatcher calls.
type callback struct {
	f     func(ctx context.Context, ack *Ack, err error)
	timer *time.Timer // set under the socket's lock; nil without a timeout
}

// askLater emits an event, and has f called when its acknowledgement is there.
func (s *Socket) askLater(event string, flags sendFlags, timeout time.Duration, f func(context.Context, *Ack, error), args []any) error {
	id := s.nsp.nextAckID()
	c := &callback{f: f}
	if timeout <= 0 {
		timeout = s.conn.server.config.AckTimeout
	}
	if err := s.await(id, c); err != nil {
		return err
	}
	if err := s.emit(event, flags, &id, args); err != nil {
		if s.forget(id) {
			return err
		}
		return nil // the socket has gone at this moment, which f is told
	}
	if timeout > 0 {
		s.limit(id, c, timeout)
	}
	return nil
}

// limit lets a callback that is still pending expire.
func (s *Socket) limit(id uint64, c *callback, timeout time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.acks[id] == pending(c) {
		c.timer = time.AfterFunc(timeout, func() { s.expire(id) })
	}
}

func (s *Socket) expire(id uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p, ok := s.acks[id]; ok {
		delete(s.acks, id)
		p.answered(s, sioparser.Args{}, ErrAckTimeout)
	}
}

// answered queues the call behind the events that have arrived. It counts in the
// inbox like one of them.
func (c *callback) answered(s *Socket, args sioparser.Args, err error) {
	if c.timer != nil {
		c.timer.Stop()
	}
	o := outcome{args.Clone(), err}
	size := sizeOf(o.args)
	s.conn.inbox.hold(size)
	s.enqueue(&task{step: func() {
		s.conn.inbox.release(size)
		ack, err := s.acknowledged(o)
		s.report(s.runHook(func() { c.f(s.ctx, ack, err) }))
	}})
}
