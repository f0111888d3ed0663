package engineio

// Beat does what the wheel does when a session's next ping is due.
func Beat(s *Session) {
	s.mu.Lock()
	s.beatAt(restUntilPing, 0)
	s.mu.Unlock()
	s.beat()
}
