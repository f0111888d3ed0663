package sioparser

// Codec is a wire form of packets: [Text], or the codec of
// sioparser/msgpack, or one's own. Both sides of a connection must use the
// same. A Codec is immutable and safe for concurrent use.
type Codec interface {
	// AppendPacket appends the head message of p to dst. The attachments
	// follow it as binary messages, in order. binary means that the head
	// itself is a binary message.
	//
	// head is dst's memory, grown if need be; attachments are the buffers of
	// p.Args, not copied. A packet that [Valid] refuses is an error, and then
	// dst comes back as it was.
	AppendPacket(dst []byte, p *Packet) (head []byte, binary bool, attachments [][]byte, err error)

	// NewDecoder returns a decoder. It serves one connection at a time, and from
	// one packet to the next it remembers nothing that matters: package socketio
	// lends it to another connection while no attachments are due.
	NewDecoder(Limits) Decoder
}

// Decoder puts the messages of a connection together to packets. It is not safe
// for concurrent use.
type Decoder interface {
	// Decode takes one Engine.IO message; binary says of which kind. It
	// returns a packet when one is complete, or nil, nil while attachments
	// are due.
	//
	// A text message is only read during the call by the decoder, but the
	// packet returned aliases it: it is valid until the caller reuses data or
	// calls Decode again, whichever comes first. A head that waits for
	// attachments is copied. A binary message is handed over: it becomes an
	// attachment and must not be changed afterwards.
	//
	// After an error nothing is pending any more; the caller should close the
	// connection.
	Decode(data []byte, binary bool) (*Packet, error)
}

// The limits at their zero value.
const (
	DefaultAttachments     = 10
	DefaultAttachmentBytes = 10_000_000
	DefaultDepth           = 1000
	DefaultNamespace       = 512
)

// Limits bound what a peer can make a decoder hold. The length of a single
// message is the transport's to bound. A negative value means no limit.
type Limits struct {
	// Attachments of one packet: what the head announces, and how many
	// placeholders refer to them (one attachment may be used twice, and each
	// use is an attachment of its own when the packet is sent on).
	// Zero means 10, as in the reference.
	Attachments int

	// AttachmentBytes is the sum of the attachments of one packet, in bytes.
	// Zero means 10,000,000: ten messages of the reference's default size.
	AttachmentBytes int64

	// Depth of arrays and objects, the packet's own array counted. Zero means
	// 1000. More than 10,000 cannot be bound to Go values.
	Depth int

	// Namespace is the length of a namespace's name in bytes. Zero means 512.
	Namespace int
}

// maxText bounds texts so that offsets fit in 32 bits.
const maxText = 1<<31 - 1

// withDefaults resolves zero and negative values.
func (l Limits) withDefaults() Limits {
	l.Attachments = resolve(l.Attachments, DefaultAttachments)
	l.Depth = resolve(l.Depth, DefaultDepth)
	l.Namespace = resolve(l.Namespace, DefaultNamespace)
	if l.AttachmentBytes == 0 {
		l.AttachmentBytes = DefaultAttachmentBytes
	} else if l.AttachmentBytes < 0 {
		l.AttachmentBytes = 1<<63 - 1
	}
	return l
}

func resolve(limit, zero int) int {
	switch {
	case limit == 0:
		return zero
	case limit < 0 || limit > maxText:
		return maxText
	}
	return limit
}

// Text is the default codec: text packets whose binary values are pulled out
// into attachments (socket.io-parser, protocol revision 5).
var Text Codec = textCodec{}

type textCodec struct{}
