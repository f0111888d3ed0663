package engineio

// Message is one message of the application: text or bytes.
type Message struct {
	// Binary says that Data is bytes. Text must be UTF-8, and, for sessions over
	// HTTP long-polling, free of the record separator U+001E, for which the
	// protocol has no escape.
	Binary bool

	// Data is the content. Who owns it is said where a Message is taken or
	// handed out.
	Data []byte
}

// Text returns a text message with the bytes of s.
func Text(s string) Message { return Message{Data: []byte(s)} }

// Binary returns a binary message that holds b, not a copy of it.
func Binary(b []byte) Message { return Message{Binary: true, Data: b} }

// Flags say how a message is sent.
type Flags uint8

const (
	// Volatile drops the message, without an error, if it could not leave at
	// once: when the peer has not taken what was written before, when a
	// long-polling client has no poll pending, and during an upgrade.
	Volatile Flags = 1 << iota

	// NoCompress sends the message as it is, also where compression is on.
	NoCompress

	// Overflow queues the message also where the outbox is full. Only the sessions
	// of package client know it: for what a layer above has counted itself.
	Overflow
)
