// Package jsonp reads and writes the bodies of HTTP long-polling by JSONP, which
// old browsers use where they cannot send requests to another origin: a GET
// request with the query parameter j is answered by a script that hands the
// payload to a callback, and a POST request carries its payload in a form.
//
// The payload within is the ordinary one, in the text form of either revision
// ([eioparser.Payload] or [eio3.Payload]); binary packets are always base64.
//
//	GET …&j=0   →  ___eio[0]("0{\"sid\":…}");
//	POST …&j=0  ←  d=4hello
//
// [eioparser.Payload]: https://pkg.go.dev/github.com/siokit/siokit/eioparser#Payload
// [eio3.Payload]: https://pkg.go.dev/github.com/siokit/siokit/eioparser/eio3#Payload
package jsonp

import (
	"strconv"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/eioparser/internal/jsontext"
)

// maxIndexDigits keeps an index well within an int of 32 bits.
const maxIndexDigits = 9

// ParseIndex reads the value of the query parameter j: one to nine decimal
// digits. Everything else is [eioparser.ErrJSONP]. The reference drops what is
// no digit; a server that reflects nothing of a request answers 400.
func ParseIndex(j string) (int, error) {
	if len(j) == 0 || len(j) > maxIndexDigits {
		return 0, eioparser.ErrJSONP
	}
	n := 0
	for i := range len(j) {
		c := j[i] - '0'
		if c > 9 {
			return 0, eioparser.ErrJSONP
		}
		n = n*10 + int(c)
	}
	return n, nil
}

// Append appends the script that answers a GET request: the call of the callback
// with the index, and payload as a JavaScript string. Control characters, quotes
// and backslashes are escaped as by JSON.stringify, the line separators U+2028
// and U+2029 too, which JSON allows in strings and older JavaScript does not;
// bytes that are not UTF-8 become U+FFFD.
func Append(dst []byte, index int, payload []byte) []byte {
	dst = append(dst, "___eio["...)
	dst = append(strconv.AppendInt(dst, int64(index), 10), "]("...)
	dst = jsontext.AppendString(dst, payload, true)
	return append(dst, ");"...)
}
