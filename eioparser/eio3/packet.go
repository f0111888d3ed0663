package eio3

import (
	"unicode/utf8"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/eioparser/internal/base64"
)

// Protocol is the revision that this package speaks: the value of the query
// parameter EIO.
const Protocol = 3

// DecodeText decodes one text frame, or one text packet of a payload:
//
//	text   = type *data             ; "4hello"
//	       / "b" type base64        ; "b4AQID" is a binary message
//	type   = %x30-36
//
// Data of the packet aliases frame; bytes from base64 are new memory that
// belongs to the caller. The errors are those of [eioparser.DecodeText].
func DecodeText(frame []byte) (eioparser.Packet, error) {
	p, err := decodeText(frame)
	if err == nil && !p.Binary && !utf8.Valid(p.Data) {
		return eioparser.Packet{}, eioparser.ErrUTF8
	}
	return p, err
}

// decodeText leaves the check for UTF-8 to its caller.
func decodeText(frame []byte) (eioparser.Packet, error) {
	if len(frame) == 0 {
		return eioparser.Packet{}, eioparser.ErrEmptyPacket
	}
	isBinary := frame[0] == 'b'
	if isBinary {
		if frame = frame[1:]; len(frame) == 0 {
			return eioparser.Packet{}, eioparser.ErrEmptyPacket
		}
	}
	t := eioparser.PacketType(frame[0] - '0')
	if !t.Valid() {
		return eioparser.Packet{}, eioparser.ErrPacketType
	}
	p := eioparser.Packet{Type: t, Binary: isBinary, Data: frame[1:]}
	if isBinary {
		var ok bool
		if p.Data, ok = base64.Decode(p.Data); !ok {
			return eioparser.Packet{}, eioparser.ErrBase64
		}
	}
	return p, nil
}

// DecodeBinary decodes one binary frame, or one binary packet of a payload:
//
//	binary = %x00-06 *data
//
// Data of the packet aliases frame. The errors are [eioparser.ErrEmptyPacket]
// and [eioparser.ErrPacketType].
func DecodeBinary(frame []byte) (eioparser.Packet, error) {
	if len(frame) == 0 {
		return eioparser.Packet{}, eioparser.ErrEmptyPacket
	}
	t := eioparser.PacketType(frame[0])
	if !t.Valid() {
		return eioparser.Packet{}, eioparser.ErrPacketType
	}
	return eioparser.Packet{Type: t, Binary: true, Data: frame[1:]}, nil
}

// AppendText appends the text form of p to dst: what [DecodeText] reads. Text
// must be UTF-8. A type that does not exist is written as a question mark, which
// every decoder refuses.
func AppendText(dst []byte, p eioparser.Packet) []byte {
	digit := byte('?')
	if p.Type.Valid() {
		digit = '0' + byte(p.Type)
	}
	if p.Binary {
		return base64.Append(append(dst, 'b', digit), p.Data)
	}
	return append(append(dst, digit), p.Data...)
}

// AppendBinary appends the binary form of p to dst, what [DecodeBinary] reads:
// the bytes of one WebSocket frame.
func AppendBinary(dst []byte, p eioparser.Packet) []byte {
	return append(append(dst, byte(p.Type)), p.Data...)
}

// textLen is the length in bytes of what AppendText appends.
func textLen(p eioparser.Packet) int {
	if p.Binary {
		return 2 + base64.EncodedLen(len(p.Data))
	}
	return 1 + len(p.Data)
}
