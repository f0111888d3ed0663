package eio_test

import "testing"

// Native fuzz targets, one a decoder: go test -fuzz=FuzzEIOPayload ./fuzz/eio

func fuzzEIO(f *testing.F, kind string, check func([]byte) error) {
	for _, seed := range eioVectors(f, kind) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		if err := check(input); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzEIOText(f *testing.F)           { fuzzEIO(f, eioText, checkEIOText) }
func FuzzEIOPayload(f *testing.F)        { fuzzEIO(f, eioPayload, checkEIOPayload) }
func FuzzEIOHandshake(f *testing.F)      { fuzzEIO(f, eioHandshake, checkEIOHandshake) }
func FuzzEIO3Text(f *testing.F)          { fuzzEIO(f, eio3Text, checkEIO3Text) }
func FuzzEIO3Payload(f *testing.F)       { fuzzEIO(f, eio3Payload, checkEIO3Payload) }
func FuzzEIO3BinaryPayload(f *testing.F) { fuzzEIO(f, eio3BinaryBody, checkEIO3BinaryPayload) }
func FuzzEIOJSONPBody(f *testing.F)      { fuzzEIO(f, eioJSONPFormBody, checkJSONPBody) }
func FuzzEIOJSONPAnswer(f *testing.F)    { fuzzEIO(f, eioJSONPAnswer, checkJSONPAnswer) }

// FuzzEIOStream reads each stream in pieces of the given size.
func FuzzEIOStream(f *testing.F) {
	for i, seed := range eioVectors(f, eioStream) {
		f.Add(seed, byte(i%4))
	}
	f.Fuzz(func(t *testing.T, stream []byte, size byte) {
		if err := checkEIOStream(stream, func() int { return int(size) }); err != nil {
			t.Fatal(err)
		}
	})
}
