package client

import (
	"slices"

	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio"
	"github.com/siokit/siokit/socketio/internal/arguments"
)

// A waiter has room for the one outcome that ever comes.
type waiter chan outcome

// An outcome is an acknowledgement, or why there is none.
type outcome struct {
	args sioparser.Args
	err  error
}

// resolve takes an acknowledgement. One that nobody waits for any more is
// ignored. The caller holds mu.
func (s *Socket) resolve(p *sioparser.Packet) {
	w := s.acks[p.ID]
	if w == nil || !p.HasID {
		return
	}
	delete(s.acks, p.ID)
	w <- outcome{args: p.Args.Clone()}
}

// forget ends the waiting for an acknowledgement. If the event has not been sent
// yet, it won't be. It is false if the outcome is there already.
func (s *Socket) forget(p *parcel) bool {
	s.client.mu.Lock()
	defer s.client.mu.Unlock()
	if s.acks[p.id] == nil {
		return false
	}
	delete(s.acks, p.id)
	if i := slices.Index(s.buffer, p); i >= 0 {
		s.buffer = slices.Delete(s.buffer, i, i+1)
		s.shrink(p.size)
	}
	return true
}

// acknowledge answers an event of the server's, over the connection that it came
// over: elsewhere its id means nothing. It waits while the buffer is full, as
// long as the connection lasts.
func (s *Socket) acknowledge(a *attempt, id uint64, values []any) error {
	encoded, err := arguments.Append(s.client.config.Values, sioparser.Args{}, values)
	if err != nil {
		return &socketio.ArgumentError{Err: err}
	}
	p := &parcel{only: a}
	packet := sioparser.Packet{Type: sioparser.Ack, Namespace: s.namespace, ID: id, HasID: true, Args: encoded}
	if err := p.encode(s.client.config.Codec, &packet); err != nil {
		return err
	}
	return s.put(a.conn.session.Context(), p)
}
