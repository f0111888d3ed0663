package msgpack

import (
	"encoding/binary"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/siokit/siokit/sioparser"
)

// writer writes the JSON text of values that scan has accepted.
type writer struct {
	dst     []byte
	open    frames // as many as scan needed, at least
	escapes bool   // some string needs them
	// attach makes placeholders of buffers, which go to attachments and are noted
	// in places. Else buffers are written as Node's are by JSON.stringify.
	attach      bool
	attachments [][]byte
	places      []sioparser.Placeholder
}

// write appends the JSON text of the value at data[i] and returns its end.
func (w *writer) write(data []byte, i int) int {
	open := w.open[:0]
	for {
		t, _ := next(data, i)
		i = t.end
		key := false
		if len(open) > 0 {
			inMap := false
			if inMap, key = open.take(); inMap && !key {
				w.dst = append(w.dst, ':')
			} else if last := w.dst[len(w.dst)-1]; last != '[' && last != '{' {
				w.dst = append(w.dst, ',')
			}
		}
		switch t.kind {
		case arrayKind:
			w.dst = append(w.dst, '[')
			open = append(open, frameOf(t))
		case mapKind:
			w.dst = append(w.dst, '{')
			open = append(open, frameOf(t))
		case strKind:
			if w.escapes {
				w.dst = appendQuoted(w.dst, data[t.start:t.end])
			} else {
				w.dst = append(append(append(w.dst, '"'), data[t.start:t.end]...), '"')
			}
		default:
			if key {
				w.dst = append(w.dst, '"')
				w.dst = append(appendKey(w.dst, t), '"')
			} else {
				w.scalar(t, data)
			}
		}
		for len(open) > 0 && open[len(open)-1]>>1 == 0 {
			if open[len(open)-1]&1 == 1 {
				w.dst = append(w.dst, '}')
			} else {
				w.dst = append(w.dst, ']')
			}
			open = open[:len(open)-1]
		}
		if len(open) == 0 {
			return i
		}
	}
}

func (w *writer) scalar(t token, data []byte) {
	switch t.kind {
	case falseKind:
		w.dst = append(w.dst, "false"...)
	case trueKind:
		w.dst = append(w.dst, "true"...)
	case uintKind, intKind, floatKind:
		w.dst = appendNumber(w.dst, t)
	case dateKind:
		w.dst = appendDate(w.dst, int64(t.bits))
	case binKind:
		w.buffer(data[t.start:t.end:t.end])
	default: // nil, undefined
		w.dst = append(w.dst, "null"...)
	}
}

func (w *writer) buffer(b []byte) {
	if w.attach {
		place := sioparser.Placeholder{Start: len(w.dst), Num: len(w.attachments)}
		w.dst = append(w.dst, placeholderHead...)
		w.dst = strconv.AppendInt(w.dst, int64(place.Num), 10)
		w.dst = append(w.dst, '}')
		place.End = len(w.dst)
		w.places = append(w.places, place)
		w.attachments = append(w.attachments, b)
		return
	}
	w.dst = append(w.dst, bufferHead...)
	for i, c := range b {
		if i > 0 {
			w.dst = append(w.dst, ',')
		}
		w.dst = strconv.AppendUint(w.dst, uint64(c), 10)
	}
	w.dst = append(w.dst, bufferTail...)
}

// appendNumber appends a number as JSON.stringify writes it, except that
// integers beyond 2^53 keep all their digits, and that the zero of a negative
// sign keeps it.
func appendNumber(dst []byte, t token) []byte {
	switch t.kind {
	case uintKind:
		return strconv.AppendUint(dst, t.bits, 10)
	case intKind:
		return strconv.AppendInt(dst, int64(t.bits), 10)
	}
	f := math.Float64frombits(t.bits)
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(dst, "null"...)
	}
	if n, places, ok := shortDecimal(f); ok {
		return appendDecimal(dst, n, places)
	}
	// ECMA-262, Number::toString: exponents from 1e21 and below 1e-6.
	if abs := math.Abs(f); abs == 0 || 1e-6 <= abs && abs < 1e21 {
		return strconv.AppendFloat(dst, f, 'f', -1, 64)
	}
	dst = strconv.AppendFloat(dst, f, 'e', -1, 64)
	// Go writes at least two digits of exponent, JavaScript does not.
	if n := len(dst); dst[n-4] == 'e' && dst[n-2] == '0' {
		dst[n-2] = dst[n-1]
		dst = dst[:n-1]
	}
	return dst
}

