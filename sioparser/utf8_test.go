package sioparser_test

import (
	"testing"
	"unicode/utf8"

	"github.com/siokit/siokit/sioparser"
)

// The scanner and package utf8 agree on every sequence of up to three bytes
// and on all four-byte ones that begin a range, at every alignment.
func TestUTF8AgreesWithStandardLibrary(t *testing.T) {
	d := sioparser.Text.NewDecoder(sioparser.Limits{})
	check := func(sequence []byte, pad int) {
		text := append([]byte(`2["1234567`[:3+pad]), sequence...)
		text = append(text, `"]`...)
		_, err := d.Decode(text, false)
		if got, want := err == nil, utf8.Valid(sequence); got != want {
			t.Errorf("% x behind %d bytes: accepted %v, want %v", sequence, pad, got, want)
		}
	}
	second := []byte{0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF}
	for a := 0x80; a <= 0xFF; a++ {
		check([]byte{byte(a)}, a%8)
		for b := 0x80; b <= 0xFF; b++ {
			check([]byte{byte(a), byte(b)}, b%8)
			for _, c := range second[2:] {
				check([]byte{byte(a), byte(b), c}, int(c)%8)
			}
		}
		for _, b := range second[2:] {
			for _, c := range second[2:] {
				for _, e := range second[2:] {
					check([]byte{byte(a), b, c, e}, int(e)%8)
					check([]byte{0xC3, 0xA9, byte(a), b, c, e}, int(e)%8)
				}
			}
		}
	}
}
