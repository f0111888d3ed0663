package engineio

import (
	"time"

	"github.com/siokit/siokit/eioparser"
)

// An upgrade, chapter "Upgrade" of the protocol. The client opens a second
// link with the session's sid and probes it with a ping; it gets a pong there
// and, so that its pending poll ends, a noop on the old link. It then sends no
// more on the old link, waits until its requests are answered, and sends an
// upgrade packet on the new one. From that packet on the new link carries the
// session. What the session sends in between leaves by a poll that is pending,
// or waits in the outbox, which belongs to the session and not to a link: so
// nothing is lost, sent twice or overtaken.

// outcomeGrace is how long a request on the old link waits for the end of an
// upgrade. A client that sends the upgrade packet and a request at the same time
// has them arrive in either order, and only one answer is right; some do not even
// wait for the answer to their probe.
const outcomeGrace = 15 * time.Millisecond

// candidate is the link that wants to carry the session.
type candidate struct {
	s    *Session
	port *Port

	// Guarded by s.mu.
	probed  bool          // it was probed, and has been answered
	giveUp  time.Duration // when the upgrade ends, since the wheel's start
	decided chan struct{} // closed at the end of the upgrade; nil when nobody waits

	alarm alarm
}

// awaitOutcome waits, if an upgrade is about to be decided.
func (s *Session) awaitOutcome() {
	s.mu.Lock()
	if s.next == nil {
		s.mu.Unlock()
		return
	}
	if s.next.decided == nil {
		s.next.decided = make(chan struct{})
	}
	decided := s.next.decided
	s.mu.Unlock()
	timer := time.NewTimer(outcomeGrace)
	defer timer.Stop()
	select {
	case <-decided:
	case <-timer.C:
	}
}

// dropCandidate forgets the candidate, if there is one. The caller holds mu.
func (s *Session) dropCandidate() {
	c := s.next
	if c == nil {
		return
	}
	s.next = nil
	s.srv.wheel.cancel(&c.alarm)
	if c.decided != nil {
		close(c.decided)
	}
}

// releaseEvery is how often a poll that is pending during an upgrade is ended.
const releaseEvery = 100 * time.Millisecond

// probing reports whether an upgrade is under way. The caller holds mu.
func (s *Session) probing() bool { return s.next != nil && s.next.probed }

// isNext reports whether p is the candidate. The caller holds mu.
func (s *Session) isNext(p *Port) bool { return s.next != nil && s.next.port == p }

// beginProbe makes p the session's one candidate, if it may be.
func (s *Session) beginProbe(p *Port) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.State() != Open || s.next != nil || s.upgraded {
		return false
	}
	target, ok := p.transport.(UpgradeTarget)
	if !ok || !target.UpgradesFrom(s.port.transport.Name()) {
		return false
	}
	c := &candidate{s: s, port: p, giveUp: s.srv.wheel.now() + s.srv.cfg.UpgradeTimeout}
	c.alarm.expire = c
	s.next = c
	s.srv.wheel.scheduleAt(&c.alarm, c.giveUp)
	return true
}

// receiveProbe handles a packet of a link that does not carry the session yet.
// The caller holds receiving.
func (s *Session) receiveProbe(p *Port, pkt eioparser.Packet) error {
	switch {
	case pkt.Type == eioparser.Ping && string(pkt.Data) == "probe":
		if !s.probeSeen(p) {
			return ErrClosed
		}
		if err := p.send([]Outgoing{{Prepared: pongProbePacket}}); err != nil {
			s.abortProbe(p)
			return ErrClosed
		}
		s.releasePoll(p)
		return nil
	case pkt.Type == eioparser.Upgrade:
		if !s.replace(p) {
			return ErrClosed
		}
		p.live = true
		s.srv.cfg.Trace.upgraded(s)
		s.mu.Lock()
		s.pump(true)
		return nil
	}
	s.abortProbe(p)
	return ErrClosed
}

// probeSeen notes that the candidate was probed. From now on volatile messages
// are dropped and polls are ended.
func (s *Session) probeSeen(p *Port) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.isNext(p) {
		return false
	}
	s.next.probed = true
	s.srv.wheel.schedule(&s.next.alarm, releaseEvery)
	return true
}

// releasePoll ends a pending poll of the old link, if there is one and nothing
// else is about to.
func (s *Session) releasePoll(p *Port) {
	s.mu.Lock()
	if s.isNext(p) && s.port.ready && s.port.turns && s.queue == nil && !s.owned {
		s.queueControl(noopPacket)
	}
	s.pump(true) // in the same breath: the noop is for this link only
}

// expired is called by the wheel: to end a poll, or the upgrade.
func (c *candidate) expired(*alarm) {
	s := c.s
	s.mu.Lock()
	left := c.giveUp - s.srv.wheel.now()
	if s.next == c && left > 0 {
		s.srv.wheel.schedule(&c.alarm, min(left, releaseEvery))
	}
	s.mu.Unlock()
	if left > 0 {
		s.releasePoll(c.port)
	} else {
		s.abortProbe(c.port)
	}
}

// replace makes p the live link. The caller holds receiving.
func (s *Session) replace(p *Port) bool {
	s.mu.Lock()
	if !s.isNext(p) {
		s.mu.Unlock()
		return false
	}
	old := s.port
	s.port, s.upgraded = p, true
	s.dropCandidate()
	if s.owned {
		s.old, old = old, nil // whoever writes to it closes it
	}
	s.mu.Unlock()
	if old != nil {
		old.close()
	}
	return true
}

// abortProbe gives the candidate up, if p still is it: it may carry the session
// since. The session goes on as it was.
func (s *Session) abortProbe(p *Port) {
	s.mu.Lock()
	was := s.isNext(p)
	if was {
		s.dropCandidate()
	}
	s.mu.Unlock()
	if was {
		p.close()
	}
}