// maxPlaces is how many places behind the point shortDecimal tries.
const maxPlaces = 3

var powers = [maxPlaces + 1]float64{1, 1e1, 1e2, 1e3}

// shortDecimal finds n and places so that f is n/10^places, for the numbers of
// few places that are most of those people send. n has 15 digits at most: then it
// and the power are exact, their quotient is rounded once, and no other decimal
// of so few digits becomes f, so that this one is the shortest.
func shortDecimal(f float64) (n int64, places int, ok bool) {
	if f == 0 || math.Abs(f) > 1e11 {
		return 0, 0, false // the sign of zero; too many digits
	}
	for places, power := range powers {
		// The product is rounded too, but by far less than the quarter.
		product := f * power
		n := math.RoundToEven(product)
		if math.Abs(product-n) < 0.25 && n/power == f {
			return int64(n), places, true
		}
	}
	return 0, 0, false
}

// appendDecimal appends n/10^places, of which the last place is not 0.
func appendDecimal(dst []byte, n int64, places int) []byte {
	if n < 0 {
		dst = append(dst, '-')
		n = -n
	}
	if places == 0 {
		return strconv.AppendInt(dst, n, 10)
	}
	one := int64(powers[places])
	dst = strconv.AppendInt(dst, n/one, 10)
	dst = append(dst, ".000"[:1+places]...)
	rest := n % one
	for i := len(dst) - 1; rest > 0; i-- {
		dst[i] += byte(rest % 10)
		rest /= 10
	}
	return dst
}

// appendKey appends a number as JavaScript makes a property's name of it.
func appendKey(dst []byte, t token) []byte {
	f := math.Float64frombits(t.bits)
	switch {
	case t.kind != floatKind:
	case math.IsNaN(f):
		return append(dst, "NaN"...)
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	case f == 0:
		return append(dst, '0')
	}
	return appendNumber(dst, t)
}

// The range of JavaScript's Date, in milliseconds on both sides of 1970.
const maxDate = 8_640_000_000_000_000

// appendDate appends a Date as its toJSON does: in ISO 8601 with milliseconds,
// years beyond four digits with a sign and six, null if it is out of range.
func appendDate(dst []byte, millis int64) []byte {
	if millis < -maxDate || millis > maxDate {
		return append(dst, "null"...)
	}
	t := time.UnixMilli(millis).UTC()
	dst = append(dst, '"')
	if year := t.Year(); year < 0 || year > 9999 {
		sign := byte('+')
		if year < 0 {
			sign, year = '-', -year
		}
		dst = append(dst, sign)
		for unit := 100_000; unit > 0; unit /= 10 {
			dst = append(dst, byte('0'+year/unit%10))
		}
		dst = t.AppendFormat(dst, "-01-02T15:04:05.000Z")
	} else {
		dst = t.AppendFormat(dst, "2006-01-02T15:04:05.000Z")
	}
	return append(dst, '"')
}

const hex = "0123456789abcdef"

// appendQuoted appends s, which is UTF-8, as JSON.stringify does.
func appendQuoted(dst, s []byte) []byte {
	dst = append(dst, '"')
	from := 0
	for i := 0; i < len(s); i++ {
		if len(s)-i >= 8 && needEscape(binary.LittleEndian.Uint64(s[i:])) == 0 {
			i += 7
			continue
		}
		c := s[i]
		if c >= utf8.RuneSelf || escapes[c] == 0 {
			continue
		}
		dst = append(dst, s[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\b':
			dst = append(dst, `\b`...)
		case '\f':
			dst = append(dst, `\f`...)
		case '\n':
			dst = append(dst, `\n`...)
		case '\r':
			dst = append(dst, `\r`...)
		case '\t':
			dst = append(dst, `\t`...)
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xf])
		}
	}
	return append(append(dst, s[from:]...), '"')
}
