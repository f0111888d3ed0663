package eio3_test

import (
	"bytes"
	"iter"
	"strings"
	"testing"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/eioparser/eio3"
	"github.com/siokit/siokit/eioparser/internal/vectors"
)

func TestTextFrameVectors(t *testing.T) {
	for _, v := range vectors.Load(t, "testdata/packets.tsv") {
		t.Run(v.Name, func(t *testing.T) {
			var got vectors.Packets
			p, err := eio3.DecodeText(v.Wire)
			if err != nil {
				got.Fail(err)
			} else {
				got.Add(byte(p.Type), p.Binary, p.Data)
			}
			if got.String() != v.Meaning {
				t.Fatalf("%q is %s, want %s", v.Wire, got.String(), v.Meaning)
			}
			if err == nil && string(eio3.AppendText(nil, p)) != string(v.Wire) {
				t.Errorf("written as %q", eio3.AppendText(nil, p))
			}
		})
	}
}

func TestBinaryFrames(t *testing.T) {
	tests := []struct{ frame, want string }{
		{"\x04", `4b""`},
		{"\x04\x01\xff", `4b"\x01\xff"`},
		{"\x00a", `0b"a"`},
		{"\x06", `6b""`},
		{"", "error: empty packet"},
		{"\x07", "error: unknown packet type"},
		{"4", "error: unknown packet type"},
		{"\xff", "error: unknown packet type"},
	}
	for _, test := range tests {
		var got vectors.Packets
		p, err := eio3.DecodeBinary([]byte(test.frame))
		if err != nil {
			got.Fail(err)
		} else {
			got.Add(byte(p.Type), p.Binary, p.Data)
		}
		if got.String() != test.want {
			t.Errorf("%q is %s, want %s", test.frame, got.String(), test.want)
		}
		if err == nil && string(eio3.AppendBinary(nil, p)) != test.frame {
			t.Errorf("%q is written as %q", test.frame, eio3.AppendBinary(nil, p))
		}
	}
}

func TestPayloadVectors(t *testing.T) {
	testPayload(t, "testdata/payloads.tsv", eio3.Payload, eio3.AppendPayload)
}

func TestBinaryPayloadVectors(t *testing.T) {
	testPayload(t, "testdata/binarypayloads.tsv", eio3.BinaryPayload, eio3.AppendBinaryPayload)
}

func testPayload(t *testing.T, path string,
	read func([]byte) iter.Seq2[eioparser.Packet, error],
	write func([]byte, ...eioparser.Packet) []byte,
) {
	for _, v := range vectors.Load(t, path) {
		t.Run(v.Name, func(t *testing.T) {
			got, packets, failed := collect(t, read(v.Wire))
			if got != v.Meaning {
				t.Fatalf("%q is %s, want %s", v.Wire, got, v.Meaning)
			}
			if failed {
				return
			}
			// What was read is written in the shortest form, and reads the same.
			again, _, _ := collect(t, read(write(nil, packets...)))
			if again != v.Meaning {
				t.Errorf("written and read again it is %s", again)
			}
		})
	}
}

func collect(t *testing.T, packets iter.Seq2[eioparser.Packet, error]) (text string, list []eioparser.Packet, failed bool) {
	t.Helper()
	var got vectors.Packets
	for p, err := range packets {
		if failed {
			t.Fatal("the body goes on after an error")
		}
		if failed = err != nil; failed {
			got.Fail(err)
			continue
		}
		got.Add(byte(p.Type), p.Binary, p.Data)
		list = append(list, p)
	}
	return got.String(), list, failed
}

