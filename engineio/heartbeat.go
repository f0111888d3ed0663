package engineio

import (
	"errors"
	"time"
)

// What a session's alarm is set for. In revision 4 the server pings; in
// revision 3 the client does, and the server only waits.
const (
	restUntilPing uint32 = iota // the next ping is due
	awaitPong                   // a ping was sent; the alarm ends the session
	awaitExtended               // the same, after the one extension
	awaitPing                   // revision 3
)

// leastPongTime is the shortest wait of Config.AdaptiveTimeout.
const leastPongTime = time.Second

// lateShare: a ping that is late by at most this part of PingTimeout counts as
// sent in time.
const lateShare = 4

var errHeartbeatDirection = errors.New("engineio: invalid heartbeat direction")

// beatAt sets what the alarm is for and when it is due, since the wheel's
// start. The caller holds mu, and the session is not closed.
func (s *Session) beatAt(what uint32, due time.Duration) {
	s.heartbeat.Store(what)
	s.due = due
	s.srv.wheel.scheduleAt(&s.alarm, due)
}

// startHeartbeat sets the first alarm. The caller holds mu.
func (s *Session) startHeartbeat() {
	s.alarm.expire = s
	cfg := &s.srv.cfg
	now := s.srv.wheel.now()
	if s.protocol == 3 {
		s.beatAt(awaitPing, now+cfg.PingInterval+cfg.PingTimeout)
	} else {
		s.beatAt(restUntilPing, now+cfg.PingInterval)
	}
}

// beat is called when the alarm expired on an open session.
func (s *Session) beat() {
	s.mu.Lock()
	now := s.srv.wheel.now()
	if s.State() != Open || now < s.due {
		s.mu.Unlock()
		return
	}
	if s.heartbeat.Load() != restUntilPing {
		s.mu.Unlock()
		s.endSoon(PingTimeout, nil)
		return
	}
	// A ping that is a little late shortens the wait for its answer, so that the
	// session ends when its times say, also on a busy machine. A client does not
	// pay for a server that was stalled for longer.
	due := s.due
	if late := now - due; late > s.srv.cfg.PingTimeout/lateShare {
		due = now
	}
	s.pinged = now
	s.queueControl(pingPacket)
	s.beatAt(awaitPong, due+s.pongTime())
	s.pump(true)
}

// pongTime returns how long to wait for the answer to a ping. The caller holds
// mu.
func (s *Session) pongTime() time.Duration {
	most := s.srv.cfg.PingTimeout
	if !s.srv.cfg.AdaptiveTimeout || s.rtt == 0 {
		return most
	}
	return min(max(4*s.rtt, leastPongTime), most)
}

// onPong handles the client's answer. One that nobody asked for is worth
// nothing.
func (s *Session) onPong() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch s.heartbeat.Load() {
	case awaitPing:
		return errHeartbeatDirection
	case awaitPong, awaitExtended:
		if s.State() != Open {
			break // the alarm is the end's now
		}
		now := s.srv.wheel.now()
		if sample := now - s.pinged; s.rtt == 0 {
			s.rtt = sample
		} else {
			s.rtt += (sample - s.rtt) / 8 // as TCP does, RFC 6298, section 2
		}
		s.beatAt(restUntilPing, now+s.srv.cfg.PingInterval)
	}
	return nil
}

// RTT returns the smoothed time between a ping and the client's answer. 0:
// none was answered yet.
func (s *Session) RTT() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rtt
}

// onPing handles a ping of the client, which only revision 3 has.
func (s *Session) onPing() error {
	if s.heartbeat.Load() != awaitPing {
		return errHeartbeatDirection
	}
	s.mu.Lock()
	if s.State() == Open {
		s.beatAt(awaitPing, s.srv.wheel.now()+s.srv.cfg.PingInterval+s.srv.cfg.PingTimeout)
		s.queueControl(pongPacket)
	}
	s.pump(true)
	return nil
}

// extendPing gives a client that is busy sending, once for each ping, more
// time to answer, as engine.io 6.6.12 does.
func (s *Session) extendPing() {
	if s.heartbeat.Load() != awaitPong {
		return
	}
	s.mu.Lock()
	if s.State() == Open && s.heartbeat.Load() == awaitPong {
		s.beatAt(awaitExtended, s.srv.wheel.now()+s.srv.cfg.PingTimeout)
	}
	s.mu.Unlock()
}

// overdue reports whether the client has not answered in time, although the
// wheel, which may be a tick late, has not noticed yet. A request that arrives
// right after the deadline must not find the session.
func (s *Session) overdue() bool {
	if s.heartbeat.Load() == restUntilPing {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.State() == Open && s.heartbeat.Load() != restUntilPing && s.srv.wheel.now() >= s.due
}
