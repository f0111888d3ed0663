// Package jsontext writes JSON strings as JavaScript's JSON.stringify does, and
// reads the few JSON texts of the protocol: strictly (RFC 8259), without
// recursion and without allocating for what nobody asked for.
package jsontext

import "unicode/utf8"

const hex = "0123456789abcdef"

// AppendString appends s as a JSON string with the same bytes as
// JSON.stringify: short escapes where JSON has them, \u00xx in lower case for
// the other control characters, everything else as it is. Bytes that are not
// UTF-8 become U+FFFD. With separators set, U+2028 and U+2029 are escaped too,
// which makes the text a JavaScript string literal of any edition.
func AppendString[T ~string | ~[]byte](dst []byte, s T, separators bool) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c < utf8.RuneSelf {
			dst = appendEscape(append(dst, s[start:i]...), c)
			i++
			start = i
			continue
		}
		r, size := decodeRune(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			dst = append(append(dst, s[start:i]...), "\uFFFD"...)
		case separators && (r == '\u2028' || r == '\u2029'):
			dst = append(append(dst, s[start:i]...), `\u202`...)
			dst = append(dst, hex[r&0xf])
		default:
			i += size
			continue
		}
		i += size
		start = i
	}
	return append(append(dst, s[start:]...), '"')
}

func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, `\b`...)
	case '\f':
		return append(dst, `\f`...)
	case '\n':
		return append(dst, `\n`...)
	case '\r':
		return append(dst, `\r`...)
	case '\t':
		return append(dst, `\t`...)
	}
	return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xf])
}

// decodeRune decodes from at most four bytes, so that the conversion for a
// string type never copies more.
func decodeRune[T ~string | ~[]byte](s T) (rune, int) {
	return utf8.DecodeRuneInString(string(s[:min(len(s), utf8.UTFMax)]))
}
