package fuzz_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/fuzz/internal/nodepeer"
	"github.com/siokit/siokit/sioparser"
)

// BenchmarkParsers times our parsers, the npm packages and encoding/json on the
// same messages, in turns, and prints a table:
//
//	go test -run '^$' -bench Parsers -benchtime 1x ./fuzz
func BenchmarkParsers(b *testing.B) {
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
	node  *nodepeer.Peer
	lines []string
}

// result is one cell.
type result struct {
	ns            float64
	bytes, allocs uint64
}

func (r result) String() string {
	return fmt.Sprintf("%s (%d B, %d)", nanoseconds(r.ns), r.bytes, r.allocs)
}

func nanoseconds(ns float64) string {
	if ns < 10_000 {
		return fmt.Sprintf("%.0f", ns)
	}
	return fmt.Sprintf("%.0f,%03.0f", float64(int(ns)/1000), float64(int(ns)%1000))
}

// Each operation is timed in short rounds and the fastest counts: other work on
// the machine can only make a round slower. Collecting garbage does too, for both
// sides.
const (
	benchRounds = 150
	benchRound  = 3 * time.Millisecond
)

// time runs operation as a benchmark of that name.
func (t *benchTable) time(b *testing.B, name string, operation func() error) (r result) {
	b.Run(name, func(b *testing.B) {
		r.ns = math.Inf(1)
		n := 1
		for round := 0; round < benchRounds; {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			begin := time.Now()
			for range n {
				if err := operation(); err != nil {
					b.Fatal(err)
				}
			}
			elapsed := time.Since(begin)
			runtime.ReadMemStats(&after)
			if elapsed < benchRound {
				n *= 2
				continue
			}
			round++
			r.ns = min(r.ns, float64(elapsed.Nanoseconds())/float64(n))
			r.bytes = (after.TotalAlloc - before.TotalAlloc) / uint64(n)
			r.allocs = (after.Mallocs - before.Mallocs) / uint64(n)
		}
		b.ReportMetric(r.ns, "ns/op")
		b.ReportMetric(float64(r.bytes), "B/op")
		b.ReportMetric(float64(r.allocs), "allocs/op")
	})
	return r
}

type timeCase struct {
	Op           string        `json:"op"`
	Messages     []nodeMessage `json:"messages"`
	Rounds       int           `json:"rounds"`
	Milliseconds int64         `json:"milliseconds"` // each round takes at least
}

// npm times an operation of node/sio_bench.js.
func (t *benchTable) npm(b *testing.B, name, op string, frames []sioFrame) (ns float64) {
	b.Run(name, func(b *testing.B) {
		results, err := nodepeer.Call[timeCase, struct {
			NS    float64 `json:"ns"`
			Error string  `json:"error"`
		}](t.node, "time", []timeCase{{op, toNode(frames), benchRounds, benchRound.Milliseconds()}})
		if err != nil || results[0].Error != "" {
			b.Fatal(err, results)
		}
		ns = results[0].NS
		b.ReportMetric(ns, "ns/op")
	})
	return ns
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
	raw := t.time(b, name+"/siokit", func() error { decode(); return nil })
	bound := t.time(b, name+"/siokit+Bind", func() error { return sioValues.Bind(decode().Args, row.target()) })
	asAny := t.time(b, name+"/siokit+Bind(any)", func() error { return sioValues.Bind(decode().Args, new(any)) })
	npm := t.npm(b, name+"/npm", "decode", row.frames)
	std := t.time(b, name+"/encoding-json", func() error { var v []any; return json.Unmarshal(array, &v) })
	t.line(row.name+", decode", raw, npm, raw.String(), bound.String(), asAny.String(), std.String())

	p := *decode()
	p.Args = p.Args.Clone()
	buf := make([]byte, 0, 64<<10)
	q := sioparser.Packet{Type: sioparser.Event, Name: p.Name}
	name = "encode/" + row.name
	raw = t.time(b, name+"/siokit", func() error { _, _, _, err := sioparser.Text.AppendPacket(buf, &p); return err })
	bound = t.time(b, name+"/siokit+Append", func() error {
		var err error
		if q.Args, err = sioValues.Append(q.Args.Reset(), row.value); err != nil {
			return err
		}
		_, _, _, err = sioparser.Text.AppendPacket(buf, &q)
		return err
	})
	npm = t.npm(b, name+"/npm", "encode", row.frames)
	list := []any{"message", row.value}
	std = t.time(b, name+"/encoding-json", func() error { _, err := json.Marshal(list); return err })
	t.line(row.name+", encode", bound, npm, raw.String(), bound.String(), "", std.String())
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
	decode := t.time(b, "decode/"+name+"/siokit", func() error {
		for _, err := range eioparser.Payload(text) {
			if err != nil {
				return err
			}
		}
		return nil
	})
	npm := t.npm(b, "decode/"+name+"/npm", op+" decode", []sioFrame{{Data: text}})
	t.line(name+", decode", decode, npm, decode.String(), "", "", "")
	buf := make([]byte, 0, 64<<10)
	encode := t.time(b, "encode/"+name+"/siokit", func() error { buf = eioparser.AppendPayload(buf[:0], list...); return nil })
	npm = t.npm(b, "encode/"+name+"/npm", op+" encode", []sioFrame{{Data: text}})
	t.line(name+", encode", encode, npm, encode.String(), "", "", "")
}

// line adds a line; the factor is npm's time over ours.
func (t *benchTable) line(name string, ours result, npm float64, cells ...string) {
	t.lines = append(t.lines, fmt.Sprintf("| %s | %s | %s | **%.1f** |", name, strings.Join(cells, " | "), nanoseconds(npm), npm/ours.ns))
}

func (t *benchTable) String() string {
	return "\n| ns (bytes, allocations) | raw arguments | Go values | any | encoding/json | npm | factor |\n|---|--:|--:|--:|--:|--:|--:|\n" + strings.Join(t.lines, "\n")
}
