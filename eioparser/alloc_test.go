package eioparser_test

import (
	"bytes"
	"testing"

	"github.com/siokit/siokit/eioparser"
)

// What decodes text and what writes into a buffer with room allocates nothing.
func TestAllocations(t *testing.T) {
	text := []byte("4" + `{"hello":"wörld"}`)
	body := bytes.Repeat([]byte("4hello\x1e"), 100)
	body = body[:len(body)-1]
	binary := eioparser.Packet{Type: eioparser.Message, Binary: true, Data: make([]byte, 1000)}
	packets := []eioparser.Packet{{Type: eioparser.Ping}, {Type: eioparser.Message, Data: text}, binary}
	handshake := eioparser.Handshake{SID: "lv_VI97HAXpY6yYWAAAC", Upgrades: []string{"websocket"}}
	stream := bytes.NewReader(nil)
	frames := bytes.Repeat(eioparser.AppendStreamPacket(nil, packets[1]), 50)
	reader := eioparser.NewStreamReader(stream, 0)
	dst := make([]byte, 0, 4096)

	tests := []struct {
		name string
		want float64
		run  func()
	}{
		{"DecodeText", 0, func() { must(eioparser.DecodeText(text)) }},
		{"DecodeText, error", 0, func() { _, _ = eioparser.DecodeText(text[1:]) }},
		{"DecodeText, base64", 1, func() { must(eioparser.DecodeText([]byte("bAQIDBA=="))) }},
		{"DecodeBinary", 0, func() { _ = eioparser.DecodeBinary(text) }},
		{"Payload", 0, func() {
			for p, err := range eioparser.Payload(body) {
				must(p, err)
			}
		}},
		{"AppendPacket", 0, func() { _ = eioparser.AppendPacket(dst, packets[1]) }},
		{"AppendPacket, base64", 0, func() { _ = eioparser.AppendPacket(dst, binary) }},
		{"AppendPayload", 0, func() { _ = eioparser.AppendPayload(dst, packets...) }},
		{"AppendStreamPacket", 0, func() { _ = eioparser.AppendStreamPacket(dst, binary) }},
		{"AppendJSON", 0, func() { _ = handshake.AppendJSON(dst) }},
		{"StreamReader, text", 0, func() {
			stream.Reset(frames)
			for range 50 {
				must(reader.Next())
			}
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := testing.AllocsPerRun(100, test.run); got != test.want {
				t.Errorf("%v allocations, want %v", got, test.want)
			}
		})
	}
}

func must(_ eioparser.Packet, err error) {
	if err != nil {
		panic(err)
	}
}
