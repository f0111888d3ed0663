package sioparser_test

import (
	"bytes"
	"testing"
	"unicode/utf8"

	"github.com/siokit/siokit/sioparser"
)

// Every byte at every place of a string and of a key, in the middle of words
// that are scanned at once and behind them.
func TestStringBytes(t *testing.T) {
	d := sioparser.Text.NewDecoder(sioparser.Limits{})
	for length := range 20 {
		for at := range length {
			for c := range 256 {
				text := bytes.Repeat([]byte("x"), length)
				text[at] = byte(c)
				want := c >= 0x20 && c < 0x80 && c != '"' && c != '\\'
				for _, in := range []string{`2["` + string(text) + `"]`, `2["",{"` + string(text) + `":1}]`} {
					if _, err := d.Decode([]byte(in), false); (err == nil) != want {
						t.Fatalf("%q: %v", in, err)
					}
				}
			}
		}
	}
}

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
