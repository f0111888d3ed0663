// Package utf8text checks and measures UTF-8 text, fast where it is ASCII.
package utf8text

import (
	"encoding/binary"
	"unicode/utf8"
)

const highBits = 0x8080808080808080

// Valid reports whether b is UTF-8, like [utf8.Valid], at several times its
// speed for text that is mostly ASCII.
func Valid(b []byte) bool {
	for len(b) >= 32 {
		head := b[:32:32]
		if (binary.LittleEndian.Uint64(head)|
			binary.LittleEndian.Uint64(head[8:])|
			binary.LittleEndian.Uint64(head[16:])|
			binary.LittleEndian.Uint64(head[24:]))&highBits != 0 {
			break
		}
		b = b[32:]
	}
	return utf8.Valid(b)
}
