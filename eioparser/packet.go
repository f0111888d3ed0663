package eioparser

import (
	"strconv"
	"unicode/utf8"

	"github.com/siokit/siokit/eioparser/internal/base64"
)

// Protocol is the revision that this package speaks: the value of the query
// parameter EIO.
const Protocol = 4

// PacketType is what a packet is for. Its value is the digit on the wire.
type PacketType byte

// The packet types of the protocol, chapter "Packet encoding". Who may send
// which is a matter of sessions, not of this package.
const (
	Open    PacketType = iota // '0': the handshake, from the server; data is its JSON
	Close                     // '1': the transport can be closed; no data
	Ping                      // '2': heartbeat from the server, or a probe with data "probe"
	Pong                      // '3': the answer to a ping, with the same data
	Message                   // '4': the payload of the application
	Upgrade                   // '5': the client moves to the transport that it probed
	Noop                      // '6': ends a poll during an upgrade
)

var typeNames = [...]string{"open", "close", "ping", "pong", "message", "upgrade", "noop"}

// Valid reports whether t is one of the seven types.
func (t PacketType) Valid() bool { return t <= Noop }

// String returns the protocol's name of the type, such as "message".
func (t PacketType) String() string {
	if !t.Valid() {
		return "PacketType(" + strconv.Itoa(int(t)) + ")"
	}
	return typeNames[t]
}

// Packet is one Engine.IO packet.
type Packet struct {
	// Type is what the packet is for.
	Type PacketType

	// Binary says that Data is bytes and not text. In revision 4 only a Message
	// can be binary.
	Binary bool

	// Data is what follows the type. It is UTF-8 unless Binary is set, may be
	// empty, and after decoding aliases the input; only the bytes that came as
	// base64 are memory of their own.
	Data []byte
}

// DecodeText decodes one text frame: a WebSocket text message, or one part of a
// payload. It is the type's digit and the data, or the letter b and the base64
// of a binary message:
//
//	text   = %x30-36 *data          ; "4hello" is a message, "2probe" a ping
//	       / "b" base64             ; "bAQIDBA==" is a binary message
//
// Data of the packet aliases frame, with no byte copied; bytes from base64 are
// new memory that belongs to the caller. The errors are [ErrEmptyPacket],
// [ErrPacketType], [ErrUTF8] and [ErrBase64].
func DecodeText(frame []byte) (Packet, error) {
	if len(frame) == 0 {
		return Packet{}, ErrEmptyPacket
	}
	if frame[0] == 'b' {
		data, ok := base64.Decode(frame[1:])
		if !ok {
			return Packet{}, ErrBase64
		}
		return Packet{Type: Message, Binary: true, Data: data}, nil
	}
	t := PacketType(frame[0] - '0')
	if !t.Valid() {
		return Packet{}, ErrPacketType
	}
	data := frame[1:]
	if !utf8.Valid(data) {
		return Packet{}, ErrUTF8
	}
	return Packet{Type: t, Data: data}, nil
}

// DecodeBinary returns the message that a binary frame is: all of its bytes,
// with no type before them. Data aliases frame, which may be empty.
func DecodeBinary(frame []byte) Packet {
	return Packet{Type: Message, Binary: true, Data: frame}
}

// AppendPacket appends the text form of p to dst and returns the longer slice:
// what [DecodeText] reads. A binary packet becomes the letter b and its base64,
// with no type, since it can only be a message; to send it as a binary frame
// send its Data as it is. It allocates only if dst has no room; [Packet.TextLen]
// says how much it needs.
//
// The caller answers for Data: text that is not UTF-8 is written as it is. A
// type that does not exist is written as a question mark, which every decoder
// refuses.
func AppendPacket(dst []byte, p Packet) []byte {
	if p.Binary {
		return base64.Append(append(dst, 'b'), p.Data)
	}
	return append(append(dst, p.Type.digit()), p.Data...)
}

// TextLen returns the length in bytes of what [AppendPacket] appends for p.
func (p Packet) TextLen() int {
	if p.Binary {
		return 1 + base64.EncodedLen(len(p.Data))
	}
	return 1 + len(p.Data)
}

func (t PacketType) digit() byte {
	if !t.Valid() {
		return '?'
	}
	return '0' + byte(t)
}
