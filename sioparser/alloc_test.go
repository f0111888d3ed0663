package sioparser_test

import (
	"math"
	"runtime"
	"strings"
	"testing"

	"github.com/siokit/siokit/sioparser"
)

// Text packets are decoded and raw arguments encoded without allocating.
func TestTextPacketsDoNotAllocate(t *testing.T) {
	for _, in := range []string{
		`0{"token":"x"}`, `1/admin,`, `2["message"]`, `2/admin,12["message",1,"2",[3],{"4":5},null,7,8]`,
		`2["mess\u0061ge","\ud83d"]`, `3/admin,12["ok"]`, `4{"message":"no"}`,
		`2["x",` + strings.Repeat(`[`, 900) + strings.Repeat(`]`, 900) + `]`,
	} {
		d := sioparser.Text.NewDecoder(sioparser.Limits{})
		data, buf := []byte(in), make([]byte, 0, 4096)
		allocs := testing.AllocsPerRun(100, func() {
			p, err := d.Decode(data, false)
			if err != nil {
				t.Fatal(err)
			}
			if _, _, _, err := sioparser.Text.AppendPacket(buf, p); err != nil {
				t.Fatal(err)
			}
		})
		equal(t, in, allocs, 0)
	}
}

// A binary packet costs its list of attachments and nothing else; sending it
// on costs nothing.
func TestBinaryPacketAllocations(t *testing.T) {
	d := sioparser.Text.NewDecoder(sioparser.Limits{})
	head, attachment, buf := []byte(`51-["x",`+placeholder(0)+`]`), []byte("A"), make([]byte, 0, 4096)
	allocs := testing.AllocsPerRun(100, func() {
		if _, err := d.Decode(head, false); err != nil {
			t.Fatal(err)
		}
		p, err := d.Decode(attachment, true)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, attachments, err := sioparser.Text.AppendPacket(buf, p); err != nil || len(attachments) != 1 {
			t.Fatal(attachments, err)
		}
	})
	equal(t, "allocations", allocs, 1)
}

func TestArgsAllocations(t *testing.T) {
	array := []byte(`["a",{"b":[1,2,3]},4,5,6,7,8]`)
	equal(t, "ParseArgs", testing.AllocsPerRun(100, func() {
		if _, err := sioparser.ParseArgs(array, nil); err != nil {
			t.Fatal(err)
		}
	}), 0)
	a := parse(t, string(array))
	equal(t, "walk", testing.AllocsPerRun(100, func() {
		for raw := range a.All() {
			_ = raw
		}
		_ = a.Slice(2, 6).Len()
	}), 0)
	equal(t, "Clone", testing.AllocsPerRun(100, func() { clone = a.Clone() }), 1)
	var args sioparser.Args
	given := []any{"x", 5, true, []byte("A"), a}
	equal(t, "Append", testing.AllocsPerRun(100, func() {
		var err error
		if args, err = values.Append(args.Reset(), given...); err != nil {
			t.Fatal(err)
		}
	}), 0)
}

var clone sioparser.Args // keeps the compiler from leaving Clone out

// What a decoder allocates for hostile input is at most eight times its length
// and 4 KB.
func TestDecodeAllocationBound(t *testing.T) {
	hostile := map[string]string{
		"brackets":             `2["x",` + strings.Repeat(`[`, 100_000),
		"objects":              `2["x",` + strings.Repeat(`{"":`, 100_000),
		"objects, binary":      `51-["x",` + strings.Repeat(`{"":`, 990),
		"500 objects, binary":  `51-["x",` + strings.Repeat(`{"":`, 500),
		"100 objects, binary":  `51-["x",` + strings.Repeat(`{"":`, 100),
		"placeholders":         `51-["x"` + strings.Repeat(`,{"_placeholder":true}`, 50_000) + `]`,
		"nested placeholders":  `51-["x",` + strings.Repeat(`{"_placeholder":true,"num":0,"":`, 900) + `1` + strings.Repeat(`}`, 900) + `]`,
		"elements":             `2["x"` + strings.Repeat(`,1`, 100_000) + `]`,
		"escaped name":         `2["` + strings.Repeat(`\u0041`, 20_000) + `"]`,
		"escaped keys":         `51-["x",{` + strings.Repeat(`"\u005fplaceholder":1,`, 10_000) + `"":0}]`,
		"long namespace":       `2/` + strings.Repeat(`n`, 100_000),
		"empty":                ``,
		"attachment count":     `599999999-["x"]`,
		"ten attachments":      `510-["x"]`,
		"long head, binary":    `51-["` + strings.Repeat(`x`, 100_000) + `"]`,
		"numbers":              `2["x",` + strings.Repeat(`9`, 100_000) + `]`,
		"deep within 63":       `2` + strings.Repeat(`[`, 63),
		"unfinished string":    `2["` + strings.Repeat(`x`, 100_000),
		"many small documents": `2["x"]` + strings.Repeat(`[]`, 50_000),
	}
	for name, in := range hostile {
		t.Run(name, func(t *testing.T) {
			data := []byte(in)
			got := uint64(math.MaxUint64)
			for range 3 { // the fewest: the runtime's own allocations count, too
				d := sioparser.Text.NewDecoder(sioparser.Limits{})
				got = min(got, allocated(func() { d.Decode(data, false) }))
			}
			if bound := uint64(8*len(data) + 4096); got > bound {
				t.Errorf("%d bytes allocated for %d, more than %d", got, len(data), bound)
			}
		})
	}
}

// allocated returns how many bytes f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// An unusual packet does not make the decoder large for good.
func TestDecoderGivesMemoryBack(t *testing.T) {
	const connections = 100
	large := []string{
		`51-["` + strings.Repeat(`\u0041`, 5000) + `",` + placeholder(0) + `]`,
		`51-["x"` + strings.Repeat(`,`+`{"_placeholder":true,"num":0,"x":1}`, 2000) + `]`,
		`51-["x",` + strings.Repeat(`{"a":`, 900) + `1` + strings.Repeat(`}`, 900) + `]`,
	}
	decoders := make([]sioparser.Decoder, connections)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range decoders {
		d := sioparser.Text.NewDecoder(sioparser.Limits{Attachments: -1})
		for _, in := range large {
			if _, err := d.Decode([]byte(in), false); err != nil {
				t.Fatal(err)
			}
			p, err := d.Decode([]byte("A"), true)
			if err != nil {
				t.Fatal(err)
			}
			*p = sioparser.Packet{}
		}
		decoders[i] = d
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if each := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) / connections; each > 10_000 {
		t.Errorf("%d bytes are kept a decoder", each)
	}
	runtime.KeepAlive(decoders)
}
