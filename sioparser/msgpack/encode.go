package msgpack

import (
	"bytes"
	"math"
	"strconv"
	"sync"
	"unicode/utf8"

	"github.com/siokit/siokit/sioparser"
	library "github.com/vmihailenco/msgpack/v5"
)

// AppendFromArgs appends args to dst as one MessagePack array, for a message
// bus: what notepack.io makes of the same values. Attachments become buffers
// where their placeholders stand, each time one stands there. It is safe for
// concurrent use and allocates only for dst, once its pool is warm.
//
// An escape of half a surrogate pair becomes U+FFFD; a number that no 64 bits
// hold exactly becomes the nearest float64, as in JavaScript.
func AppendFromArgs(dst []byte, args sioparser.Args) []byte {
	e := encoders.Get().(*encoder)
	e.dst = dst
	e.arrayLen(args.Len())
	e.args(args)
	dst = e.dst
	e.release()
	return dst
}

// encoder appends MessagePack to dst. It transcodes JSON in two passes without
// recursion: the first counts the elements of each array and object, which in
// MessagePack stand before them, the second writes.
type encoder struct {
	dst []byte
	lib *library.Encoder // writes to dst through Write and WriteByte

	counts  []uint32 // of each container, in order of their beginning
	open    []uint32 // indexes in counts, while counting
	marks   []sioparser.Placeholder
	scratch []byte // a string without its escapes
}

var encoders = sync.Pool{New: func() any {
	e := new(encoder)
	e.lib = library.NewEncoder(e)
	return e
}}

// release puts e back into the pool, without memory that a large packet needed.
func (e *encoder) release() {
	e.dst = nil
	e.marks = e.marks[:0]
	if cap(e.counts) > maxScratch/4 {
		e.counts = nil
	}
	if cap(e.open) > maxScratch/4 {
		e.open = nil
	}
	if cap(e.scratch) > maxScratch {
		e.scratch = nil
	}
	if cap(e.marks) > maxScratch/24 {
		e.marks = nil
	}
	encoders.Put(e)
}

// Write and WriteByte are what the library's encoder writes to. They never fail,
// so neither does it.
func (e *encoder) Write(b []byte) (int, error) {
	e.dst = append(e.dst, b...)
	return len(b), nil
}

func (e *encoder) WriteByte(c byte) error {
	e.dst = append(e.dst, c)
	return nil
}

func (e *encoder) mapLen(n int)   { _ = e.lib.EncodeMapLen(n) }
func (e *encoder) arrayLen(n int) { _ = e.lib.EncodeArrayLen(n) }
func (e *encoder) key(s string)   { _ = e.lib.EncodeString(s) }
func (e *encoder) uint(n uint64)  { _ = e.lib.EncodeUint(n) }

// name appends an event's name, which nobody has checked for UTF-8.
func (e *encoder) name(s []byte) {
	if !utf8.Valid(s) {
		s = bytes.ToValidUTF8(s, []byte("\uFFFD"))
	}
	e.str(s)
}

