package sio_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/fuzz/internal/nodepeer"
	"github.com/siokit/siokit/fuzz/internal/race"
	"github.com/siokit/siokit/sioparser"
)

// BenchmarkParsers times our parsers, the npm packages and encoding/json on the
// same messages, in turns, and prints two tables: of packets, from and to raw
// arguments, and of packets with the Go values that those are bound to.
//
//	go test -run '^$' -bench Parsers -benchtime 1x ./fuzz/sio
func BenchmarkParsers(b *testing.B) {
	race.CollectAsNode(b)
	table := &benchTable{node: nodepeer.Start(b, "sio_bench.js")}
	table.engine(b, "ping", "engine", []byte("2"), 1)
	for _, row := range benchRows() {
		table.packet(b, row)
	}
	event := `42["message","0123456789abcdef0123"]`
	table.engine(b, "payload of 100 packets", "payload", []byte(strings.Repeat(event+"\x1e", 99)+event), 100)
	fmt.Println(table)
}

// benchRow is an event, the Go value of its arguments, and where to bind them.
type benchRow struct {
	name   string
	frames []sioFrame
	value  any
	target func() any
}

type benchObject struct {
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

func benchRows() []benchRow {
	object := benchObject{ID: 1234567, User: "jean-baptiste", Room: "lobby", Text: "Bonjour tout le monde, comment allez", TS: 1712345678901, Tags: []string{"a", "b", "c"}}
	object.Meta.Likes, object.Meta.W = 12, 0.25
	list := make([]benchObject, 5)
	for i := range list {
		list[i] = object
	}
	text := strings.Repeat("The quick brown fox jumps over the lazy dog. ", 365)[:16<<10-16]
	rows := []benchRow{
		{name: "32 B event", value: "0123456789abcdef01", target: func() any { return new(string) }},
		{name: "200 B object", value: &object, target: func() any { return new(benchObject) }},
		{name: "1 KB of objects", value: &list, target: func() any { return new([]benchObject) }},
		{name: "16 KB string", value: text, target: func() any { return new(string) }},
		{name: "binary event, 1 KB", value: bytes.Repeat([]byte{1, 2, 3, 4}, 256), target: func() any { return new([]byte) }},
	}
	for i := range rows {
		args, err := sioValues.Append(sioparser.Args{}, rows[i].value)
		if err != nil {
			panic(err)
		}
		rows[i].frames, err = encodeSIO(&sioparser.Packet{Type: sioparser.Event, Name: []byte("message"), Args: args})
		if err != nil {
			panic(err)
		}
	}
	return rows
}

// benchTable collects what each benchmark measured.
type benchTable struct {
	node            *nodepeer.Peer
	packets, values []string // lines
}

func cell(r race.Result) string {
	return fmt.Sprintf("%s (%d, %d)", nanoseconds(r.NS), r.Bytes, r.Allocs)
}

func nanoseconds(ns float64) string {
	if ns < 10_000 {
		return fmt.Sprintf("%.0f", ns)
	}
	return fmt.Sprintf("%d,%03d", int(ns)/1000, int(ns)%1000)
}

// packet adds the two lines of a row.
func (t *benchTable) packet(b *testing.B, row benchRow) {
	decoder := sioparser.Text.NewDecoder(sioparser.Limits{})
	decode := func() *sioparser.Packet {
		var p *sioparser.Packet
		for _, f := range row.frames {
			var err error
			if p, err = decoder.Decode(f.Data, f.Binary); err != nil {
				b.Fatal(err)
			}
		}
		return p
	}
	array := slices.Clone(row.frames[0].Data[bytes.IndexByte(row.frames[0].Data, '['):])

	name := "decode/" + row.name
	raw := race.Measure(b, name+"/siokit", func() error { decode(); return nil })
	bound := race.Measure(b, name+"/siokit+Bind", func() error { return sioValues.Bind(decode().Args, row.target()) })
	asAny := race.Measure(b, name+"/siokit+Bind(any)", func() error { return sioValues.Bind(decode().Args, new(any)) })
	npm := race.MeasureNode(b, t.node, name+"/npm", race.Theirs{Op: "decode", Messages: toNode(row.frames)})
	std := race.Measure(b, name+"/encoding-json", func() error { var v []any; return json.Unmarshal(array, &v) })
	t.line(row.name+", decode", npm, raw)
	t.valueLine(row.name+", decode", npm, std, bound, asAny)

	p := *decode()
	p.Args = p.Args.Clone()
	buf := make([]byte, 0, 64<<10)
	q := sioparser.Packet{Type: sioparser.Event, Name: p.Name}
	name = "encode/" + row.name
	raw = race.Measure(b, name+"/siokit", func() error { _, _, _, err := sioparser.Text.AppendPacket(buf, &p); return err })
	bound = race.Measure(b, name+"/siokit+Append", func() error {
		var err error
		if q.Args, err = sioValues.Append(q.Args.Reset(), row.value); err != nil {
			return err
		}
		_, _, _, err = sioparser.Text.AppendPacket(buf, &q)
		return err
	})
	npm = race.MeasureNode(b, t.node, name+"/npm", race.Theirs{Op: "encode", Messages: toNode(row.frames)})
	list := []any{"message", row.value}
	std = race.Measure(b, name+"/encoding-json", func() error { _, err := json.Marshal(list); return err })
	t.line(row.name+", encode", npm, raw)
	t.valueLine(row.name+", encode", npm, std, bound)
}

// engine adds the two lines of messages of Engine.IO.
func (t *benchTable) engine(b *testing.B, name, op string, text []byte, packets int) {
	var list []eioparser.Packet
	for p, err := range eioparser.Payload(text) {
		if err != nil {
			b.Fatal(err)
		}
		list = append(list, p)
	}
	if len(list) != packets {
		b.Fatal(len(list))
	}
	message := toNode([]sioFrame{{Data: text}})
	decode := race.Measure(b, "decode/"+name+"/siokit", func() error {
		for _, err := range eioparser.Payload(text) {
			if err != nil {
				return err
			}
		}
		return nil
	})
	npm := race.MeasureNode(b, t.node, "decode/"+name+"/npm", race.Theirs{Op: op + " decode", Messages: message})
	t.line(name+", decode", npm, decode)
	buf := make([]byte, 0, 64<<10)
	encode := race.Measure(b, "encode/"+name+"/siokit", func() error { buf = eioparser.AppendPayload(buf[:0], list...); return nil })
	npm = race.MeasureNode(b, t.node, "encode/"+name+"/npm", race.Theirs{Op: op + " encode", Messages: message})
	t.line(name+", encode", npm, encode)
}

// line adds a line to the table of packets. A factor is npm's time over ours.
func (t *benchTable) line(name string, npm float64, ours race.Result) {
	if npm > 0 { // else the row was not asked for
		t.packets = append(t.packets, fmt.Sprintf("| %s | %s | %s | **%.1f** |", name, cell(ours), nanoseconds(npm), npm/ours.NS))
	}
}

// valueLine adds a line to the table of values. typed may be alone.
func (t *benchTable) valueLine(name string, npm float64, std race.Result, ours ...race.Result) {
	if npm == 0 {
		return
	}
	cells := make([]string, 4)
	for i, r := range ours {
		cells[2*i], cells[2*i+1] = cell(r), fmt.Sprintf("**%.1f**", npm/r.NS)
	}
	t.values = append(t.values, fmt.Sprintf("| %s | %s | %s | %s |", name, strings.Join(cells, " | "), cell(std), nanoseconds(npm)))
}

func (t *benchTable) String() string {
	return "\n| ns (bytes, allocations) | siokit | npm | factor |\n|---|--:|--:|--:|\n" + strings.Join(t.packets, "\n") +
		"\n\n| ns (bytes, allocations) | typed | factor | any | factor | encoding/json | npm |\n|---|--:|--:|--:|--:|--:|--:|\n" + strings.Join(t.values, "\n")
}
