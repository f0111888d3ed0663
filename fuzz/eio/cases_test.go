package eio_test

import (
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/siokit/siokit/fuzz/internal/mutate"
	"github.com/siokit/siokit/fuzz/internal/vectors"
)

// The kinds of input that the decoders of eioparser take, and the files with
// vectors of each.
const (
	eioText          = "packets.tsv"
	eioPayload       = "payloads.tsv"
	eioStream        = "streams.tsv"
	eioHandshake     = "handshakes.tsv"
	eio3Text         = "eio3/packets.tsv"
	eio3Payload      = "eio3/payloads.tsv"
	eio3BinaryBody   = "eio3/binarypayloads.tsv"
	eioJSONPAnswer   = "jsonp/answers.tsv"
	eioJSONPFormBody = "jsonp/bodies.tsv"
)

// eioVectors are the wire forms in a file of vectors.
func eioVectors(t testing.TB, kind string) [][]byte {
	t.Helper()
	dir, file := filepath.Split(kind)
	return vectors.Read(t, filepath.Join("..", "..", "eioparser", dir, "testdata", file), func(text string) ([]byte, error) {
		wire, err := strconv.Unquote(text)
		return []byte(wire), err
	})
}

// eioTokens are what a mutation puts in: bytes and pieces that mean something to
// one of the decoders.
var eioTokens = []string{
	"\x1e", "4", "b", "0", "2probe", "6", "7", ":", "1:4", "2:4a", "3:4😀", "b4", "AA==", "AQIDBA==", "A", "=", "+/", "-_", "\n", "\r\n",
	"é", "€", "😀", "\x80", "\xff", "\xed\xa0\x80", "\xc0\xaf", "\xf0\x9f", "\xe2\x82", "\ufeff", "\u2028", "\u2029", "\x00", "\x01", "\x09",
	"\x00\x01\xff4", "\x01\x02\xff\x04a", "\x7e\x00\x02", "\x7f\x00\x00\x00\x00\x00\x00\x00\x02", "\xfe\x00\x02", "\x02", "\x82", "\x7f", "\xff\xff",
	`"`, `\`, `\u0041`, `\ud83d\ude00`, `\ud800`, `{`, `}`, `[`, `]`, `,`, `"sid":"x"`, `"pingInterval":1`, `"pingTimeout":2`, `"maxPayload":3`, `"upgrades":["a","b"]`,
	`null`, `true`, `1e3`, `-1`, `01`, `0.5`, `"x":{}`, "d=", "&", "%", "%5C", "%5Cn", "%5C%5Cn", `\n`, `\\n`, "+", "%41", "%zz", "d=4a",
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "9007199254740991", "9007199254740992", "0000000000000002", "00000000000000002",
}

// eioMaker makes random inputs of one kind.
type eioMaker struct{ vectors [][]byte }

func newEIOMaker(t testing.TB, kind string) eioMaker { return eioMaker{eioVectors(t, kind)} }

// input returns a vector with a few changes, two that were spliced, or a row of
// tokens.
func (m eioMaker) input(r *rand.Rand) []byte {
	var b []byte
	if r.IntN(4) > 0 {
		b = append(b, m.vectors[r.IntN(len(m.vectors))]...)
	}
	if r.IntN(4) == 0 {
		other := m.vectors[r.IntN(len(m.vectors))]
		at := r.IntN(len(b) + 1)
		b = append(b[:at], other[r.IntN(len(other)+1):]...)
	}
	for range r.IntN(5) {
		b = mutate.Bytes(r, b, eioTokens)
	}
	return b
}
