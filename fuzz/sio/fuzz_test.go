package sio_test

import (
	"bytes"
	"testing"
)

// Native fuzz targets: go test -fuzz=FuzzSIODecode ./fuzz/sio

// FuzzSIODecode reads the messages of a connection, separated by 0x1e; those
// that begin with a letter b are binary.
func FuzzSIODecode(f *testing.F) {
	for _, frames := range sioVectors(f) {
		var input []byte
		for i, frame := range frames {
			if i > 0 {
				input = append(input, 0x1e)
			}
			if frame.Binary {
				input = append(input, 'b')
			}
			input = append(input, frame.Data...)
		}
		f.Add(input)
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		var frames []sioFrame
		for part := range bytes.SplitSeq(input, []byte{0x1e}) {
			data, isBinary := bytes.CutPrefix(part, []byte("b"))
			frames = append(frames, sioFrame{isBinary, data})
		}
		if err := checkSIODecode(frames); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzSIOParseArgs(f *testing.F) {
	for _, seed := range sioArrays(f) {
		f.Add(seed, byte(2))
	}
	f.Fuzz(func(t *testing.T, array []byte, attachments byte) {
		if err := checkSIOParseArgs(array, int(attachments%12)); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzSIOBindAny(f *testing.F) {
	for _, seed := range sioArrays(f) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, array []byte) {
		if err := checkSIOBindAny(array); err != nil {
			t.Fatal(err)
		}
	})
}

// sioArrays are the arrays in the vectors.
func sioArrays(t testing.TB) [][]byte {
	var list [][]byte
	for _, frames := range sioVectors(t) {
		if i := bytes.IndexByte(frames[0].Data, '['); i >= 0 && !frames[0].Binary {
			list = append(list, frames[0].Data[i:])
		}
	}
	return list
}
