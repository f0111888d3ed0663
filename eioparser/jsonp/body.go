package jsonp

import (
	"bytes"

	"github.com/siokit/siokit/eioparser"
)

// DecodeBody returns the payload of a POST request: the field d of a body in
// application/x-www-form-urlencoded, with the escapes of line breaks undone that
// the official clients put in, since a browser would change line breaks in a
// form:
//
//	in the payload         in the field
//	line feed              \n     (backslash, n)
//	\n (backslash, n)      \\n    (two backslashes, n)
//
// A body without d or with more than one, and a percent sign that is not
// followed by two hexadecimal digits, are [eioparser.ErrJSONP]; other fields are
// skipped. The payload is new memory, no longer than body. It is not checked for
// UTF-8, which the payload's decoder does.
func DecodeBody(body []byte) ([]byte, error) {
	var field []byte
	found := false
	for more := true; more; {
		var pair []byte
		pair, body, more = bytes.Cut(body, []byte{'&'})
		key, value, _ := bytes.Cut(pair, []byte{'='})
		if string(key) != "d" {
			continue
		}
		if found {
			return nil, eioparser.ErrJSONP
		}
		field, found = value, true
	}
	if !found {
		return nil, eioparser.ErrJSONP
	}
	payload, ok := unescapeForm(field)
	if !ok {
		return nil, eioparser.ErrJSONP
	}
	return unescapeLines(payload), nil
}

func unescapeForm(field []byte) ([]byte, bool) {
	dst := make([]byte, 0, len(field))
	for i := 0; i < len(field); i++ {
		switch c := field[i]; c {
		case '+':
			dst = append(dst, ' ')
		case '%':
			if len(field)-i < 3 {
				return nil, false
			}
			high, low := hexValue(field[i+1]), hexValue(field[i+2])
			if high|low > 0xf {
				return nil, false
			}
			dst = append(dst, high<<4|low)
			i += 2
		default:
			dst = append(dst, c)
		}
	}
	return dst, true
}

// hexValue returns the value of a hexadecimal digit, or 0xff.
func hexValue(c byte) byte {
	if c-'0' <= 9 {
		return c - '0'
	}
	if c |= 0x20; c >= 'a' && c <= 'f' {
		return c - 'a' + 10
	}
	return 0xff
}

// unescapeLines works in place: what it writes is never longer than what it
// read.
func unescapeLines(b []byte) []byte {
	dst := b[:0]
	for len(b) > 0 {
		i := bytes.IndexByte(b, '\\')
		if i < 0 {
			return append(dst, b...)
		}
		dst = append(dst, b[:i]...)
		switch b = b[i:]; {
		case bytes.HasPrefix(b, []byte(`\\n`)):
			dst = append(dst, `\n`...)
			b = b[3:]
		case bytes.HasPrefix(b, []byte(`\n`)):
			dst = append(dst, '\n')
			b = b[2:]
		default:
			dst = append(dst, '\\')
			b = b[1:]
		}
	}
	return dst
}
