package client

import "github.com/siokit/siokit/engineio"

// Handler is the application behind a session. Its methods are called one at a
// time, and should not block for long: while they do nothing is received.
//
// A Handler may also implement PingHandler and UpgradeHandler.
type Handler interface {
	// Open is called when the server has answered the handshake, before Dial
	// returns and before anything else.
	Open(*Session)

	// Message is called for each message, in order. Text is valid until it
	// returns; the bytes of a binary message are the handler's to keep.
	Message(*Session, engineio.Message)

	// Close is called exactly once, last. The reason is one of the official
	// client's: PingTimeout, TransportError, TransportClose or ForcedClose. The
	// error says what lies behind it, and may be nil.
	Close(*Session, engineio.Reason, error)
}

// PingHandler is a Handler that wants to know of the server's pings.
type PingHandler interface {
	// Ping is called after the answer to a ping was queued.
	Ping(*Session)
}

// UpgradeHandler is a Handler that wants to know of upgrades.
type UpgradeHandler interface {
	// Upgraded is called when the session has moved to another transport, or, with
	// an error, when an attempt failed; the session then goes on where it was.
	Upgraded(s *Session, transport string, err error)
}
