package eio3

import (
	"iter"

	"github.com/siokit/siokit/eioparser"
)

// The bytes around the length of a packet in a binary payload.
const (
	textPacket   = 0x00
	binaryPacket = 0x01
	lengthEnd    = 0xff
)

// BinaryPayload reads the packets of one binary body (content type
// application/octet-stream), in order:
//
//	payload = *( %x00 length %xFF text / %x01 length %xFF binary )
//	length  = 1*16%x00-09           ; in bytes, one digit a byte
//
// An empty body holds no packet. The body is read while the caller loops; after
// the first error, which comes with a zero Packet, it ends. The errors are
// [eioparser.ErrLength], also for a first byte that is neither 0 nor 1, and
// those of [DecodeText] and [DecodeBinary].
//
// Data of the packets aliases body.
func BinaryPayload(body []byte) iter.Seq2[eioparser.Packet, error] {
	return func(yield func(eioparser.Packet, error) bool) { eachBinary(body, yield) }
}

func eachBinary(body []byte, yield func(eioparser.Packet, error) bool) {
	for len(body) > 0 {
		p, rest, err := cutBinary(body)
		if !yield(p, err) || err != nil {
			return
		}
		body = rest
	}
}

// cutBinary decodes the first packet of a binary body.
func cutBinary(body []byte) (p eioparser.Packet, rest []byte, err error) {
	kind := body[0]
	n, size, ok := decimal(body[1:], 0, lengthEnd)
	if kind > binaryPacket || !ok || n > int64(len(body)-1-size) {
		return p, nil, eioparser.ErrLength
	}
	body = body[1+size:]
	frame, rest := body[:n:n], body[n:]
	if kind == textPacket {
		p, err = DecodeText(frame)
	} else {
		p, err = DecodeBinary(frame)
	}
	return p, rest, err
}

// AppendBinaryPayload appends packets to dst as one binary body: what
// [BinaryPayload] reads. The reference sends it only if a packet is binary and
// the client did not ask for text, else what [AppendPayload] makes.
func AppendBinaryPayload(dst []byte, packets ...eioparser.Packet) []byte {
	for _, p := range packets {
		if p.Binary {
			dst = appendLength(append(dst, binaryPacket), 1+len(p.Data))
			dst = AppendBinary(dst, p)
		} else {
			dst = appendLength(append(dst, textPacket), textLen(p))
			dst = AppendText(dst, p)
		}
	}
	return dst
}

func appendLength(dst []byte, n int) []byte {
	start := len(dst)
	for ; n > 0; n /= 10 {
		dst = append(dst, byte(n%10))
	}
	for i, j := start, len(dst)-1; i < j; i, j = i+1, j-1 {
		dst[i], dst[j] = dst[j], dst[i]
	}
	return append(dst, lengthEnd)
}
