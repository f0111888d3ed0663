package eioparser_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/eioparser/internal/vectors"
)

func TestTextFrameVectors(t *testing.T) {
	for _, v := range vectors.Load(t, "testdata/packets.tsv") {
		t.Run(v.Name, func(t *testing.T) {
			var got vectors.Packets
			p, err := eioparser.DecodeText(v.Wire)
			if err != nil {
				got.Fail(err)
				if p.Data != nil || p.Type != 0 || p.Binary {
					t.Errorf("a packet %+v beside the error", p)
				}
			} else {
				got.Add(byte(p.Type), p.Binary, p.Data)
			}
			if got.String() != v.Meaning {
				t.Fatalf("%q is %s, want %s", v.Wire, got.String(), v.Meaning)
			}
			if err != nil {
				return
			}
			// The grammar has one form for each packet, so writing is the inverse.
			if again := eioparser.AppendPacket([]byte("x"), p); string(again) != "x"+string(v.Wire) {
				t.Errorf("written as %q", again)
			}
			if p.TextLen() != len(v.Wire) {
				t.Errorf("TextLen is %d, want %d", p.TextLen(), len(v.Wire))
			}
		})
	}
}

func TestTextDataAliasesTheFrame(t *testing.T) {
	frame := []byte("4hello")
	p, err := eioparser.DecodeText(frame)
	if err != nil {
		t.Fatal(err)
	}
	frame[1] = 'j'
	if string(p.Data) != "jello" {
		t.Errorf("data is %q, a copy", p.Data)
	}
}

func TestBytesFromBase64AreTheCallersOwn(t *testing.T) {
	frame := []byte("bAQIDBA==")
	p, err := eioparser.DecodeText(frame)
	if err != nil {
		t.Fatal(err)
	}
	clear(frame)
	if !bytes.Equal(p.Data, []byte{1, 2, 3, 4}) || cap(p.Data) != 4 {
		t.Errorf("data is %v with room for %d", p.Data, cap(p.Data))
	}
}

func TestBinaryFrameIsAMessageOfAllItsBytes(t *testing.T) {
	for _, frame := range [][]byte{{}, {0}, []byte("4a"), {0xff, 0xfe}} {
		p := eioparser.DecodeBinary(frame)
		if p.Type != eioparser.Message || !p.Binary || !bytes.Equal(p.Data, frame) {
			t.Errorf("%v became %+v", frame, p)
		}
	}
}

func TestATypeThatDoesNotExistIsWrittenForEveryDecoderToRefuse(t *testing.T) {
	for _, kind := range []eioparser.PacketType{7, 10, 50, 255} {
		frame := eioparser.AppendPacket(nil, eioparser.Packet{Type: kind, Data: []byte("x")})
		if string(frame) != "?x" {
			t.Errorf("type %d is written as %q", kind, frame)
		}
		if _, err := eioparser.DecodeText(frame); !errors.Is(err, eioparser.ErrPacketType) {
			t.Errorf("%q gives %v", frame, err)
		}
	}
}

func TestPacketTypeNames(t *testing.T) {
	want := "open close ping pong message upgrade noop PacketType(7) PacketType(255)"
	var got []string
	for _, kind := range []eioparser.PacketType{0, 1, 2, 3, 4, 5, 6, 7, 255} {
		got = append(got, kind.String())
		if kind.Valid() != (kind <= 6) {
			t.Errorf("%d: Valid is %t", kind, kind.Valid())
		}
	}
	if strings.Join(got, " ") != want {
		t.Errorf("got %s", strings.Join(got, " "))
	}
}
