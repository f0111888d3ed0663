package msgpack_test

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/siokit/siokit/fuzz/internal/mutate"
	"github.com/siokit/siokit/fuzz/internal/vectors"
)

// msgpackVectors are the messages among the vectors of the codec.
func msgpackVectors(t testing.TB) [][]byte {
	t.Helper()
	return vectors.Read(t, filepath.Join("..", "..", "sioparser", "msgpack", "testdata", "messages.tsv"), hex.DecodeString)
}

// Values and heads that mean something to the decoder.
var msgpackTokens = []string{
	"\x00", "\x7f", "\x80", "\x81", "\x8f", "\x90", "\x91", "\x9f", "\xa0", "\xa1a", "\xa2\xc3\xa9", "\xa4\xf0\x9f\x98\x80", "\xa1\xff", "\xa3\xed\xa0\x80",
	"\xc0", "\xc1", "\xc2", "\xc3", "\xc4\x00", "\xc4\x02ab", "\xc5\x00\x01a", "\xc6\x00\x00\x00\x01a", "\xc7\x02\x00ab", "\xc8\x00\x01\x00a", "\xc9\x00\x00\x00\x01\x00a",
	"\xca\x3f\xc0\x00\x00", "\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00", "\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00", "\xcb\xff\xf0\x00\x00\x00\x00\x00\x00", "\xcb\x80\x00\x00\x00\x00\x00\x00\x00", "\xcb\x40\x14\x00\x00\x00\x00\x00\x00",
	"\xcc\xff", "\xcd\x01\x00", "\xce\x00\x01\x00\x00", "\xcf\x00\x20\x00\x00\x00\x00\x00\x01", "\xcf\xff\xff\xff\xff\xff\xff\xff\xff", "\xd0\x80", "\xd1\x80\x00", "\xd2\x80\x00\x00\x00", "\xd3\x80\x00\x00\x00\x00\x00\x00\x00", "\xd3\x00\x00\x00\x00\x00\x00\x00\x05",
	"\xd4\x00\x00", "\xd4\x01\x00", "\xd5\x00ab", "\xd6\xffabcd", "\xd7\x00\x00\x00\x01\x8b\xcf\xe5\x68\x00", "\xd7\x00\xff\xff\xff\xff\xff\xff\xff\xff", "\xd8\x00abcdabcdabcdabcd", "\xd9\x03abc", "\xda\x00\x01a", "\xdb\x00\x00\x00\x01a",
	"\xdc\x00\x01", "\xdd\x00\x00\x00\x01", "\xdd\xff\xff\xff\xff", "\xde\x00\x01", "\xdf\x00\x00\x00\x01", "\xe0", "\xff",
	"\xa4type\x02", "\xa4type\x03", "\xa3nsp\xa1/", "\xa3nsp\xa2/x", "\xa2id\x05", "\xa4data\x91\xa1e", "\xa4data\x80", "\xac_placeholder\xc3", "\xa3num\x00", "\xa7connect", "\xa9__proto__",
}

type msgpackMaker struct{ vectors [][]byte }

func newMsgpackMaker(t testing.TB) msgpackMaker { return msgpackMaker{msgpackVectors(t)} }

// input returns a vector with a few changes, a packet of random values, or a
// row of tokens.
func (m msgpackMaker) input(r *rand.Rand) []byte {
	var b []byte
	switch r.IntN(8) {
	case 0:
	case 1, 2, 3:
		b = append(b, m.vectors[r.IntN(len(m.vectors))]...)
	default:
		b = msgpackPacket(r)
	}
	for range r.IntN(4) {
		at := r.IntN(len(b) + 1)
		if r.IntN(2) == 0 {
			b = mutate.Bytes(r, b, msgpackTokens)
			continue
		}
		b = append(b[:at:at], msgpackTokens[r.IntN(len(msgpackTokens))]+string(b[at:])...)
	}
	return b
}

// msgpackPacket is a packet in which only the values are random.
func msgpackPacket(r *rand.Rand) []byte {
	n := r.IntN(4)
	b := []byte("\x83\xa4type\x02\xa3nsp\xa1/\xa4data")
	if r.IntN(3) == 0 {
		b = []byte("\x84\xa4type\x03\xa3nsp\xa2/a\xa2id\x07\xa4data")
	}
	b = append(b, 0x91+byte(n), 0xa1, 'e')
	for range n {
		b = msgpackValue(r, b, 4)
	}
	return b
}

