package eio_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/eioparser/eio3"
	"github.com/siokit/siokit/eioparser/jsonp"
	"github.com/siokit/siokit/fuzz/internal/loop"
)

// Each decoder and its model agree about random inputs.

func runEIO(t *testing.T, kind string, check func([]byte) error) {
	t.Helper()
	m := newEIOMaker(t, kind)
	loop.Run(t, func(r *rand.Rand) error { return check(m.input(r)) })
}

func TestEIOTextLoop(t *testing.T)           { runEIO(t, eioText, checkEIOText) }
func TestEIOPayloadLoop(t *testing.T)        { runEIO(t, eioPayload, checkEIOPayload) }
func TestEIOHandshakeLoop(t *testing.T)      { runEIO(t, eioHandshake, checkEIOHandshake) }
func TestEIO3TextLoop(t *testing.T)          { runEIO(t, eio3Text, checkEIO3Text) }
func TestEIO3PayloadLoop(t *testing.T)       { runEIO(t, eio3Payload, checkEIO3Payload) }
func TestEIO3BinaryPayloadLoop(t *testing.T) { runEIO(t, eio3BinaryBody, checkEIO3BinaryPayload) }
func TestEIOJSONPBodyLoop(t *testing.T)      { runEIO(t, eioJSONPFormBody, checkJSONPBody) }
func TestEIOJSONPAnswerLoop(t *testing.T)    { runEIO(t, eioJSONPAnswer, checkJSONPAnswer) }

func TestEIOStreamLoop(t *testing.T) {
	m := newEIOMaker(t, eioStream)
	loop.Run(t, func(r *rand.Rand) error {
		return checkEIOStream(m.input(r), func() int { return 1 + r.IntN(1<<r.IntN(8)) })
	})
}

// No decoder allocates more than eight times its input and 4 KiB: for the
// vectors, for changed ones, and for inputs that repeat one piece many times.
func TestEIOAllocationBound(t *testing.T) {
	decoders := map[string]func([]byte){
		eioText:        func(b []byte) { _, _ = eioparser.DecodeText(b) },
		eioPayload:     func(b []byte) { drain(eioparser.Payload(b)) },
		eioHandshake:   func(b []byte) { _, _ = eioparser.ParseHandshake(b) },
		eio3Text:       func(b []byte) { _, _ = eio3.DecodeText(b) },
		eio3Payload:    func(b []byte) { drain(eio3.Payload(b)) },
		eio3BinaryBody: func(b []byte) { drain(eio3.BinaryPayload(b)) },
		eioStream: func(b []byte) {
			r := eioparser.NewStreamReader(&pieces{rest: b, size: func() int { return 1 << 20 }}, -1)
			for {
				if _, err := r.Next(); err != nil {
					return
				}
			}
		},
		eioJSONPFormBody: func(b []byte) { _, _ = jsonp.DecodeBody(b) },
	}
	r := rand.New(rand.NewPCG(1, 2))
	for kind, decode := range decoders {
		m := newEIOMaker(t, kind)
		inputs := append([][]byte{}, m.vectors...)
		for range 200 {
			inputs = append(inputs, m.input(r))
		}
		for _, piece := range append(eioTokens, `"",`, `"ab",`, "b\x1e", "4\x1e", "bAA==\x1e", "1:4", "2:b4", "\x00\x01\xff4", "\x01\x01\xff\x04", "\x81a", "\x014", "\x01b") {
			for _, wrap := range []string{"%s", `{"sid":"s","pingInterval":1,"pingTimeout":2,"upgrades":[%s""]}`, "d=%s"} {
				text := fmt.Sprintf(wrap, strings.Repeat(piece, 20_000/len(piece)+1))
				inputs = append(inputs, []byte(text), []byte(text[:len(text)/40]))
			}
		}
		for _, input := range inputs {
			if got := loop.Allocated(func() { decode(input) }); got > loop.Bound(len(input)) {
				t.Errorf("%s: %d bytes for %d of input that begins with %.60q", kind, got, len(input), input)
			}
		}
	}
}

func drain(packets func(func(eioparser.Packet, error) bool)) {
	for range packets {
		continue
	}
}
