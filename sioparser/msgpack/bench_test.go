package msgpack_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/sioparser/msgpack"
)

func benchPackets(b *testing.B) map[string]sioparser.Packet {
	event := func(array string, attachments ...[]byte) sioparser.Packet {
		return sioparser.Packet{Type: sioparser.Event, Name: []byte("message"), Args: args(b, array, attachments...)}
	}
	object := `{"id":123456,"user":"alice","text":"hello world, how are you today?","tags":["a","b","c"],"at":1700000000000,"seen":false,"ratio":0.75,"nested":{"x":1,"y":2,"label":"point"}}`
	return map[string]sioparser.Packet{
		"ack":           {Type: sioparser.Ack, HasID: true, ID: 7, Args: args(b, `["ok"]`)},
		"32 B":          event(`["hello world"]`),
		"200 B":         event(`[` + object + `]`),
		"1 KB":          event(`[` + object + strings.Repeat(`,`+object, 4) + `]`),
		"1,000 numbers": event(`[[1.5` + strings.Repeat(`,-2.25,70000`, 500) + `]]`),
		"16 KB string":  event(fmt.Sprintf(`[%q]`, strings.Repeat("x", 16*1024))),
		"1 KB binary":   event(`[{"_placeholder":true,"num":0}]`, make([]byte, 1024)),
	}
}

func BenchmarkDecode(b *testing.B) {
	for name, p := range benchPackets(b) {
		b.Run(name, func(b *testing.B) {
			wire, _, _, err := msgpack.Codec.AppendPacket(nil, &p)
			if err != nil {
				b.Fatal(err)
			}
			d := msgpack.Codec.NewDecoder(sioparser.Limits{})
			b.SetBytes(int64(len(wire)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := d.Decode(wire, true); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkEncode(b *testing.B) {
	for name, p := range benchPackets(b) {
		b.Run(name, func(b *testing.B) {
			dst, _, _, err := msgpack.Codec.AppendPacket(nil, &p)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(dst)))
			b.ReportAllocs()
			for b.Loop() {
				if dst, _, _, err = msgpack.Codec.AppendPacket(dst[:0], &p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
