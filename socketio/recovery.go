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
			old.conn.fail(engineio.TransportClose, errSuperseded)
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
	s.privateID = newID()
	return false, nil
}

// resume takes over a stored session.
func (s *Socket) resume(ctx context.Context, session *adapter.Session) error {
	fresh := s.id
	s.id = session.SocketID
	s.setReplaying(true)
	err := s.nsp.store.Resume(ctx, s, session)
	s.setReplaying(false)
	if err != nil {
		s.id = fresh
		return err
	}
	s.privateID, s.recovered = session.PrivateID, true
	if err := s.data.restore(session.Data, session.Value); err != nil {
		s.log("data of a recovered session", err)
	}
	return nil
}

// setReplaying says whether what is pushed is the replay, which the store bounds.
func (s *Socket) setReplaying(on bool) {
	s.mu.Lock()
	s.replaying = on
	s.mu.Unlock()
}
