package socketio

import (
	"weak"

	"github.com/siokit/siokit/sioparser"
)

// Depart does the first half of what Disconnect does, as if the goroutine had
// been stopped there; finish does the rest.
func (s *Socket) Depart() (finish func()) {
	s.mu.Lock()
	s.sayGoodbye()
	nsp, _ := s.depart(&DisconnectError{Reason: ServerNamespaceDisconnect})
	s.mu.Unlock()
	s.conn.session.Wake()
	return func() { s.vanish(nsp) }
}

// Goodbye does less of it: the client is told, and that is all.
func (s *Socket) Goodbye() (finish func()) {
	s.mu.Lock()
	s.sayGoodbye()
	s.conn.session.Wake()
	return func() {
		nsp, _ := s.depart(&DisconnectError{Reason: ServerNamespaceDisconnect})
		s.mu.Unlock()
		s.vanish(nsp)
	}
}

func (s *Socket) vanish(nsp *Namespace) {
	s.conn.remove(s, true)
	nsp.adapter.Remove(s)
	nsp.remove(s)
	s.noteLeft(nil)
	nsp.leave()
}

// Running is the number of goroutines that Shutdown waits for.
func (srv *Server) Running() int64 { return srv.crew.size.Load() }

// PendingAcks is the number of acknowledgements that the socket waits for.
func (s *Socket) PendingAcks() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.acks)
}

// HasConnection returns what reports whether the socket's connection is still
// in memory.
func (s *Socket) HasConnection() func() bool {
	w := weak.Make(s.conn)
	return func() bool { return w.Value() != nil }
}

// LateEvent does what the reader does that has found the socket before it was gone.
func (s *Socket) LateEvent(name string) {
	s.receiveEvent(&sioparser.Packet{Type: sioparser.Event, Name: []byte(name)})
}

// Held is what the events that wait count in the inbox of the socket's connection.
func (s *Socket) Held() int64 { return s.conn.inbox.held.Load() }
