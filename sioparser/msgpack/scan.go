package msgpack

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/bits"
	"unicode/utf8"

	"github.com/siokit/siokit/sioparser"
)

// maxMessage is the length from which on a message is refused, so that offsets
// and lengths fit everywhere.
const maxMessage = math.MaxInt32 / 8

// summary is what scan learned about one value: that it can be written as JSON,
// and what for.
type summary struct {
	start, end int
	kind       kind
	size       int  // of its JSON text, at most
	escapes    bool // some string needs them
	attached   int  // buffers in it, if they become attachments
	bytes      int  // and the sum of their lengths
}

// What a buffer costs beside its placeholder's text: the slice's header, the
// placeholder, and what the Args remember of it.
const attachmentCost = 24 + 24 + 12

const (
	placeholderHead = `{"_placeholder":true,"num":`
	placeholderSize = len(placeholderHead) + 10 + 1
	bufferHead      = `{"type":"Buffer","data":[`
	bufferTail      = `]}`
	longestFloat    = 25 // -2.2250738585072014e-308 and one to spare
	longestDate     = len(`"-271821-04-20T00:00:00.000Z"`)
)

// frames are the open arrays and maps: twice the number of elements still to
// come, plus 1 for a map. In a map an even number of elements to come means that
// the next is a key.
type frames []uint32

func frameOf(t token) uint32 {
	if t.kind == mapKind {
		return uint32(t.bits)<<2 | 1
	}
	return uint32(t.bits) << 1
}

// take counts one element of the innermost container and says whether it is a
// key.
func (f frames) take() (inMap, key bool) {
	top := &f[len(f)-1]
	inMap = *top&1 == 1
	key = inMap && *top>>1&1 == 0
	*top -= 2
	return inMap, key
}

// scan reads the value at data[i] and all that is in it, and refuses what can't
// be written: wrong lengths, foreign extensions, text that is not UTF-8, keys
// that are neither strings nor numbers, more than depth levels of arrays and
// maps. It does not recurse; the frames are its only memory.
//
// A buffer becomes an attachment in an array, which is what arguments are, and
// its bytes as JSON in a map, which is what a payload is.
func (f *frames) scan(data []byte, i, depth int) (summary, error) {
	var (
		s        = summary{start: i}
		open     = (*f)[:0]
		wasKey   bool
		attached bool
	)
	for {
		t, err := next(data, i)
		if err != nil {
			return s, err
		}
		if i == s.start {
			s.kind, attached = t.kind, t.kind == arrayKind
		}
		if len(open) > 0 {
			_, wasKey = open.take()
			s.size++ // the comma or colon
		}
		switch t.kind {
		case strKind:
			n := quotedLen(data[t.start:t.end])
			if n < 0 {
				return s, fail(sioparser.ErrUTF8, i)
			}
			s.size += n
			s.escapes = s.escapes || n != t.end-t.start+2
		case uintKind, intKind, floatKind:
			s.size += numberSize(t)
			if wasKey {
				s.size += 2
			}
		default:
			if wasKey {
				return s, fail(ErrKey, i)
			}
			s.add(t, attached)
		}
		i = t.end
		if t.kind == arrayKind || t.kind == mapKind {
			if len(open) == depth {
				return s, fail(sioparser.ErrDepth, i)
			}
			open = append(f.room(open, depth, len(data)-i), frameOf(t))
		}
		for len(open) > 0 && open[len(open)-1]>>1 == 0 {
			open = open[:len(open)-1]
		}
		if len(open) == 0 {
			s.end = i
			return s, nil
		}
	}
}

// room makes sure that one more frame fits. A container takes a byte of input at
// least, so one allocation for all that can still come is linear in the input.
func (f *frames) room(open frames, depth, rest int) frames {
	if len(open) < cap(open) {
		return open
	}
	bigger := make(frames, len(open), max(16, min(depth, len(open)+1+rest)))
	copy(bigger, open)
	*f = bigger
	return bigger
}

