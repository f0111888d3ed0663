package eioparser_test

import (
	"errors"
	"math"
	"testing"

	"github.com/siokit/siokit/eioparser"
)

func TestStreamHeaders(t *testing.T) {
	tests := []struct {
		length int
		binary bool
		want   string
	}{
		{1, false, "\x01"},
		{125, false, "\x7d"},
		{126, false, "\x7e\x00\x7e"},
		{65_535, false, "\x7e\xff\xff"},
		{65_536, false, "\x7f\x00\x00\x00\x00\x00\x01\x00\x00"},
		{1, true, "\x81"},
		{125, true, "\xfd"},
		{126, true, "\xfe\x00\x7e"},
		{1 << 30, true, "\xff\x00\x00\x00\x00\x40\x00\x00\x00"},
	}
	for _, test := range tests {
		header := eioparser.AppendStreamHeader([]byte("x"), test.length, test.binary)[1:]
		if string(header) != test.want {
			t.Errorf("%d, %t: %q", test.length, test.binary, header)
		}
		length, binary, size, err := eioparser.ParseStreamHeader(append(header, "more"...), -1)
		if length != int64(test.length) || binary != test.binary || size != len(header) || err != nil {
			t.Errorf("%q is read as %d, %t, %d, %v", header, length, binary, size, err)
		}
		for i := range header {
			if _, _, size, err := eioparser.ParseStreamHeader(header[:i], -1); size != 0 || err != nil {
				t.Errorf("%q is read as a whole header: %d, %v", header[:i], size, err)
			}
		}
	}
}

func TestStreamHeaderLimits(t *testing.T) {
	greatest := "\x7f\x00\x1f\xff\xff\xff\xff\xff\xff" // 2^53-1
	tests := []struct {
		header string
		limit  int64
		want   error
	}{
		{"\x05", 5, nil},
		{"\x06", 5, eioparser.ErrFrameSize},
		{"\x01", 0, eioparser.ErrFrameSize},
		{"\x00", 5, eioparser.ErrEmptyPacket},
		{"\x80", -1, eioparser.ErrEmptyPacket},
		{greatest, -1, nil},
		{greatest, math.MaxInt64, nil},
		{"\x7f\x00\x20\x00\x00\x00\x00\x00\x00", -1, eioparser.ErrFrameSize},
		{"\x7f\xff\xff\xff\xff\xff\xff\xff\xff", math.MaxInt64, eioparser.ErrFrameSize},
	}
	for _, test := range tests {
		_, _, size, err := eioparser.ParseStreamHeader([]byte(test.header), test.limit)
		if !errors.Is(err, test.want) || size != len(test.header) {
			t.Errorf("%q, limit %d: %d, %v", test.header, test.limit, size, err)
		}
	}
}

func TestStreamPacketForms(t *testing.T) {
	tests := []struct {
		packet eioparser.Packet
		want   string
	}{
		{eioparser.Packet{Type: eioparser.Open}, "\x010"},
		{eioparser.Packet{Type: eioparser.Message, Data: []byte("€")}, "\x044€"},
		{eioparser.Packet{Type: eioparser.Message, Binary: true, Data: []byte{1, 2}}, "\x82\x01\x02"},
		{eioparser.Packet{Type: eioparser.Message, Binary: true}, "\x01b"},
	}
	for _, test := range tests {
		if got := eioparser.AppendStreamPacket(nil, test.packet); string(got) != test.want {
			t.Errorf("%+v is written as %q", test.packet, got)
		}
	}
}
