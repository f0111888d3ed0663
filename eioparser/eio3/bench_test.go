package eio3_test

import (
	"bytes"
	"testing"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/eioparser/eio3"
)

func benchPayload(text string) []eioparser.Packet {
	packets := make([]eioparser.Packet, 100)
	for i := range packets {
		packets[i] = eioparser.Packet{Type: eioparser.Message, Data: bytes.Repeat([]byte(text), 32/len(text))}
	}
	return packets
}

func BenchmarkPayload(b *testing.B) {
	for name, text := range map[string]string{"ASCII": "hell", "two bytes": "éé", "four bytes": "😀"} {
		packets := benchPayload(text)
		body := eio3.AppendPayload(nil, packets...)
		b.Run("decode 100 packets, "+name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				for _, err := range eio3.Payload(body) {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
		})
		b.Run("encode 100 packets, "+name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			dst := make([]byte, 0, len(body)+1024)
			for b.Loop() {
				dst = eio3.AppendPayload(dst[:0], packets...)
			}
		})
	}
}