// msgpackValue appends a random value of few levels.
func msgpackValue(r *rand.Rand, b []byte, levels int) []byte {
	switch kind := r.IntN(12); {
	case levels > 0 && kind == 0:
		n := r.IntN(5)
		b = append(b, 0x90+byte(n))
		for range n {
			b = msgpackValue(r, b, levels-1)
		}
		return b
	case levels > 0 && kind == 1:
		n := r.IntN(4)
		b = append(b, 0x80+byte(n))
		for range n {
			b = append(b, 0xa1, 'a'+byte(r.IntN(26)))
			b = msgpackValue(r, b, levels-1)
		}
		return b
	case kind == 2:
		n := r.IntN(40)
		b = append(b, 0xd9, byte(n))
		for range n {
			b = append(b, byte(r.IntN(0x80)))
		}
		return b
	case kind == 3:
		b = append(b, 0xcb)
		for range 8 {
			b = append(b, byte(r.Uint32()))
		}
		return b
	}
	for {
		token := msgpackTokens[r.IntN(len(msgpackTokens))]
		if c := token[0]; c < 0x80 || c >= 0xa0 {
			return append(b, token...)
		}
	}
}

// randomJSON appends a JSON value of few levels. Placeholders refer to
// attachments that are counted in n. With exact set it holds only what notepack
// writes as we do: no numbers beyond 2^53, no names that JavaScript sorts.
func randomJSON(r *rand.Rand, b []byte, levels int, n *int, exact bool) []byte {
	size := r.IntN(1 + r.IntN(1+r.IntN(20)))
	switch r.IntN(10) {
	case 0:
		return append(b, []string{"null", "true", "false"}[r.IntN(3)]...)
	case 1, 2:
		return randomNumber(r, b, exact)
	case 3:
		b = fmt.Appendf(b, `{"_placeholder":true,"num":%d}`, *n)
		*n++
		return b
	case 4, 5:
		if levels > 0 {
			b = append(b, '[')
			for i := range size {
				if i > 0 {
					b = append(b, ',')
				}
				b = randomJSON(r, b, levels-1, n, exact)
			}
			return append(b, ']')
		}
	case 6, 7:
		if levels > 0 {
			b = append(b, '{')
			for i := range size {
				if i > 0 {
					b = append(b, ',')
				}
				b = fmt.Appendf(b, `"k%d":`, i)
				b = randomJSON(r, b, levels-1, n, exact)
			}
			return append(b, '}')
		}
	}
	return randomString(r, b, exact)
}

func randomNumber(r *rand.Rand, b []byte, exact bool) []byte {
	switch r.IntN(6) {
	case 0:
		return strconv.AppendInt(b, int64(r.IntN(512)-256), 10)
	case 1:
		return strconv.AppendInt(b, r.Int64N(1<<54)-1<<53, 10)
	case 2:
		return strconv.AppendInt(b, 1<<r.IntN(53)-int64(r.IntN(2)), 10)
	case 3:
		return strconv.AppendFloat(b, r.NormFloat64()*1000, 'g', -1, 64)
	case 4:
		return fmt.Appendf(b, "%d.%de%d", r.IntN(10), r.IntN(1000), r.IntN(12)-8)
	}
	if exact {
		return append(b, "0.1"...)
	}
	return append(b, []string{"-0", "-0.0", "18446744073709551615", "18446744073709551616", "-9223372036854775808", "-9223372036854775809", "9007199254740993", "1e300", "5e-324"}[r.IntN(9)]...)
}

func randomString(r *rand.Rand, b []byte, exact bool) []byte {
	pieces := []string{"a", "hello", "é", "€", "😀", `\n`, `\u0041`, `\u00e9`, `\ud83d\ude00`, `\"`, `\\`, `\/`, " ", "[", "}", ",", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}
	if !exact {
		pieces = append(pieces, `\ud800`, `\udc00`)
	}
	b = append(b, '"')
	for range r.IntN(6) {
		b = append(b, pieces[r.IntN(len(pieces))]...)
	}
	return append(b, '"')
}