// add counts what a value other than a number or string takes as JSON.
func (s *summary) add(t token, attached bool) {
	switch t.kind {
	case falseKind:
		s.size += 5
	case dateKind:
		s.size += longestDate
	case arrayKind, mapKind:
		s.size += 2
	case binKind:
		n := t.end - t.start
		if attached {
			s.attached++
			s.bytes += n
			s.size += placeholderSize
		} else {
			s.size += len(bufferHead) + 4*n + len(bufferTail)
		}
	default:
		s.size += 4 // null, true
	}
}

// numberSize is at least the length of a number's JSON text.
func numberSize(t token) int {
	switch t.kind {
	case uintKind:
		return digits(t.bits)
	case intKind:
		return 1 + digits(-t.bits)
	}
	return longestFloat
}

// digits is the number of decimal digits of n, or one more.
func digits(n uint64) int {
	if n < 10 {
		return 1
	}
	return bits.Len64(n)*1233>>12 + 1
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// needEscape sets the high bit of a byte if there is a byte in w that a JSON
// string can't hold as it is: a control character, a quote, a backslash.
func needEscape(w uint64) uint64 {
	quote, slash := w^ones*'"', w^ones*'\\'
	return ((w-ones*' ')&^w | (quote-ones)&^quote | (slash-ones)&^slash) & highs
}

// unlikePlain sets the high bit of a byte if there is a byte among the first eight
// of s that is not ASCII or that a JSON string can't hold as it is.
func unlikePlain(s []byte) uint64 {
	w := binary.LittleEndian.Uint64(s)
	return (w - ones*' ') | ((w ^ ones*'"') - ones) | ((w ^ ones*'\\') - ones) | w
}

// longString is from where on more passes with less to do are faster than one.
const longString = 64

// isPlain reports whether s, of at least 32 bytes, is ASCII that a JSON string
// holds as it is. The last bytes may be looked at twice.
func isPlain(s []byte) bool {
	if bytes.IndexByte(s, '"') >= 0 || bytes.IndexByte(s, '\\') >= 0 {
		return false
	}
	for rest := s; len(rest) > 0; rest = rest[min(len(rest), 32):] {
		if len(rest) < 32 {
			rest = s[len(s)-32:]
		}
		a, b := binary.LittleEndian.Uint64(rest), binary.LittleEndian.Uint64(rest[8:16])
		c, d := binary.LittleEndian.Uint64(rest[16:24]), binary.LittleEndian.Uint64(rest[24:32])
		if ((a-ones*' ')|a|(b-ones*' ')|b|(c-ones*' ')|c|(d-ones*' ')|d)&highs != 0 {
			return false // a control character, or not ASCII
		}
	}
	return true
}

// quotedLen is the length of s as a JSON string, or -1 if s is not UTF-8.
func quotedLen(s []byte) int {
	n := len(s) + 2
	if len(s) >= longString && isPlain(s) {
		return n
	}
	for len(s) > 0 {
		if len(s) >= 8 && unlikePlain(s)&highs == 0 {
			s = s[8:]
			continue
		}
		width := 1
		if c := s[0]; c < utf8.RuneSelf {
			n += int(escapes[c])
		} else if _, width = utf8.DecodeRune(s); width == 1 {
			return -1
		}
		s = s[width:]
	}
	return n
}

// escapes says how many bytes a character needs more than itself in a JSON
// string.
var escapes = func() (table [utf8.RuneSelf]uint8) {
	for c := range byte(' ') {
		table[c] = uint8(len(`\u0000`) - 1)
	}
	for _, c := range "\b\f\n\r\t\"\\" {
		table[c] = 1
	}
	return table
}()

// Valid checks that data is one MessagePack value that [ToArgs] could read as an
// argument: with lengths that fit, no foreign extensions, text in UTF-8, keys
// that are strings or numbers, and at most [sioparser.DefaultDepth] levels of
// arrays and maps. The error is a [*sioparser.Error].
//
// It neither recurses nor allocates in proportion to anything but the depth.
// Messages from a bus must pass it before a decoder that recurses, such as the
// library that this package encodes with, sees them.
func Valid(data []byte) error {
	if len(data) > maxMessage {
		return fail(sioparser.ErrTooLong, maxMessage)
	}
	var f frames
	s, err := f.scan(data, 0, sioparser.DefaultDepth)
	if err == nil && s.end != len(data) {
		err = fail(ErrSyntax, s.end)
	}
	return err
}
