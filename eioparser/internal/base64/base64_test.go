package base64_test

import (
	"bytes"
	stdlib "encoding/base64"
	"testing"

	"github.com/siokit/siokit/eioparser/internal/base64"
)

// Every text of four characters, and of eight around the place where the second
// four begin, is accepted exactly if it is what its meaning is encoded as.
func TestDecodeAcceptsTheOneEncodingOfEachText(t *testing.T) {
	base64.EachWay(func(name string) { t.Run(name, acceptsTheOneEncoding) })
}

func acceptsTheOneEncoding(t *testing.T) {
	alphabet := []byte("AQgwz09+/=-_\n\r \x00\x80")
	check := func(src []byte) {
		got, ok := base64.Decode(src)
		if want := decodeLax(src); !ok {
			if stdlib.StdEncoding.EncodeToString(want) == string(src) {
				t.Fatalf("%q is refused", src)
			}
			return
		}
		if again := base64.Append(nil, got); string(again) != string(src) {
			t.Fatalf("%q is accepted as %v, whose encoding is %q", src, got, again)
		}
		if base64.EncodedLen(len(got)) != len(src) || cap(got) != len(got) {
			t.Fatalf("%q: %d bytes with room for %d", src, len(got), cap(got))
		}
	}
	for _, a := range alphabet {
		for _, b := range alphabet {
			for _, c := range alphabet {
				for _, d := range alphabet {
					check([]byte{a, b, c, d})
					check([]byte{'A', 'A', a, b, c, d, 'A', 'A'})
					check([]byte{'A', 'A', 'A', 'A', a, b, c, d})
					check(append(bytes.Repeat([]byte{'A'}, 16), a, b, c, d))
				}
			}
		}
	}
}

// decodeLax returns what the standard library makes of src before its first
// error.
func decodeLax(src []byte) []byte {
	dst := make([]byte, len(src))
	n, _ := stdlib.StdEncoding.Decode(dst, src)
	return dst[:n]
}

// Every byte at every place of two blocks, and the text's end behind them, is
// judged as by the standard library.
func TestEveryByteAtEveryPlace(t *testing.T) {
	base64.EachWay(func(name string) { t.Run(name, everyByte) })
}

func everyByte(t *testing.T) {
	bytesOf := make([]byte, 63)
	for i := range bytesOf {
		bytesOf[i] = byte(i * 41)
	}
	text := base64.Append(nil, bytesOf)
	for i := range text {
		before := text[i]
		for c := range 256 {
			text[i] = byte(c)
			got, ok := base64.Decode(text)
			want, err := stdlib.StdEncoding.Strict().DecodeString(string(text))
			wantOK := err == nil && c != '\n' && c != '\r'
			if ok != wantOK || ok && !bytes.Equal(got, want) {
				t.Fatalf("byte %#x at %d: %v, %t; the standard library: %v, %v", c, i, got, ok, want, err)
			}
		}
		text[i] = before
	}
}

func TestEveryLengthComesBack(t *testing.T) {
	base64.EachWay(func(name string) { t.Run(name, everyLength) })
}

func everyLength(t *testing.T) {
	src := make([]byte, 200)
	for i := range src {
		src[i] = byte(i * 37)
	}
	for n := range src {
		text := base64.Append([]byte("b"), src[:n])
		if string(text[1:]) != stdlib.StdEncoding.EncodeToString(src[:n]) {
			t.Fatalf("%d bytes: %s", n, text)
		}
		got, ok := base64.Decode(text[1:])
		if !ok || got == nil || !bytes.Equal(got, src[:n]) {
			t.Fatalf("%d bytes: %v, %t", n, got, ok)
		}
		for i := 1; i < 4 && i < len(text); i++ {
			if _, ok := base64.Decode(text[1 : len(text)-i]); ok && i%4 != 0 {
				t.Fatalf("%d bytes, %d characters short: accepted", n, i)
			}
		}
	}
}
