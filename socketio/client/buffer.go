package client

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/siokit/siokit/engineio"
	engine "github.com/siokit/siokit/engineio/client"
	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio"
)

// sending is what a socket has to send. It is guarded by the client's mu.
type sending struct {
	buffer []*parcel     // what waits for a connection, or for room in its outbox
	size   int64         // of buffer, and of what the courier has
	room   chan struct{} // closed when there is some again; nil when nobody waits
	lastID uint64        // of the acknowledgements that were asked for
	acks   map[uint64]waiter
}

// A parcel is one packet on its way out.
type parcel struct {
	messages *engineio.Prepared
	size     int64
	volatile bool

	// Of events.
	event  string
	args   sioparser.Args
	id     uint64
	waiter waiter // who waits for the acknowledgement id; nil: nobody

	// Of acknowledgements: the only connection over which they mean something.
	only *attempt
}

// newEvent makes an event's parcel; w, if not nil, gets the acknowledgement.
func (s *Socket) newEvent(event string, args sioparser.Args, w waiter) (*parcel, error) {
	packet := sioparser.Packet{Type: sioparser.Event, Namespace: s.namespace, Name: []byte(event), Args: args}
	p := &parcel{event: event, args: args, waiter: w}
	if w != nil {
		s.client.mu.Lock()
		s.lastID++
		p.id = s.lastID
		s.client.mu.Unlock()
		packet.ID, packet.HasID = p.id, true
	}
	return p, p.encode(s.client.config.Codec, &packet)
}

func (p *parcel) encode(codec sioparser.Codec, packet *sioparser.Packet) (err error) {
	if p.messages, err = encode(codec, packet); err != nil {
		return err
	}
	for _, m := range p.messages.Packets() {
		p.size += eventCost + int64(len(m.Data))
	}
	return nil
}

// put sends a parcel, or keeps it for later. It waits while the buffer is full.
func (s *Socket) put(ctx context.Context, p *parcel) error {
	err := s.waitAndPut(ctx, p)
	switch {
	case errors.Is(err, errDropped):
		return nil
	case err == nil && p.event != "":
		s.tellOutgoing(p)
	}
	return err
}

func (s *Socket) waitAndPut(ctx context.Context, p *parcel) error {
	s.client.mu.Lock()
	defer s.client.mu.Unlock()
	for {
		if err := s.tryPut(p); !errors.Is(err, errNoRoom) {
			return err
		}
		if err := s.awaitRoom(ctx); err != nil {
			return err
		}
	}
}

var (
	errNoRoom  = errors.New("socketio: no room")
	errDropped = errors.New("socketio: a volatile event was dropped")
)

// tryPut is put without waiting. The caller holds mu.
func (s *Socket) tryPut(p *parcel) error {
	switch {
	case s.client.closed:
		return ErrClosed
	case p.only != nil && p.only != s.attempt:
		return socketio.ErrDisconnected
	}
	if s.joined && len(s.buffer) == 0 && !s.attempt.conn.session.Overdue() {
		err := s.push(p, 0)
		if !errors.Is(err, engine.ErrFull) && !errors.Is(err, engineio.ErrClosed) {
			return err
		}
	}
	switch {
	case p.volatile && p.waiter != nil:
		return socketio.ErrDisconnected
	case p.volatile:
		return errDropped
	case s.size+p.size > s.client.config.Buffer && s.size > 0:
		return errNoRoom
	}
	s.buffer = append(s.buffer, p)
	s.size += p.size
	if p.waiter != nil {
		s.acks[p.id] = p.waiter
	}
	s.drain()
	return nil
}

// push hands a parcel to the connection that the socket is joined over. The
// caller holds mu.
func (s *Socket) push(p *parcel, flags engineio.Flags) error {
	if p.volatile {
		flags |= engineio.Volatile
	}
	if err := s.attempt.conn.session.Push(p.messages, flags); err != nil {
		return err
	}
	if p.waiter != nil {
		s.acks[p.id] = p.waiter
	}
	return nil
}

// tellOutgoing calls OnAnyOutgoing, on the goroutine that sends.
func (s *Socket) tellOutgoing(p *parcel) {
	s.client.mu.Lock()
	all := s.onAnyOutgoing.all
	s.client.mu.Unlock()
	for _, h := range all {
		err := func() (err error) {
			defer recovered(&err)
			(*h)(p.event, p.args)
			return nil
		}()
		if err != nil {
			s.client.mu.Lock()
			s.reportLater(err)
			s.client.mu.Unlock()
		}
	}
}

// drain sends what the buffer holds, as far as the connection takes it. The
// caller holds mu.
func (s *Socket) drain() { s.drainAs(0) }

// drainAs is drain with flags: engineio.Overflow sends all of it.
func (s *Socket) drainAs(flags engineio.Flags) {
	if !s.joined {
		return
	}
	for len(s.buffer) > 0 {
		p := s.buffer[0]
		switch err := s.push(p, flags); {
		case errors.Is(err, engineio.ErrClosed):
			return // the next connection takes it
		case errors.Is(err, engine.ErrFull):
			s.attempt.conn.awaitRoom()
			return
		case err != nil:
			s.undelivered(p, err)
		}
		s.buffer[0], s.buffer = nil, s.buffer[1:]
		s.shrink(p.size)
	}
	s.buffer = nil
}

// undelivered reports a parcel that no connection takes. The caller holds mu.
func (s *Socket) undelivered(p *parcel, err error) {
	if p.waiter != nil {
		delete(s.acks, p.id)
		p.waiter <- outcome{err: err}
		return
	}
	what := "an acknowledgement"
	if p.only == nil {
		what = fmt.Sprintf("event %q", p.event)
	}
	s.reportLater(fmt.Errorf("socketio: %s was not sent: %w", what, err))
}

// shrink takes something out of the buffer's account. The caller holds mu.
func (s *Socket) shrink(size int64) {
	s.size -= size
	if s.room != nil {
		close(s.room)
		s.room = nil
	}
}

// awaitRoom drains all sockets' buffers when the connection has room again. The
// caller holds mu. The goroutine ends with the connection at the latest.
func (k *conn) awaitRoom() {
	if k.flushing {
		return
	}
	k.flushing = true
	c := k.client
	c.crew.start(func() {
		err := k.session.Flush(k.session.Context())
		c.mu.Lock()
		defer c.mu.Unlock()
		k.flushing = false
		if err != nil || c.conn != k {
			return
		}
		for _, s := range c.sockets {
			s.drain()
			s.wake()
		}
	})
}

// abandon fails what is lost with a connection: acknowledgements of what was
// sent, and ours that were not. The caller holds mu.
func (s *Socket) abandon(why *DisconnectError) {
	s.buffer = slices.DeleteFunc(s.buffer, func(p *parcel) bool {
		if p.only != nil {
			s.shrink(p.size)
		}
		return p.only != nil
	})
	kept := make(map[uint64]waiter)
	for _, p := range s.buffer {
		if p.waiter != nil {
			kept[p.id] = p.waiter
		}
	}
	for id, w := range s.acks {
		if kept[id] == nil {
			w <- outcome{err: why}
		}
	}
	s.acks = kept
}
