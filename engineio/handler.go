package engineio

// Handler is the application behind a server: one value, called for every
// session.
//
// None of the methods may block for long: Message holds up the reading of its
// session (though not of others), Open a handshake, Close whoever noticed the
// end. They may call every method of Session and Server.
type Handler interface {
	// Open is called when a session is about to begin, before the first byte
	// that could make its client send a message has left. What Open sends goes
	// out right behind the handshake. An error refuses the session: it ends
	// without a call of Close.
	Open(*Session) error

	// Message is called for each message of the session, in order, one at a
	// time, on the goroutine that reads. Text is valid until Message returns; the
	// bytes of a binary message are the handler's to keep.
	Message(*Session, Message)

	// Close is called exactly once for each session whose Open returned nil,
	// after Open returned, on whatever goroutine saw the end; a Message may be in
	// progress on another, or just about to begin. The error says what lies behind
	// the reason, and may be nil.
	Close(*Session, Reason, error)
}
