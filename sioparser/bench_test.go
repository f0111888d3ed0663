package sioparser_test

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/siokit/siokit/sioparser"
)

// object220 is the packet of speed.md's parser figures: an event with one
// object, 220 bytes in all.
const object220 = `2["message",{"id":1234567,"user":"jean-baptiste","room":"lobby","text":"Bonjour tout le monde, comment allez-vous ?","ts":1712345678901,"tags":["a","b","c"],"meta":{"edited":false,"likes":12,"reply":null,"w":0.25}}]`

func packets() map[string]string {
	text := strings.Repeat("The quick brown fox jumps over the lazy dog. ", 40)
	var dense strings.Builder
	dense.WriteString(`2["e",[`)
	for dense.Len() < 990 {
		dense.WriteString(`{"id":12,"x":1.5,"ok":true,"n":null},`)
	}
	dense.WriteString(`0]]`)
	return map[string]string{
		"32B":        `2["message","0123456789abcdef01"]`,
		"220B":       object220,
		"1KB/string": `2["e","` + text[:1000] + `"]`,
		"1KB/object": `2["e",{"id":12345678,"title":"` + text[:400] + `","body":"` + text[:480] + `","at":1712345678901,"tags":["x","y"],"ok":true}]`,
		"1KB/dense":  dense.String(),
		"1KB/utf8":   `2["e","` + strings.Repeat("дé漢", 143) + `"]`,
		"16KB":       `2["e","` + strings.Repeat(text[:1000], 16) + `"]`,
	}
}

func BenchmarkDecode(b *testing.B) {
	for name, packet := range packets() {
		b.Run(name, func(b *testing.B) {
			d := sioparser.Text.NewDecoder(sioparser.Limits{})
			data := []byte(packet)
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := d.Decode(data, false); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkEncodeRaw(b *testing.B) {
	for name, packet := range packets() {
		b.Run(name, func(b *testing.B) {
			d := sioparser.Text.NewDecoder(sioparser.Limits{})
			p, err := d.Decode([]byte(packet), false)
			if err != nil {
				b.Fatal(err)
			}
			buf := make([]byte, 0, 32<<10)
			b.ReportAllocs()
			for b.Loop() {
				if _, _, _, err := sioparser.Text.AppendPacket(buf, p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

type chatMessage struct {
	ID   int      `json:"id"`
	User string   `json:"user"`
	Room string   `json:"room"`
	Text string   `json:"text"`
	TS   int64    `json:"ts"`
	Tags []string `json:"tags"`
	Meta struct {
		Edited bool    `json:"edited"`
		Likes  int     `json:"likes"`
		Reply  *string `json:"reply"`
		W      float64 `json:"w"`
	} `json:"meta"`
}

func sample(b *testing.B) chatMessage {
	d := sioparser.Text.NewDecoder(sioparser.Limits{})
	p, err := d.Decode([]byte(object220), false)
	if err != nil {
		b.Fatal(err)
	}
	var m chatMessage
	if err := sioparser.JSON().Bind(p.Args, &m); err != nil {
		b.Fatal(err)
	}
	return m
}

func BenchmarkEncodeStruct(b *testing.B) {
	m := sample(b)
	b.Run("siokit", func(b *testing.B) {
		v := sioparser.JSON()
		var args sioparser.Args
		buf := make([]byte, 0, 4096)
		p := sioparser.Packet{Type: sioparser.Event, Name: []byte("message")}
		b.ReportAllocs()
		for b.Loop() {
			var err error
			if args, err = v.Append(args.Reset(), &m); err != nil {
				b.Fatal(err)
			}
			p.Args = args
			if _, _, _, err = sioparser.Text.AppendPacket(buf, &p); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("jsonv2", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := json.Marshal(&m); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("jsonv2/invalidUTF8", func(b *testing.B) {
		o := jsontext.AllowInvalidUTF8(true)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := json.Marshal(&m, o); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkBind(b *testing.B) {
	d := sioparser.Text.NewDecoder(sioparser.Limits{})
	p, err := d.Decode([]byte(object220), false)
	if err != nil {
		b.Fatal(err)
	}
	v := sioparser.JSON()
	b.Run("struct", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var m chatMessage
			if err := v.Bind(p.Args, &m); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("struct/jsonv2", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var m chatMessage
			if err := json.Unmarshal(p.Args.Raw(), &m); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("any", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var m any
			if err := v.Bind(p.Args, &m); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("any/jsonv2", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var m any
			if err := json.Unmarshal(p.Args.Raw(), &m); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkBroadcastAny(b *testing.B) {
	v := sioparser.JSON()
	m := map[string]any{"a": 1.0, "b": "x", "c": []any{true, nil, "é"}}
	var args sioparser.Args
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if args, err = v.Append(args.Reset(), m); err != nil {
			b.Fatal(err)
		}
	}
}