func TestPayloadsAreWrittenAsByTheReference(t *testing.T) {
	packets := []eioparser.Packet{
		{Type: eioparser.Message, Data: []byte("a😀é")},
		{Type: eioparser.Ping, Data: []byte("probe")},
		{Type: eioparser.Message, Binary: true, Data: []byte{1, 2, 3, 4}},
		{Type: eioparser.Message, Data: bytes.Repeat([]byte("é"), 120)},
	}
	long := strings.Repeat("é", 120)
	want := "5:4a😀é6:2probe10:b4AQIDBA==121:4" + long
	if got := eio3.AppendPayload([]byte("x"), packets...); string(got) != "x"+want {
		t.Errorf("text: %q", got)
	}
	want = "\x00\x08\xff4a😀é\x00\x06\xff2probe\x01\x05\xff\x04\x01\x02\x03\x04\x00\x02\x04\x01\xff4" + long
	if got := eio3.AppendBinaryPayload([]byte("x"), packets...); string(got) != "x"+want {
		t.Errorf("binary: %q", got)
	}
	if got := eio3.AppendPayload(nil); string(got) != "0:" {
		t.Errorf("no packets: %q", got)
	}
	if got := eio3.AppendBinaryPayload(nil); len(got) != 0 {
		t.Errorf("no packets, binary: %q", got)
	}
}

func TestReadingStopsWhenTheCallerDoes(t *testing.T) {
	for _, packets := range []iter.Seq2[eioparser.Packet, error]{
		eio3.Payload([]byte("1:41:41:4")),
		eio3.BinaryPayload([]byte("\x00\x01\xff4\x00\x01\xff4\x00\x01\xff4")),
	} {
		count := 0
		for range packets {
			if count++; count == 2 {
				break
			}
		}
		if count != 2 {
			t.Errorf("%d packets", count)
		}
	}
}

func TestPacketDataCannotReachIntoTheNext(t *testing.T) {
	for _, test := range []struct {
		body string
		read func([]byte) iter.Seq2[eioparser.Packet, error]
	}{
		{"2:4a2:4b", eio3.Payload},
		{"\x01\x02\xff\x04a\x00\x02\xff4b", eio3.BinaryPayload},
	} {
		body := []byte(test.body)
		for p, err := range test.read(body) {
			if err != nil {
				t.Fatal(err)
			}
			_ = append(p.Data, "overwritten"...)
		}
		if string(body) != test.body {
			t.Errorf("the body is now %q", body)
		}
	}
}

func TestATypeThatDoesNotExistIsWrittenForEveryDecoderToRefuse(t *testing.T) {
	if got := eio3.AppendText(nil, eioparser.Packet{Type: 7}); string(got) != "?" {
		t.Errorf("text: %q", got)
	}
	if got := eio3.AppendText(nil, eioparser.Packet{Type: 7, Binary: true}); string(got) != "b?" {
		t.Errorf("base64: %q", got)
	}
}

// What decodes text and what writes into a buffer with room allocates nothing.
func TestAllocations(t *testing.T) {
	packets := []eioparser.Packet{
		{Type: eioparser.Ping, Data: []byte("probe")},
		{Type: eioparser.Message, Data: []byte("wörld")},
	}
	text := eio3.AppendPayload(nil, packets...)
	binary := eio3.AppendBinaryPayload(nil, append(packets, eioparser.Packet{Type: eioparser.Message, Binary: true})...)
	dst := make([]byte, 0, 256)
	tests := []struct {
		name string
		run  func()
	}{
		{"DecodeText", func() { must(eio3.DecodeText([]byte("4hello"))) }},
		{"DecodeBinary", func() { must(eio3.DecodeBinary([]byte("\x04hello"))) }},
		{"Payload", func() {
			for p, err := range eio3.Payload(text) {
				must(p, err)
			}
		}},
		{"BinaryPayload", func() {
			for p, err := range eio3.BinaryPayload(binary) {
				must(p, err)
			}
		}},
		{"AppendPayload", func() { _ = eio3.AppendPayload(dst, packets...) }},
		{"AppendBinaryPayload", func() { _ = eio3.AppendBinaryPayload(dst, packets...) }},
	}
	for _, test := range tests {
		if got := testing.AllocsPerRun(100, test.run); got != 0 {
			t.Errorf("%s: %v allocations", test.name, got)
		}
	}
}

func must(_ eioparser.Packet, err error) {
	if err != nil {
		panic(err)
	}
}
