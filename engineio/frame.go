package engineio

import (
	"encoding/binary"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/eioparser/eio3"
)

// WebSocket frames that a server sends, RFC 6455, section 5.2: never masked,
// and never fragmented by us. That is all there is to building them, and
// building them here is what lets many of them leave in one write.
const (
	opText   = 0x1
	opBinary = 0x2
	opClose  = 0x8
	opPong   = 0xa

	finBit  = 0x80
	rsv1Bit = 0x40 // compressed, RFC 7692, section 6
)

// appendFrameHeader appends the header of a frame of n bytes.
func appendFrameHeader(dst []byte, first byte, n int) []byte {
	switch {
	case n < 126:
		return append(dst, first, byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(dst, first, 126), uint16(n))
	default:
		return binary.BigEndian.AppendUint64(append(dst, first, 127), uint64(n))
	}
}

// form is how packets are written into frames.
type form uint8

const (
	form4       form = iota // revision 4
	form3                   // revision 3: a byte with the type before binary data
	form3Base64             // revision 3, for a client that cannot take binary frames
	forms
)

// appendPacketHeader appends a packet's frame up to its data, which must not be
// binary in form3Base64.
func appendPacketHeader(dst []byte, pkt eioparser.Packet, f form) []byte {
	n := len(pkt.Data)
	switch {
	case !pkt.Binary:
		dst = appendFrameHeader(dst, finBit|opText, n+1)
		return append(dst, '0'+byte(pkt.Type))
	case f == form4:
		return appendFrameHeader(dst, finBit|opBinary, n)
	default:
		return append(appendFrameHeader(dst, finBit|opBinary, n+1), byte(pkt.Type))
	}
}

// appendFrame appends a packet's frame.
func appendFrame(dst []byte, pkt eioparser.Packet, f form) []byte {
	if pkt.Binary && f == form3Base64 {
		text := eio3.AppendText(nil, pkt)
		return append(appendFrameHeader(dst, finBit|opText, len(text)), text...)
	}
	return append(appendPacketHeader(dst, pkt, f), pkt.Data...)
}

// wsFrames frame, in each form, what many sessions get.
var wsFrames = func() (all [forms]*Framing) {
	for f := range forms {
		all[f] = &Framing{Append: func(dst []byte, packets []eioparser.Packet) []byte {
			for _, pkt := range packets {
				dst = appendFrame(dst, pkt, f)
			}
			return dst
		}}
	}
	return all
}()
