package eioparser

import (
	"bytes"
	"iter"
	"slices"
)

// Separator stands between the packets of a payload: the ASCII record separator
// (U+001E), as in the protocol's chapter "HTTP long-polling".
const Separator = 0x1e

// Payload reads the packets of one HTTP long-polling body, in order:
//
//	payload = text *( %x1E text )
//
// The body is read while the caller loops, so half a million packets of one
// byte cost no more memory than one of them, and a caller who stops reads no
// further. After the first error, which comes with a zero Packet, it ends;
// packets before it have been delivered, as by the reference. An empty body is
// one empty packet, so it is [ErrEmptyPacket]; for the others see [DecodeText].
//
// Data of the packets aliases body.
func Payload(body []byte) iter.Seq2[Packet, error] {
	return func(yield func(Packet, error) bool) { eachPacket(body, yield) }
}

func eachPacket(body []byte, yield func(Packet, error) bool) {
	for {
		frame, last := body, true
		if i := bytes.IndexByte(body, Separator); i >= 0 {
			frame, body, last = body[:i:i], body[i+1:], false
		}
		p, err := DecodeText(frame)
		if !yield(p, err) || err != nil || last {
			return
		}
	}
}

// AppendPayload appends packets to dst as one HTTP long-polling body: what
// [Payload] reads. It makes room for all of them at once, if dst has none.
// With no packets it appends nothing.
//
// The protocol has no escape for [Separator]: in the text of a packet it would
// end the packet early. JSON never holds that byte, so Socket.IO is safe; other
// text that may hold it must be sent as a binary message.
func AppendPayload(dst []byte, packets ...Packet) []byte {
	size := len(packets)
	for i := range packets {
		size += packets[i].TextLen()
	}
	dst = slices.Grow(dst, size)
	for i := range packets {
		if i > 0 {
			dst = append(dst, Separator)
		}
		dst = AppendPacket(dst, packets[i])
	}
	return dst
}
