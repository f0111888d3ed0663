package msgpack

import (
	"encoding/binary"
	"math"
)

// kind is what a token is to JavaScript.
type kind uint8

const (
	invalid kind = iota
	nilKind
	undefinedKind
	falseKind
	trueKind
	uintKind
	intKind // negative
	floatKind
	dateKind
	strKind
	binKind
	arrayKind
	mapKind

	// These stand in the table of formats only.
	signedKind  // uintKind or intKind
	float32Kind // floatKind
	extKind     // with its length; binKind
	fixextKind  // without; undefinedKind or dateKind
)

// token is one MessagePack head with what belongs to it, except for the
// elements of arrays and maps, which are the next tokens.
type token struct {
	kind kind
	// bits are the value of a number (two's complement, or IEEE 754), the
	// milliseconds of a date, the length of an array, or a map's number of pairs.
	bits uint64
	// start and end enclose the bytes of a string or buffer. The next token
	// begins at end.
	start, end int
}

// format says what a first byte from 0xc0 to 0xdf announces: a number or a
// length of width bytes, or, for the fixext formats, width bytes of data.
type format struct {
	kind  kind
	width uint8
}

// formats are those of the MessagePack specification, by the low five bits of
// the first byte.
var formats = [32]format{
	{nilKind, 0}, {invalid, 0}, {falseKind, 0}, {trueKind, 0}, // c0 to c3
	{binKind, 1}, {binKind, 2}, {binKind, 4}, // c4 to c6
	{extKind, 1}, {extKind, 2}, {extKind, 4}, // c7 to c9
	{float32Kind, 4}, {floatKind, 8}, // ca, cb
	{uintKind, 1}, {uintKind, 2}, {uintKind, 4}, {uintKind, 8}, // cc to cf
	{signedKind, 1}, {signedKind, 2}, {signedKind, 4}, {signedKind, 8}, // d0 to d3
	{fixextKind, 1}, {fixextKind, 2}, {fixextKind, 4}, {fixextKind, 8}, {fixextKind, 16}, // d4 to d8
	{strKind, 1}, {strKind, 2}, {strKind, 4}, // d9 to db
	{arrayKind, 2}, {arrayKind, 4}, // dc, dd
	{mapKind, 2}, {mapKind, 4}, // de, df
}

// The extension type that notepack.io has all its own types in: undefined is one
// byte of it, a Date eight, an ArrayBuffer any number with an explicit length.
const notepackExt = 0

// next reads the token at data[i]. Lengths are within data: of a string or
// buffer to the byte, of an array or map as far as can be known from there being
// at least one byte for each element.
func next(data []byte, i int) (token, error) {
	if i >= len(data) {
		return token{}, fail(ErrSyntax, i)
	}
	switch c := data[i]; c >> 5 {
	case 0, 1, 2, 3: // 00 to 7f: positive fixint
		return token{kind: uintKind, bits: uint64(c), end: i + 1}, nil
	case 4:
		if c < 0x90 { // 80 to 8f: fixmap
			return container(data, mapKind, uint64(c&0xf), i, i+1)
		}
		return container(data, arrayKind, uint64(c&0xf), i, i+1) // fixarray
	case 5: // a0 to bf: fixstr
		return span(data, strKind, uint64(c&0x1f), i, i+1)
	case 6:
		return long(data, i, formats[c&0x1f])
	default: // e0 to ff: negative fixint
		return token{kind: intKind, bits: uint64(int8(c)), end: i + 1}, nil
	}
}

// long reads a token with a value or length behind its first byte.
func long(data []byte, i int, f format) (token, error) {
	at := i + 1 + int(f.width)
	if at > len(data) {
		return token{}, fail(ErrSyntax, len(data))
	}
	var n uint64
	switch b := data[i+1:]; f.width {
	case 1:
		n = uint64(b[0])
	case 2:
		n = uint64(binary.BigEndian.Uint16(b))
	case 4:
		n = uint64(binary.BigEndian.Uint32(b))
	case 8:
		n = binary.BigEndian.Uint64(b)
	}
	switch f.kind {
	case nilKind, falseKind, trueKind, uintKind, floatKind:
		return token{kind: f.kind, bits: n, end: at}, nil
	case signedKind:
		unused := 64 - 8*f.width
		return signed(int64(n<<unused)>>unused, at), nil
	case float32Kind:
		wide := float64(math.Float32frombits(uint32(n)))
		return token{kind: floatKind, bits: math.Float64bits(wide), end: at}, nil
	case strKind, binKind:
		return span(data, f.kind, n, i, at)
	case arrayKind, mapKind:
		return container(data, f.kind, n, i, at)
	case extKind:
		return ext(data, n, i, at)
	case fixextKind:
		return fixext(data, int(f.width), i)
	}
	return token{}, fail(ErrSyntax, i) // c1, which is never used
}

func signed(n int64, end int) token {
	if n >= 0 {
		return token{kind: uintKind, bits: uint64(n), end: end}
	}
	return token{kind: intKind, bits: uint64(n), end: end}
}

// span is a token of n bytes from data[at] on; head is where it began.
func span(data []byte, k kind, n uint64, head, at int) (token, error) {
	if n > uint64(len(data)-at) {
		return token{}, fail(ErrSyntax, head)
	}
	return token{kind: k, start: at, end: at + int(n)}, nil
}

// container is an array of n elements or a map of n pairs from data[at] on.
func container(data []byte, k kind, n uint64, head, at int) (token, error) {
	least := n
	if k == mapKind {
		least = 2 * n
	}
	if least > uint64(len(data)-at) {
		return token{}, fail(ErrSyntax, head)
	}
	return token{kind: k, bits: n, end: at}, nil
}

// ext is an extension of n bytes behind its type, which is at data[at].
func ext(data []byte, n uint64, head, at int) (token, error) {
	if at == len(data) {
		return token{}, fail(ErrSyntax, at)
	}
	if data[at] != notepackExt {
		return token{}, fail(ErrExtension, head)
	}
	return span(data, binKind, n, head, at+1)
}

// fixext is an extension of width bytes behind its type, which is at
// data[head+1].
func fixext(data []byte, width, head int) (token, error) {
	start := head + 2
	if len(data)-start < width {
		return token{}, fail(ErrSyntax, len(data))
	}
	end := start + width
	switch {
	case data[head+1] != notepackExt:
	case width == 1:
		return token{kind: undefinedKind, end: end}, nil
	case width == 8:
		return token{kind: dateKind, bits: binary.BigEndian.Uint64(data[start:]), end: end}, nil
	}
	return token{}, fail(ErrExtension, head)
}