// str appends a string; the library takes only string, which would copy.
func (e *encoder) str(s []byte) {
	switch n := len(s); {
	case n < 1<<5:
		e.dst = append(e.dst, 0xa0|byte(n))
	case n < 1<<8:
		e.dst = append(e.dst, 0xd9, byte(n))
	case n < 1<<16:
		e.dst = append(e.dst, 0xda, byte(n>>8), byte(n))
	default:
		e.dst = append(e.dst, 0xdb, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
	e.dst = append(e.dst, s...)
}

// buffer appends a buffer, also when it is nil: to the library that is no buffer.
func (e *encoder) buffer(b []byte) {
	_ = e.lib.EncodeBytesLen(len(b))
	e.dst = append(e.dst, b...)
}

// args appends the elements of args, without the array's head.
func (e *encoder) args(args sioparser.Args) {
	if args.HasAttachments() {
		for p := range args.Placeholders() {
			e.marks = append(e.marks, p)
		}
	}
	e.transcode(args.Raw(), args.Attachments())
}

// json appends one JSON value.
func (e *encoder) json(text []byte) { e.transcode(text, nil) }

// transcode appends the values in text, which is valid JSON: one, or several
// with commas between them. The placeholders in it are e.marks.
func (e *encoder) transcode(text []byte, attachments [][]byte) {
	e.count(text)
	containers, marks := 0, e.marks
	for i := 0; i < len(text); {
		switch c := text[i]; c {
		case ' ', '\t', '\n', '\r', ',', ':', ']', '}':
			i++
		case '"':
			i = e.quoted(text, i)
		case '[':
			e.arrayLen(int(e.counts[containers]))
			containers++
			i++
		case '{':
			if len(marks) > 0 && marks[0].Start == i {
				e.buffer(attachments[marks[0].Num])
				i, marks = marks[0].End, marks[1:]
				continue
			}
			e.mapLen(int(e.counts[containers]))
			containers++
			i++
		case 'n':
			e.dst = append(e.dst, 0xc0)
			i += len("null")
		case 'f':
			e.dst = append(e.dst, 0xc2)
			i += len("false")
		case 't':
			e.dst = append(e.dst, 0xc3)
			i += len("true")
		default:
			i = e.number(text, i)
		}
	}
}

// count fills in e.counts: for each array the number of elements, for each
// object that of members.
func (e *encoder) count(text []byte) {
	e.counts, e.open = e.counts[:0], e.open[:0]
	marks := e.marks
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			end, _ := stringEnd(text, i+1)
			i = end
		case '{', '[':
			if len(marks) > 0 && marks[0].Start == i {
				i = marks[0].End - 1
				marks = marks[1:]
				continue
			}
			first := uint32(1)
			j := i + 1
			for isSpace(text[j]) {
				j++
			}
			if text[j] == ']' || text[j] == '}' {
				first = 0
			}
			e.open = append(e.open, uint32(len(e.counts)))
			e.counts = append(e.counts, first)
		case ',':
			if len(e.open) > 0 {
				e.counts[e.open[len(e.open)-1]]++
			}
		case '}', ']':
			e.open = e.open[:len(e.open)-1]
		}
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }

// stringEnd returns the position of the quote that ends the string whose first
// byte is text[i], and whether there is an escape in it.
func stringEnd(text []byte, i int) (end int, escaped bool) {
	end = i + bytes.IndexByte(text[i:], '"')
	slash := bytes.IndexByte(text[i:end], '\\')
	if slash < 0 {
		return end, false
	}
	for end = i + slash; text[end] != '"'; end++ {
		if text[end] == '\\' {
			end++
		}
	}
	return end, true
}

// quoted appends the string at text[i] and returns the position behind it.
func (e *encoder) quoted(text []byte, i int) int {
	end, escaped := stringEnd(text, i+1)
	s := text[i+1 : end]
	if escaped {
		e.scratch = appendUnescaped(e.scratch[:0], s)
		s = e.scratch
	}
	e.str(s)
	return end + 1
}

// number appends the number at text[i], in the form that notepack.io chooses (the
// shortest integer format if it is whole, float64 if not), and returns the
// position behind it.
func (e *encoder) number(text []byte, i int) int {
	begin := i
	negative := text[i] == '-'
	if negative {
		i++
	}
	first := i
	var n uint64
	for i < len(text) && text[i]-'0' <= 9 {
		n = n*10 + uint64(text[i]-'0')
		i++
	}
	if i < len(text) && (text[i] == '.' || text[i]|0x20 == 'e') {
		for i++; i < len(text) && isFraction(text[i]); i++ {
		}
		e.float(text[begin:i])
		return i
	}
	if digits := text[first:i]; len(digits) > len("9223372036854775807") {
		var err error
		if n, err = strconv.ParseUint(string(digits), 10, 64); err != nil {
			e.float(text[begin:i])
			return i
		}
	}
	switch {
	case !negative:
		e.uint(n)
	case n <= 1<<63:
		_ = e.lib.EncodeInt(-int64(n))
	default:
		e.float(text[begin:i])
	}
	return i
}

// isFraction says whether c may stand in a number behind its point or its e.
func isFraction(c byte) bool {
	return c-'0' <= 9 || c|0x20 == 'e' || c == '-' || c == '+'
}

// float appends a number that is not written as an integer, or does not fit one.
func (e *encoder) float(text []byte) {
	f, _ := strconv.ParseFloat(string(text), 64) // out of range it is infinite
	switch {
	case f != math.Trunc(f):
	case f >= 0 && f < 1<<64:
		e.uint(uint64(f))
		return
	case f < 0 && f >= -1<<63:
		_ = e.lib.EncodeInt(int64(f))
		return
	}
	_ = e.lib.EncodeFloat64(f)
}

// appendUnescaped appends the text of a valid JSON string, given without its
// quotes.
func appendUnescaped(dst, s []byte) []byte {
	for {
		n := bytes.IndexByte(s, '\\')
		if n < 0 {
			return append(dst, s...)
		}
		dst = append(dst, s[:n]...)
		c := s[n+1]
		s = s[n+2:]
		switch c {
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'u':
			r := hex4(s)
			s = s[4:]
			if r>>10 == 0xd800>>10 && len(s) >= 6 && s[0] == '\\' && s[1] == 'u' {
				if low := hex4(s[2:]); low>>10 == 0xdc00>>10 {
					r = 0x10000 + (r&0x3ff)<<10 + low&0x3ff
					s = s[6:]
				}
			}
			dst = utf8.AppendRune(dst, r) // half a pair is no rune: U+FFFD
			continue
		}
		dst = append(dst, c)
	}
}

// hex4 is the value of the four hexadecimal digits that s begins with.
func hex4(s []byte) (r rune) {
	for _, c := range s[:4] {
		if c >= 'A' {
			c = c&^0x20 - 'A' + 10 + '0'
		}
		r = r<<4 | rune(c-'0')
	}
	return r
}
