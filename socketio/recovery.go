package socketio

import (
	"context"
	"errors"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/socketio/adapter"
)

// errSuperseded ends a connection whose client has come back over another one.
var errSuperseded = errors.New("socketio: the client has reconnected")

// recover gives the socket the session that its client presents, or a new
// private id. The old socket of that client, if the server has not noticed its
// end yet, ends first. passed means that the session's client is known to have
// passed this namespace's middlewares before.
func (s *Socket) recover(ctx context.Context) (passed bool, err error) {
	var offer struct {
		PID    *string `json:"pid"`
		Offset *string `json:"offset"`
	}
	// Auth is the application's: what has other types there is no offer.
	if s.Auth(&offer) == nil && offer.PID != nil && *offer.PID != "" {
		if old := s.nsp.withPrivateID(*offer.PID); old != nil {
			if old.conn != s.conn { // else the server has taken it out a moment ago
				old.conn.fail(engineio.TransportClose, errSuperseded)
			}
			if err := old.awaitLeft(ctx); err != nil { // its end may have begun elsewhere
				return false, err
			}
		}
		var offset string
		if offer.Offset != nil {
			offset = *offer.Offset
		}
		session, err := s.nsp.store.Take(ctx, *offer.PID, offset)
		if err == nil && s.resume(ctx, session) == nil {
			return !session.Unbound, nil
		}
		if ctx.Err() != nil {
			return false, context.Cause(ctx)
		}
	}
	if !s.settle(func() { s.privateID = newID() }) {
		return false, s.goneError()
	}
	return false, nil
}

// resume takes over a stored session, which goes back into the store if the socket is
// gone before it has it.
func (s *Socket) resume(ctx context.Context, session *adapter.Session) error {
	fresh := s.id
	restore := func() {}
	if r, ok := s.nsp.store.(adapter.Restorer); ok {
		restore = r.Restorable(session)
	}
	if !s.settle(func() { s.id, s.replaying = session.SocketID, true }) {
		restore()
		return s.goneError()
	}
	err := s.nsp.store.Resume(ctx, s, session)
	if err == nil { // before the socket has it to store again
		if err := s.data.restore(session.Data, session.Value); err != nil {
			s.log("data of a recovered session", err)
		}
	}
	settled := s.settle(func() {
		if s.replaying = false; err != nil {
			s.id = fresh
		} else {
			s.privateID, s.recovered = session.PrivateID, true
			s.nsp.returns(s)
		}
	})
	if ctx.Err() != nil && (err != nil || !settled) {
		restore()
	}
	switch {
	case err != nil:
		return err
	case !settled:
		return s.goneError()
	}
	return nil
}
