// Package utf16text measures UTF-8 text in UTF-16 code units, the unit in which
// JavaScript counts.
package utf16text

import (
	"encoding/binary"
	"unicode/utf8"
)

const highBits = 0x8080808080808080

// Prefix walks over the characters of b until it has seen n code units, or one
// more if the last character has two. It returns the bytes and code units that
// it walked over, and false if it met a byte that is not UTF-8.
func Prefix(b []byte, n int) (size, units int, valid bool) {
	for units < n && size < len(b) {
		if n-units >= 8 && len(b)-size >= 8 &&
			binary.LittleEndian.Uint64(b[size:])&highBits == 0 {
			size, units = size+8, units+8
			continue
		}
		if b[size] < utf8.RuneSelf {
			size, units = size+1, units+1
			continue
		}
		_, width := utf8.DecodeRune(b[size:])
		if width == 1 {
			return size, units, false
		}
		size += width
		units += 1 + width/utf8.UTFMax
	}
	return size, units, true
}

// Len returns the number of code units of b, which must be UTF-8.
func Len(b []byte) int {
	_, units, _ := Prefix(b, len(b))
	return units
}
