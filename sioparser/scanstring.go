package sioparser

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// special returns a word whose lowest set high bit is that of the first byte
// in w that a string scanner must look at: a quote, a backslash, a control
// character or a byte of a multi-byte rune. Zero means there is none. Higher
// bits may be false alarms.
func special(w uint64) uint64 {
	quote := w ^ ones*'"'
	slash := w ^ ones*'\\'
	return ((w-ones*0x20)&^w | (quote-ones)&^quote | (slash-ones)&^slash | w) & highs
}

// scanString returns the position behind the quote that closes the string
// whose first byte is text[i], or a negative number if the string is at fault;
// stringError says how.
func scanString(text []byte, i int) int {
	for {
		for long := i + longPlain; i+8 <= len(text); i += 8 {
			if m := special(binary.LittleEndian.Uint64(text[i:])); m != 0 {
				i += bits.TrailingZeros64(m) >> 3
				break
			}
			if i == long {
				i = skipPlain(text, i+8) - 8
			}
		}
		if i >= len(text) {
			return ^len(text)
		}
		switch c := text[i]; {
		case c == '"':
			return i + 1
		case c >= utf8.RuneSelf:
			n := scanRunes(text[i:])
			if n == 0 {
				return ^i
			}
			i += n
		case c == '\\':
			n := scanEscape(text[i:])
			if n == 0 {
				return ^i
			}
			i += n
		case c < 0x20:
			return ^i
		default:
			i++
		}
	}
}

// longPlain is how many plain bytes in a row promise more of them.
const longPlain = 64

// skipPlain returns i, moved on over whole blocks of plain text: ASCII that a
// JSON string holds as it is.
func skipPlain(text []byte, i int) int {
	for ; i+32 <= len(text); i += 32 {
		block := text[i : i+32 : i+32]
		if (unlikePlain(block)|unlikePlain(block[8:])|unlikePlain(block[16:])|unlikePlain(block[24:]))&highs != 0 {
			break
		}
	}
	return i
}

// unlikePlain sets a high bit unless the first eight bytes of s are plain. It
// says less than special, with fewer steps.
func unlikePlain(s []byte) uint64 {
	w := binary.LittleEndian.Uint64(s)
	return (w - ones*0x20) | ((w ^ ones*'"') - ones) | ((w ^ ones*'\\') - ones) | w
}

// plainEnd returns the position of the first quote or backslash from text[i] on,
// which is in a string that is known to be valid.
func plainEnd(text []byte, i int) int {
	for ; i+8 <= len(text); i += 8 {
		w := binary.LittleEndian.Uint64(text[i:])
		quote, slash := w^ones*'"', w^ones*'\\'
		if m := ((quote-ones)&^quote | (slash-ones)&^slash) & highs; m != 0 {
			return i + bits.TrailingZeros64(m)>>3
		}
	}
	for text[i] != '"' && text[i] != '\\' {
		i++
	}
	return i
}

// stringError is the error at a position that scanString returned.
func stringError(text []byte, position int) error {
	position = ^position
	if position < len(text) && text[position] >= utf8.RuneSelf {
		return fail(ErrUTF8, position)
	}
	return fail(ErrSyntax, position)
}

// scanRunes returns how many bytes the multi-byte runes take that text begins
// with; 0 if the first is not UTF-8. Lead bytes whose second byte has a range
// of its own are left to package utf8.
func scanRunes(text []byte) int {
	i := 0
	for i < len(text) && text[i] >= utf8.RuneSelf {
		if i+2 < len(text) && text[i+1]&0xC0 == 0x80 {
			switch c := text[i]; {
			case 0xC2 <= c && c <= 0xDF:
				i += 2
				continue
			case 0xE1 <= c && c <= 0xEF && c != 0xED && text[i+2]&0xC0 == 0x80:
				i += 3
				continue
			}
		}
		r, n := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && n == 1 {
			break
		}
		i += n
	}
	return i
}

// scanEscape returns the length of the escape that text begins with, 0 if it
// is none. Surrogates are not paired up: an escape that arrived alone is
// relayed as it came.
func scanEscape(text []byte) int {
	if len(text) < 2 {
		return 0
	}
	switch text[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if _, ok := hex4(text, 2); ok {
			return 6
		}
	}
	return 0
}

// hex4 reads the four hexadecimal digits at text[i].
func hex4(text []byte, i int) (rune, bool) {
	if i+4 > len(text) {
		return 0, false
	}
	var r rune
	for _, c := range text[i : i+4] {
		switch {
		case c-'0' <= 9:
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

func hasEscape(s []byte) bool { return bytes.IndexByte(s, '\\') >= 0 }

// appendUnescaped appends the text of a valid JSON string, given without its
// quotes, as UTF-8. A surrogate that has no partner becomes U+FFFD.
func appendUnescaped(dst, s []byte) []byte {
	for len(s) > 0 {
		n := bytes.IndexByte(s, '\\')
		if n < 0 {
			return append(dst, s...)
		}
		dst = append(dst, s[:n]...)
		switch c := s[n+1]; c {
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			r, _ := hex4(s, n+2)
			n += 4
			if isHighSurrogate(r) && n+8 <= len(s) && s[n+2] == '\\' && s[n+3] == 'u' {
				if low, _ := hex4(s, n+4); isLowSurrogate(low) {
					r = 0x10000 + (r-0xD800)<<10 + (low - 0xDC00)
					n += 6
				}
			}
			dst = utf8.AppendRune(dst, r) // a surrogate is not a rune: U+FFFD
		default: // quote, backslash, slash
			dst = append(dst, c)
		}
		s = s[n+2:]
	}
	return dst
}

func isHighSurrogate(r rune) bool { return r >= 0xD800 && r < 0xDC00 }
func isLowSurrogate(r rune) bool  { return r >= 0xDC00 && r < 0xE000 }

// appendQuoted appends s as a JSON string. Only what JSON demands is escaped;
// bytes that are not UTF-8 become U+FFFD.
func appendQuoted[T []byte | string](dst []byte, s T) []byte {
	start := len(dst)
	dst = append(append(dst, '"'), s...)
	if isPlain(dst[start+1:]) {
		return append(dst, '"')
	}
	dst, _ = jsontext.AppendQuote(dst[:start], s) // the error only says that bytes were replaced
	return dst
}

// isPlain reports whether s is a JSON string's text as it stands: ASCII and
// nothing to be escaped.
func isPlain(s []byte) bool {
	i := skipPlain(s, 0)
	for ; i+8 <= len(s); i += 8 {
		if unlikePlain(s[i:])&highs != 0 {
			return false
		}
	}
	for ; i < len(s); i++ {
		if c := s[i]; c < 0x20 || c >= utf8.RuneSelf || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}
