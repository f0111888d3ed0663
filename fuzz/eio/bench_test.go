package eio_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/eioparser/eio3"
	"github.com/siokit/siokit/fuzz/internal/nodepeer"
	"github.com/siokit/siokit/fuzz/internal/race"
)

// BenchmarkEngineParsers times eioparser and the npm parsers on the same bodies,
// in turns, and prints a table:
//
//	go test -run '^$' -bench EngineParsers -benchtime 1x ./fuzz/eio
func BenchmarkEngineParsers(b *testing.B) {
	race.CollectAsNode(b)
	r := race.NewTable(nodepeer.Start(b, "eio_bench.js"))
	text := func(n int) []byte {
		const event = `42["message",{"id":123,"text":"hello world","tags":["a","b"]}]`
		return []byte(strings.Repeat(event, n/len(event)+1)[:n])
	}
	base64 := func(n int) []byte {
		return eioparser.AppendPacket(nil, eioparser.Packet{Type: eioparser.Message, Binary: true, Data: bytes.Repeat([]byte{0, 127, 255, 13}, n/4)})
	}
	for _, row := range []struct {
		name  string
		frame []byte
	}{
		{"ping", []byte("2")}, {"32 B", text(32)}, {"200 B", text(200)}, {"1 KB", text(1024)}, {"16 KB", text(16 << 10)},
		{"16 KB of Chinese", []byte("4" + strings.Repeat("你好，世界", 16<<10/15))},
		{"1 KB as base64", base64(1024)}, {"16 KB as base64", base64(16 << 10)},
	} {
		p, err := eioparser.DecodeText(row.frame)
		if err != nil {
			b.Fatal(err)
		}
		r.Compare(b, row.name+", decode", race.Theirs{Op: "packet decode", Body: row.frame}, func() error {
			_, err := eioparser.DecodeText(row.frame)
			return err
		})
		dst := make([]byte, 0, len(row.frame))
		r.Compare(b, row.name+", encode", race.Theirs{Op: "packet encode", Body: row.frame}, func() error {
			dst = eioparser.AppendPacket(dst[:0], p)
			return nil
		})
	}

	packets := make([]eioparser.Packet, 100)
	for i := range packets {
		packets[i] = eioparser.Packet{Type: eioparser.Message, Data: text(32)[1:]}
	}
	body := eioparser.AppendPayload(nil, packets...)
	r.Compare(b, "100 packets, decode", race.Theirs{Op: "payload decode", Body: body}, func() error {
		for _, err := range eioparser.Payload(body) {
			if err != nil {
				return err
			}
		}
		return nil
	})
	r.Compare(b, "100 packets, encode", race.Theirs{Op: "payload encode", Body: body}, func() error {
		body = eioparser.AppendPayload(body[:0], packets...)
		return nil
	})
	text3 := eio3.AppendPayload(nil, packets...)
	r.Compare(b, "100 packets, revision 3, decode", race.Theirs{Op: "payload3 decode", Body: text3}, func() error {
		for _, err := range eio3.Payload(text3) {
			if err != nil {
				return err
			}
		}
		return nil
	})
	r.Compare(b, "100 packets, revision 3, encode", race.Theirs{Op: "payload3 encode", Body: text3}, func() error {
		text3 = eio3.AppendPayload(text3[:0], packets...)
		return nil
	})
	packets = append(packets[:99], eioparser.Packet{Type: eioparser.Message, Binary: true, Data: make([]byte, 32)})
	binary3 := eio3.AppendBinaryPayload(nil, packets...)
	r.Compare(b, "100 packets, revision 3, binary, decode", race.Theirs{Op: "binary3 decode", Body: binary3}, func() error {
		for _, err := range eio3.BinaryPayload(binary3) {
			if err != nil {
				return err
			}
		}
		return nil
	})
	r.Compare(b, "100 packets, revision 3, binary, encode", race.Theirs{Op: "binary3 encode", Body: binary3}, func() error {
		binary3 = eio3.AppendBinaryPayload(binary3[:0], packets...)
		return nil
	})
	fmt.Println(r)
}
