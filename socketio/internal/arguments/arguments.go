// Package arguments turns what Emit is given into arguments that the caller
// can't change any more. Server and client share it.
package arguments

import (
	"bytes"

	"github.com/siokit/siokit/sioparser"
)

// Append encodes args into the memory of dst. Attachments that the caller may
// still change are copied; those of a sioparser.Args among args, which is
// relayed, belong to nobody any more and are not. After an error dst comes back
// as it was.
func Append(values *sioparser.Values, dst sioparser.Args, args []any) (sioparser.Args, error) {
	relayed := false
	for _, arg := range args {
		if _, ok := arg.(sioparser.Args); ok {
			relayed = true
			break
		}
	}
	if !relayed {
		encoded, err := values.Append(dst, args...)
		if err != nil {
			return dst, err
		}
		own(encoded.Attachments())
		return encoded, nil
	}
	encoded := dst
	for _, arg := range args {
		before := len(encoded.Attachments())
		next, err := values.Append(encoded, arg)
		if err != nil {
			return dst, err
		}
		encoded = next
		if _, ok := arg.(sioparser.Args); !ok {
			own(encoded.Attachments()[before:])
		}
	}
	return encoded, nil
}

// own replaces buffers of the caller's by copies.
func own(attachments [][]byte) {
	for i, b := range attachments {
		attachments[i] = bytes.Clone(b)
	}
}
