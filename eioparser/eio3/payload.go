package eio3

import (
	"iter"
	"slices"
	"strconv"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/eioparser/internal/utf16text"
)

// maxDigits is the length of 2^53-1: no JavaScript peer counts further.
const maxDigits = 16

// Payload reads the packets of one text body (content type text/plain, or what
// [jsonp.DecodeBody] returned), in order:
//
//	payload = "0:" / 1*( length ":" text )
//	length  = 1*16DIGIT             ; of text, in UTF-16 code units
//
// so a character outside the Basic Multilingual Plane counts two, every other
// one. The body "0:" holds no packet. The body is read while the caller loops;
// after the first error, which comes with a zero Packet, it ends. The errors are
// [eioparser.ErrLength] (also for a length that ends within a character),
// [eioparser.ErrEmptyPacket] (also for an empty body) and those of [DecodeText].
//
// Data of the packets aliases body.
//
// [jsonp.DecodeBody]: https://pkg.go.dev/github.com/siokit/siokit/eioparser/jsonp#DecodeBody
func Payload(body []byte) iter.Seq2[eioparser.Packet, error] {
	return func(yield func(eioparser.Packet, error) bool) { eachText(body, yield) }
}

func eachText(body []byte, yield func(eioparser.Packet, error) bool) {
	if len(body) == 0 {
		yield(eioparser.Packet{}, eioparser.ErrEmptyPacket)
		return
	}
	if string(body) == "0:" {
		return
	}
	for len(body) > 0 {
		p, rest, err := cutText(body)
		if !yield(p, err) || err != nil {
			return
		}
		body = rest
	}
}

// cutText decodes the first packet of a text body.
func cutText(body []byte) (p eioparser.Packet, rest []byte, err error) {
	units, size, ok := decimal(body, '0', ':')
	// A code unit is at least one byte, so this refuses what cannot be there
	// before anything is counted.
	if !ok || units > int64(len(body)-size) {
		return p, nil, eioparser.ErrLength
	}
	body = body[size:]
	end, err := utf16Prefix(body, int(units))
	if err != nil {
		return p, nil, err
	}
	p, err = decodeText(body[:end:end])
	return p, body[end:], err
}

// utf16Prefix returns the length in bytes of the first n code units of b.
func utf16Prefix(b []byte, n int) (int, error) {
	end, units, valid := utf16text.Prefix(b, n)
	if units < n && valid || units > n {
		return 0, eioparser.ErrLength
	}
	if !valid {
		return 0, eioparser.ErrUTF8
	}
	return end, nil
}

// decimal reads a length before the byte end; digits have the values zero to
// zero+9. It returns the size with end.
func decimal(b []byte, zero, end byte) (n int64, size int, ok bool) {
	for i, c := range b[:min(len(b), maxDigits+1)] {
		if c == end {
			return n, i + 1, i > 0
		}
		if c-zero > 9 {
			break
		}
		n = n*10 + int64(c-zero)
	}
	return 0, 0, false
}

// AppendPayload appends packets to dst as one text body: what [Payload] reads.
// Binary packets go as base64. No packets are "0:".
func AppendPayload(dst []byte, packets ...eioparser.Packet) []byte {
	if len(packets) == 0 {
		return append(dst, "0:"...)
	}
	dst = slices.Grow(dst, payloadLen(packets))
	for _, p := range packets {
		units := textLen(p)
		if !p.Binary {
			units = 1 + utf16text.Len(p.Data)
		}
		dst = append(strconv.AppendInt(dst, int64(units), 10), ':')
		dst = AppendText(dst, p)
	}
	return dst
}

func payloadLen(packets []eioparser.Packet) int {
	size := 0
	for _, p := range packets {
		n := textLen(p)
		size += n + 2
		for ; n >= 10; n /= 10 {
			size++
		}
	}
	return size
}
