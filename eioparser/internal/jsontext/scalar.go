package jsontext

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// String returns the string that value, a key or value that this package handed
// out, stands for, or false if it is another kind of value. A surrogate that an
// escape leaves alone becomes U+FFFD.
func String(value []byte) (string, bool) {
	if len(value) < 2 || value[0] != '"' {
		return "", false
	}
	body := value[1 : len(value)-1]
	if bytes.IndexByte(body, '\\') < 0 {
		return string(body), true
	}
	return string(unescape(make([]byte, 0, len(body)), body)), true
}

// Is reports whether the key is name, however it is escaped.
func Is(key []byte, name string) bool {
	body := key[1 : len(key)-1]
	if bytes.IndexByte(body, '\\') < 0 {
		return string(body) == name
	}
	// An escape has at most six bytes for each byte of an ASCII name.
	if len(body) > 6*len(name) {
		return false
	}
	return string(unescape(make([]byte, 0, len(body)), body)) == name
}

// unescape appends the meaning of the valid string body to dst.
func unescape(dst, body []byte) []byte {
	for i := 0; i < len(body); {
		if body[i] != '\\' {
			dst = append(dst, body[i])
			i++
			continue
		}
		switch c := body[i+1]; c {
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
			r, _ := hex4(body[i:])
			if low, ok := hex4(body[i+6:]); ok && utf16.IsSurrogate(r) {
				if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
					r = pair
					i += 6
				}
			}
			dst = utf8.AppendRune(dst, r)
			i += 6
			continue
		default:
			dst = append(dst, c)
		}
		i += 2
	}
	return dst
}

// hex4 returns the code unit of the escape \uXXXX that b begins with.
func hex4(b []byte) (rune, bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range b[2:6] {
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

// Uint returns the value of a number that is written with digits only and is at
// most limit, or false.
func Uint(value []byte, limit uint64) (uint64, bool) {
	var n uint64
	if len(value) == 0 || len(value) > 19 {
		return 0, false
	}
	for _, c := range value {
		if c-'0' > 9 {
			return 0, false
		}
		n = n*10 + uint64(c-'0')
	}
	return n, n <= limit
}
