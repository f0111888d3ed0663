package engineio

// Beat does what the wheel does when a session's next ping is due.
func Beat(s *Session) {
	s.mu.Lock()
	s.beatAt(restUntilPing, 0)
	s.mu.Unlock()
	s.beat()
}

// TakePoll takes a session's pending poll as a write does, and returns what
// the write does next: it answers.
func TakePoll(s *Session, m Message) (answer func()) {
	l := s.port.link.(*pollLink)
	p, _ := l.take()
	return func() {
		l.fill(p, []Outgoing{{Prepared: Prepare(m)}})
		l.answered(p)
	}
}

// WriteOverPolling writes as the session does, whatever its state.
func WriteOverPolling(s *Session, m Message) error {
	return s.port.link.(*pollLink).TryWrite([]Outgoing{{Prepared: Prepare(m)}})
}

// Polled reports whether a session has a poll, ready or not.
func Polled(s *Session) bool {
	l := s.port.link.(*pollLink)
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.poll != nil
}

// Overdue is a wheel that has not noticed yet that the client is.
func Overdue(s *Session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.srv.wheel.cancel(&s.alarm)
	s.due = 0
}

// ProbeAlarm returns what the wheel calls for the upgrade that is under way: a
// wheel that is late calls it when the upgrade is over.
func ProbeAlarm(s *Session) (fire func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.next
	return func() { c.expired(&c.alarm) }
}

// LivePort returns the port of the link that carries a session.
func LivePort(s *Session) *Port {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.port
}
