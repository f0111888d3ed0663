package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/siokit/siokit/engineio"
	engine "github.com/siokit/siokit/engineio/client"
	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio"
)

// A courier delivers, one after the other, the events of a socket that must be
// acknowledged (Config.Retries), on a goroutine that exists while there are any.
// It is guarded by the client's mu.
type courier struct {
	bag     []*consignment // the first one is being delivered
	working bool
	news    chan struct{} // closed when the socket has joined; nil when nobody waits
}

// A consignment is an event that is sent until it is acknowledged.
type consignment struct {
	event   string
	args    sioparser.Args
	timeout time.Duration // of each try; less than 0: none
	size    int64
	wanted  context.Context // of who waits for the result
	result  waiter          // nil: nobody does
}

// entrust gives the courier an event. It waits while the buffer is full.
func (s *Socket) entrust(ctx context.Context, e *consignment) error {
	e.size = eventCost + int64(len(e.args.Raw()))
	for _, b := range e.args.Attachments() {
		e.size += int64(len(b))
	}
	c := s.client
	c.mu.Lock()
	defer c.mu.Unlock()
	for s.size+e.size > c.config.Buffer && s.size > 0 && !c.closed {
		if err := s.awaitRoom(ctx); err != nil {
			return err
		}
	}
	if c.closed {
		return ErrClosed
	}
	s.size += e.size
	s.bag = append(s.bag, e)
	if !s.working {
		s.working = true
		c.crew.start(s.deliverAll)
	}
	return nil
}

// deliver gives the courier an event and waits for what becomes of it.
func (s *Socket) deliver(ctx context.Context, e *consignment) (*socketio.Ack, error) {
	e.wanted, e.result = ctx, make(waiter, 1)
	if err := s.entrust(ctx, e); err != nil {
		return nil, ackError(err)
	}
	select {
	case o := <-e.result:
		return s.acknowledged(o)
	case <-ctx.Done(): // the courier sees that too, if it has begun to deliver it
	}
	s.client.mu.Lock()
	defer s.client.mu.Unlock()
	if i := slices.Index(s.bag, e); i > 0 {
		s.bag = slices.Delete(s.bag, i, i+1)
		s.shrink(e.size)
	}
	return nil, ackError(context.Cause(ctx))
}

// deliverAll is the courier's goroutine. Shutdown waits for it.
func (s *Socket) deliverAll() {
	finished := false
	defer func() {
		if !finished {
			s.client.crew.start(s.deliverAll) // a hook ended its goroutine (runtime.Goexit)
		}
	}()
	for {
		s.client.mu.Lock()
		if len(s.bag) == 0 {
			s.bag, s.working = nil, false
			s.client.mu.Unlock()
			finished = true
			return
		}
		e := s.bag[0]
		s.client.mu.Unlock()

		o := s.try(e)

		s.client.mu.Lock()
		s.bag[0], s.bag = nil, s.bag[1:]
		s.shrink(e.size)
		s.client.mu.Unlock()
		if e.result != nil {
			e.result <- o
		} else if o.err != nil && !errors.Is(o.err, ErrClosed) {
			s.client.mu.Lock()
			s.reportLater(fmt.Errorf("socketio: event %q was given up: %w", e.event, o.err))
			s.client.mu.Unlock()
		}
	}
}

// try sends an event until it is acknowledged, or has been sent often enough.
func (s *Socket) try(e *consignment) (o outcome) {
	for tries := 0; tries <= s.client.config.Retries; {
		p, err := s.hand(e)
		switch {
		case err != nil:
			return outcome{err: err}
		case p == nil:
			continue // the connection was lost in between
		}
		s.tellOutgoing(p)
		tries++
		if o = s.await(e, p); o.err == nil || errors.Is(o.err, errUnwanted) || errors.Is(o.err, ErrClosed) {
			return o
		}
	}
	return o
}

var errUnwanted = errors.New("socketio: nobody waits for it any more")

// hand sends an event when the socket is joined. It returns nothing if it must
// be called again.
func (s *Socket) hand(e *consignment) (*parcel, error) {
	p, err := s.newEvent(e.event, e.args, make(waiter, 1))
	if err != nil {
		return nil, err
	}
	c := s.client
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.wanted.Err() != nil {
		return nil, errUnwanted
	}
	for !s.joined || len(s.buffer) > 0 || s.attempt.conn.session.Overdue() {
		if err := s.awaitNews(e); err != nil {
			return nil, err
		}
		if e.wanted.Err() != nil { // it came at the same moment
			return nil, errUnwanted
		}
	}
	switch err := s.push(p, 0); {
	case errors.Is(err, engineio.ErrClosed):
		return nil, s.awaitNews(e)
	case errors.Is(err, engine.ErrFull):
		s.attempt.conn.awaitRoom()
		return nil, s.awaitNews(e)
	case err != nil:
		return nil, err
	}
	return p, nil
}

// await waits for the acknowledgement of what was sent.
func (s *Socket) await(e *consignment, p *parcel) outcome {
	var late <-chan time.Time
	if e.timeout > 0 {
		t := time.NewTimer(e.timeout)
		defer t.Stop()
		late = t.C
	}
	var err error
	select {
	case o := <-p.waiter:
		return o
	case <-late:
		err = socketio.ErrAckTimeout
	case <-e.wanted.Done():
		err = errUnwanted
	case <-s.client.ctx.Done():
		err = ErrClosed
	}
	if !s.forget(p) {
		return <-p.waiter // it came at the same moment
	}
	return outcome{err: err}
}

// wake tells the courier that the socket has joined, or may send again. The
// caller holds mu.
func (s *Socket) wake() {
	if s.news != nil {
		close(s.news)
		s.news = nil
	}
}

// awaitNews waits until wake is called. The caller holds mu, which is released
// meanwhile.
func (s *Socket) awaitNews(e *consignment) error {
	c := s.client
	if s.news == nil {
		s.news = make(chan struct{})
	}
	news := s.news
	c.mu.Unlock()
	defer c.mu.Lock()
	select {
	case <-news:
		return nil
	case <-e.wanted.Done():
		return errUnwanted
	case <-c.ctx.Done():
		return ErrClosed
	}
}

// awaitRoom waits until something has left the buffer. The caller holds mu,
// which is released meanwhile.
func (s *Socket) awaitRoom(ctx context.Context) error {
	c := s.client
	if s.room == nil {
		s.room = make(chan struct{})
	}
	room := s.room
	c.mu.Unlock()
	defer c.mu.Lock()
	select {
	case <-room:
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-c.ctx.Done():
	}
	return nil
}
