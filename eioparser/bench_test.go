package eioparser_test

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/siokit/siokit/eioparser"
)

// benchPackets are those of the comparison with the npm package in fuzz/eio,
// under the same names.
func benchPackets() map[string]eioparser.Packet {
	text := func(n int) eioparser.Packet {
		const event = `2["message",{"id":123,"text":"hello world","tags":["a","b"]}]`
		return eioparser.Packet{Type: eioparser.Message, Data: []byte(strings.Repeat(event, n/len(event)+1)[:n])}
	}
	binary := func(n int) eioparser.Packet {
		return eioparser.Packet{Type: eioparser.Message, Binary: true, Data: bytes.Repeat([]byte{0, 127, 255, 13}, n/4)}
	}
	return map[string]eioparser.Packet{
		"ping":         {Type: eioparser.Ping},
		"text 32 B":    text(32),
		"text 1 KB":    text(1024),
		"text 16 KB":   text(16 * 1024),
		"base64 1 KB":  binary(1024),
		"base64 16 KB": binary(16 * 1024),
	}
}

func BenchmarkDecodePacket(b *testing.B) {
	for name, p := range benchPackets() {
		frame := eioparser.AppendPacket(nil, p)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(frame)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := eioparser.DecodeText(frame); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkEncodePacket(b *testing.B) {
	for name, p := range benchPackets() {
		dst := make([]byte, 0, p.TextLen())
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(p.TextLen()))
			b.ReportAllocs()
			for b.Loop() {
				eioparser.AppendPacket(dst, p)
			}
		})
	}
}

func payloadOf100() []eioparser.Packet {
	p := benchPackets()["text 32 B"]
	packets := make([]eioparser.Packet, 100)
	for i := range packets {
		packets[i] = p
	}
	return packets
}

func BenchmarkDecodePayload(b *testing.B) {
	body := eioparser.AppendPayload(nil, payloadOf100()...)
	b.Run("100 packets", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		b.ReportAllocs()
		for b.Loop() {
			for _, err := range eioparser.Payload(body) {
				if err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}

func BenchmarkEncodePayload(b *testing.B) {
	packets := payloadOf100()
	var dst []byte
	b.Run("100 packets", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			dst = eioparser.AppendPayload(dst[:0], packets...)
		}
		b.SetBytes(int64(len(dst)))
	})
}

func BenchmarkStreamReader(b *testing.B) {
	for _, name := range []string{"text 32 B", "base64 1 KB", "base64 16 KB"} {
		frame := eioparser.AppendStreamPacket(nil, benchPackets()[name])
		b.Run(strings.Replace(name, "base64", "binary", 1), func(b *testing.B) {
			src := &endless{frame: frame}
			r := eioparser.NewStreamReader(src, 0)
			b.SetBytes(int64(len(frame)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := r.Next(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// endless is one frame again and again.
type endless struct {
	frame []byte
	at    int
}

func (e *endless) Read(b []byte) (n int, err error) {
	for n < len(b) {
		if e.at == len(e.frame) {
			e.at = 0
		}
		c := copy(b[n:], e.frame[e.at:])
		n, e.at = n+c, e.at+c
	}
	return n, nil
}

var _ io.Reader = (*endless)(nil)

func BenchmarkParseHandshake(b *testing.B) {
	data := []byte(`{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := eioparser.ParseHandshake(data); err != nil {
			b.Fatal(err)
		}
	}
}
