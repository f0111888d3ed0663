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

var errHeartbeatDirection = errors.New("engineio: invalid heartbeat direction")

// startHeartbeat sets the first alarm. The caller holds mu.
func (s *Session) startHeartbeat() {
	s.alarm.expire = s
	cfg := &s.srv.cfg
	if s.protocol == 3 {
		s.heartbeat.Store(awaitPing)
		s.srv.wheel.schedule(&s.alarm, cfg.PingInterval+cfg.PingTimeout)
		return
	}
	s.srv.wheel.schedule(&s.alarm, cfg.PingInterval)
}

// beat is called when the alarm expired on an open session.
func (s *Session) beat() {
	s.mu.Lock()
	if s.State() != Open {
		s.mu.Unlock()
		return
	}
	if s.heartbeat.Load() != restUntilPing {
		s.mu.Unlock()
		s.endSoon(PingTimeout, nil)
		return
	}
	s.heartbeat.Store(awaitPong)
	s.pinged = time.Since(s.srv.wheel.start)
	s.queueControl(pingPacket)
	s.srv.wheel.schedule(&s.alarm, s.pongTimeout())
	s.pump(true)
}

// pongTimeout returns how long to wait for the answer to a ping.
func (s *Session) pongTimeout() time.Duration { return s.srv.cfg.PingTimeout }

// onPong handles the client's answer. One that nobody asked for is worth
// nothing.
func (s *Session) onPong() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch s.heartbeat.Load() {
	case awaitPing:
		return errHeartbeatDirection
	case awaitPong, awaitExtended:
		if s.State() != Closed {
			s.heartbeat.Store(restUntilPing)
			s.srv.wheel.schedule(&s.alarm, s.srv.cfg.PingInterval)
		}
	}
	return nil
}

// onPing handles a ping of the client, which only revision 3 has.
func (s *Session) onPing(data []byte) error {
	if s.heartbeat.Load() != awaitPing {
		return errHeartbeatDirection
	}
	s.mu.Lock()
	if s.State() != Closed {
		s.srv.wheel.schedule(&s.alarm, s.srv.cfg.PingInterval+s.srv.cfg.PingTimeout)
		s.queueControl(pongPacket)
	}
	s.pump(true)
	return nil
}

// extendPing gives a client that is busy sending, once for each ping, more
// time to answer, as engine.io 6.6.12 does.
func (s *Session) extendPing() {
	if s.heartbeat.Load() != awaitPong || !s.heartbeat.CompareAndSwap(awaitPong, awaitExtended) {
		return
	}
	s.mu.Lock()
	if s.State() != Closed && s.heartbeat.Load() == awaitExtended {
		s.srv.wheel.schedule(&s.alarm, s.srv.cfg.PingTimeout)
	}
	s.mu.Unlock()
}
