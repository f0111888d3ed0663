package engineio

import "github.com/siokit/siokit/eioparser"

// Trace is told what the protocol does, for logs, metrics and debugging. Nil
// functions are not called. They must neither block nor keep a packet's data,
// and are called in order for each session; Received and Sending may run at the
// same time. A panic of one ends its session.
type Trace struct {
	// Received is called for every packet of the session, before it is handled:
	// also for heartbeats.
	Received func(*Session, eioparser.Packet)

	// Sending is called for every packet of the session when it is handed to the
	// transport, the open packet first.
	Sending func(*Session, eioparser.Packet)

	// Upgraded is called when a session has moved to another transport, which is
	// Session.Transport now.
	Upgraded func(*Session)
}

// received tells of a packet. A nil Trace is told nothing.
func (t *Trace) received(s *Session, p eioparser.Packet) {
	if t != nil && t.Received != nil {
		defer s.recovered("Trace.Received")
		t.Received(s, p)
	}
}

func (t *Trace) sending(s *Session, batch []Outgoing) {
	if t == nil || t.Sending == nil {
		return
	}
	defer s.recovered("Trace.Sending")
	for _, o := range batch {
		for _, p := range o.Packets() {
			t.Sending(s, p)
		}
	}
}

func (t *Trace) upgraded(s *Session) {
	if t != nil && t.Upgraded != nil {
		defer s.recovered("Trace.Upgraded")
		t.Upgraded(s)
	}
}
