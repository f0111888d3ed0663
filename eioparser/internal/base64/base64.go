// Package base64 is the standard library's base64 made strict: of each byte
// string there is exactly one text, and every other text is refused. On amd64
// blocks of plain letters take a short cut through vector registers; what is
// left, and whatever is not plain, is the standard library's.
package base64

import (
	"encoding/base64"
	"slices"
)

var encoding = base64.StdEncoding.Strict()

// Decode returns the bytes that src encodes, in new memory and never nil, or
// false if src is not the encoding of any bytes.
func Decode(src []byte) ([]byte, bool) {
	if len(src)%4 != 0 {
		return nil, false
	}
	dst := make([]byte, decodedLen(src))
	letters := decodeBlocks(dst, src)
	n := letters / 4 * 3
	rest, err := encoding.Decode(dst[n:], src[letters:])
	n += rest
	// The standard library skips CR and LF wherever they stand; with them src is
	// longer than the encoding of what came out.
	if err != nil || encoding.EncodedLen(n) != len(src) {
		return nil, false
	}
	return dst[:n:n], true
}

// decodedLen is exact for valid input, so that small messages are not rounded
// up to the next size class for bytes that padding stands for.
func decodedLen(src []byte) int {
	n := len(src) / 4 * 3
	for i := 1; i <= 2 && i <= len(src) && src[len(src)-i] == '='; i++ {
		n--
	}
	return n
}

// Append appends the encoding of src to dst.
func Append(dst, src []byte) []byte {
	size := encoding.EncodedLen(len(src))
	dst = slices.Grow(dst, size)
	text := dst[len(dst) : len(dst)+size]
	n := encodeBlocks(text, src)
	encoding.Encode(text[n/3*4:], src[n:])
	return dst[:len(dst)+size]
}

// EncodedLen is the length of the encoding of n bytes.
func EncodedLen(n int) int { return encoding.EncodedLen(n) }
