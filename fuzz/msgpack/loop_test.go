package msgpack_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/siokit/siokit/fuzz/internal/loop"
	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/sioparser/msgpack"
)

func TestMsgpackLoop(t *testing.T) {
	m := newMsgpackMaker(t)
	loop.Run(t, func(r *rand.Rand) error { return checkMsgpack(m.input(r)) })
}

func TestMsgpackJSONLoop(t *testing.T) {
	loop.Run(t, func(r *rand.Rand) error {
		array, attachments := randomArgs(r, false)
		return checkMsgpackJSON(array, attachments)
	})
}

// randomArgs is a JSON array with attachments.
func randomArgs(r *rand.Rand, exact bool) (array []byte, attachments [][]byte) {
	n := 0
	array = append(array, '[')
	for i := range r.IntN(4) {
		if i > 0 {
			array = append(array, ',')
		}
		array = randomJSON(r, array, 3, &n, exact)
	}
	array = append(array, ']')
	for i := range n {
		attachments = append(attachments, make([]byte, r.IntN(1<<(i%10))))
	}
	return array, attachments
}

func TestMsgpackAllocationBound(t *testing.T) {
	m := newMsgpackMaker(t)
	r := rand.New(rand.NewPCG(1, 2))
	inputs := append([][]byte{}, m.vectors...)
	for range 300 {
		inputs = append(inputs, m.input(r))
	}
	for _, token := range append(msgpackTokens, "\x81\xa0\xc2", "\x81\x64\xc2", "\xa1\x01", "\xc2\xc4\x00") {
		for _, n := range []int{20, 400, 20_000} {
			elements := strings.Repeat(token, n)
			head := []byte("\x83\xa4type\x02\xa3nsp\xa1/\xa4data\xdd\x00\x00\x00\x00\xa1e")
			for count := n / 2; count <= 3*n; count *= 2 {
				head[len(head)-5], head[len(head)-4], head[len(head)-3] = byte(count>>16), byte(count>>8), byte(count)
				inputs = append(inputs, append(head[:len(head):len(head)], elements...))
			}
		}
	}
	for _, input := range inputs {
		got := loop.Allocated(func() { _, _ = msgpack.Codec.NewDecoder(sioparser.Limits{}).Decode(input, true) })
		if got > loop.Bound(len(input)) {
			t.Errorf("%d bytes for %d of input: %.60x…", got, len(input), input)
		}
	}
}
