package utf16text_test

import (
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/siokit/siokit/eioparser/internal/utf16text"
)

var characters = []string{"a", "\x00", "\x7f", "\u0080", "é", "\u07ff", "\u0800", "€", "\uffff", "😀", "\U0010ffff"}
var broken = []string{"\x80", "\xff", "\xc0\xaf", "\xe2\x82", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf0\x9f\x98"}

func TestLenCountsCodeUnits(t *testing.T) {
	for _, middle := range append([]string{""}, characters...) {
		for before := range 20 {
			text := strings.Repeat("x", before) + middle + middle + "é" + strings.Repeat("y", before)
			if got, want := utf16text.Len([]byte(text)), len(utf16.Encode([]rune(text))); got != want {
				t.Fatalf("%q: %d units, want %d", text, got, want)
			}
		}
	}
}

func TestPrefixEndsAtAnyUnit(t *testing.T) {
	text := "aé€😀" + strings.Repeat("x", 20) + "😀é"
	size, units := 0, 0
	for _, r := range text {
		if n, u, ok := utf16text.Prefix([]byte(text), units); n != size || u != units || !ok {
			t.Fatalf("%d units: %d bytes, %d units, %t", units, n, u, ok)
		}
		width := utf16.RuneLen(r)
		if width == 2 {
			// One unit of the two: the walk goes past the end that was asked for.
			if n, u, ok := utf16text.Prefix([]byte(text), units+1); n != size+4 || u != units+2 || !ok {
				t.Fatalf("%d units: %d bytes, %d units, %t", units+1, n, u, ok)
			}
		}
		size, units = size+utf8.RuneLen(r), units+width
	}
	if n, u, ok := utf16text.Prefix([]byte(text), units+10); n != len(text) || u != units || !ok {
		t.Fatalf("more than there are: %d bytes, %d units, %t", n, u, ok)
	}
	for _, bad := range broken {
		if n, u, ok := utf16text.Prefix([]byte("abé"+bad), 10); n != 4 || u != 3 || ok {
			t.Fatalf("%q: %d bytes, %d units, %t", bad, n, u, ok)
		}
	}
}
