package client

// Silent is what the timer calls when the server has not pinged for too long: one
// that is late calls it after the ping.
func (s *Session) Silent() { s.silent() }
