package eioparser_test

import (
	"bytes"
	"errors"
	"iter"
	"strings"
	"testing"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/eioparser/eio3"
	"github.com/siokit/siokit/eioparser/jsonp"
)

// Each error of the module, by what leads to it in each place.
func TestErrors(t *testing.T) {
	text := func(frame string) func() error {
		return func() error { _, err := eioparser.DecodeText([]byte(frame)); return err }
	}
	last := func(packets iter.Seq2[eioparser.Packet, error]) func() error {
		return func() (err error) {
			for _, err = range packets {
			}
			return err
		}
	}
	payload := func(body string) func() error { return last(eioparser.Payload([]byte(body))) }
	payload3 := func(body string) func() error { return last(eio3.Payload([]byte(body))) }
	binary3 := func(body string) func() error { return last(eio3.BinaryPayload([]byte(body))) }
	stream := func(frames string, limit int64) func() error {
		return func() error {
			_, err := eioparser.NewStreamReader(bytes.NewReader([]byte(frames)), limit).Next()
			return err
		}
	}
	handshake := func(data string) func() error {
		return func() error { _, err := eioparser.ParseHandshake([]byte(data)); return err }
	}
	for _, c := range []struct {
		name string
		want eioparser.Error
		from func() error
	}{
		{"ErrEmptyPacket/frame", eioparser.ErrEmptyPacket, text("")},
		{"ErrEmptyPacket/payload", eioparser.ErrEmptyPacket, payload("4a\x1e")},
		{"ErrEmptyPacket/stream", eioparser.ErrEmptyPacket, stream("\x00", 0)},
		{"ErrEmptyPacket/revision 3", eioparser.ErrEmptyPacket, payload3("0:1:4")},
		{"ErrPacketType/frame", eioparser.ErrPacketType, text("7")},
		{"ErrPacketType/payload", eioparser.ErrPacketType, payload("4\x1e-")},
		{"ErrPacketType/revision 3", eioparser.ErrPacketType, payload3("1:7")},
		{"ErrPacketType/revision 3, binary", eioparser.ErrPacketType, binary3("\x01\x01\xff\x07")},
		{"ErrUTF8/frame", eioparser.ErrUTF8, text("4\xff")},
		{"ErrUTF8/stream", eioparser.ErrUTF8, stream("\x024\xff", 0)},
		{"ErrUTF8/revision 3", eioparser.ErrUTF8, payload3("2:4\xff")},
		{"ErrBase64/frame", eioparser.ErrBase64, text("bAQ")},
		{"ErrBase64/payload", eioparser.ErrBase64, payload("bAQ-_")},
		{"ErrBase64/revision 3", eioparser.ErrBase64, payload3("6:b4AQ=A")},
		{"ErrFrameSize/over the limit", eioparser.ErrFrameSize, stream("\x054abcd", 4)},
		{"ErrFrameSize/over the default", eioparser.ErrFrameSize, stream("\x7f\x00\x00\x00\x00\x00\x0f\x42\x41", 0)},
		{"ErrFrameSize/over all numbers", eioparser.ErrFrameSize, stream("\x7f\x00\x20\x00\x00\x00\x00\x00\x00", -1)},
		{"ErrHandshake/no object", eioparser.ErrHandshake, handshake(`[]`)},
		{"ErrHandshake/no sid", eioparser.ErrHandshake, handshake(`{"pingInterval":1,"pingTimeout":1}`)},
		{"ErrLength/no digits", eioparser.ErrLength, payload3("x:4")},
		{"ErrLength/beyond the body", eioparser.ErrLength, payload3("3:4a")},
		{"ErrLength/within a character", eioparser.ErrLength, payload3("2:4😀")},
		{"ErrLength/binary", eioparser.ErrLength, binary3("\x00\x05\xff4")},
		{"ErrJSONP/no field", eioparser.ErrJSONP, func() error { _, err := jsonp.DecodeBody([]byte("e=4")); return err }},
		{"ErrJSONP/index", eioparser.ErrJSONP, func() error { _, err := jsonp.ParseIndex("1x"); return err }},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.from()
			if !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			var bad eioparser.Error
			if !errors.As(err, &bad) || !strings.HasPrefix(err.Error(), "eioparser: ") {
				t.Errorf("%q is no error of this module", err)
			}
		})
	}
}
