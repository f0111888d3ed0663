package eio_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/fuzz/internal/loop"
)

// FuzzEIOBase64 compares the base64 of eioparser, some of which is vector code,
// with the standard library's: any bytes, encoded, decoded as they are, and decoded
// with one byte of their encoding changed, at any place in memory.
func FuzzEIOBase64(f *testing.F) {
	for _, n := range []int{0, 1, 2, 3, 23, 24, 27, 28, 48, 63, 100, 1000} {
		data := bytes.Repeat([]byte{0x3e, 0xff, 0x07}, n/3+1)[:n]
		f.Add(data, uint8(n), uint16(n/2), byte('='))
		f.Add([]byte(base64.StdEncoding.EncodeToString(data)), uint8(1), uint16(n), byte('-'))
	}
	f.Fuzz(func(t *testing.T, data []byte, offset uint8, at uint16, changed byte) {
		if err := checkBase64(data, int(offset), int(at), changed); err != nil {
			t.Error(err)
		}
	})
}

func TestEIOBase64Loop(t *testing.T) {
	const specials = "+/=-_AZaz09@[`{:\x00\n\r \x7f\x80\xaf\xff"
	loop.Run(t, func(r *rand.Rand) error {
		data := make([]byte, r.IntN(1<<(1+r.IntN(9))))
		for i := range data {
			data[i] = byte(r.Uint32())
		}
		if r.IntN(4) == 0 {
			data = base64.StdEncoding.AppendEncode(nil, data)
		}
		changed := byte(r.Uint32())
		if r.IntN(2) == 0 {
			changed = specials[r.IntN(len(specials))]
		}
		return checkBase64(data, r.IntN(64), r.IntN(1024), changed)
	})
}

// checkBase64 compares what becomes of data, and of its encoding with the byte at
// at changed. What is decoded lies offset bytes from where memory begins.
func checkBase64(data []byte, offset, at int, changed byte) error {
	text := base64.StdEncoding.EncodeToString(data)
	dst := make([]byte, offset, offset+1+len(text))
	if got := eioparser.AppendPacket(dst, eioparser.Packet{Type: eioparser.Message, Binary: true, Data: data}); string(got[offset:]) != "b"+text {
		return fmt.Errorf("%x is encoded as %s, want b%s", data, got[offset:], text)
	}
	if err := checkBase64Text(data, offset); err != nil {
		return err
	}
	if err := checkBase64Text([]byte(text), offset); err != nil || text == "" {
		return err
	}
	other := []byte(text)
	other[at%len(other)] = changed
	return checkBase64Text(other, offset)
}

// checkBase64Text compares what text is decoded to. The standard library's strict
// decoder skips line breaks; we do not.
func checkBase64Text(text []byte, offset int) error {
	frame := append(append(make([]byte, offset, offset+1+len(text)), 'b'), text...)[offset:]
	p, err := eioparser.DecodeText(frame)
	want, wantErr := base64.StdEncoding.Strict().DecodeString(string(text))
	if wantOK := wantErr == nil && !bytes.ContainsAny(text, "\r\n"); wantOK != (err == nil) || wantOK && !bytes.Equal(p.Data, want) {
		return fmt.Errorf("%q is decoded as %x, %v; the standard library: %x, %v", text, p.Data, err, want, wantErr)
	}
	return nil
}
