package eioparser_test

import (
	"bytes"
	"testing"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/eioparser/internal/vectors"
)

func TestPayloadVectors(t *testing.T) {
	for _, v := range vectors.Load(t, "testdata/payloads.tsv") {
		t.Run(v.Name, func(t *testing.T) {
			var got vectors.Packets
			var packets []eioparser.Packet
			var failed error
			for p, err := range eioparser.Payload(v.Wire) {
				if failed != nil {
					t.Fatal("the body goes on after an error")
				}
				if failed = err; err != nil {
					got.Fail(err)
					continue
				}
				got.Add(byte(p.Type), p.Binary, p.Data)
				packets = append(packets, p)
			}
			if got.String() != v.Meaning {
				t.Fatalf("%q is %s, want %s", v.Wire, got.String(), v.Meaning)
			}
			if failed != nil {
				return
			}
			if again := eioparser.AppendPayload([]byte("x"), packets...); string(again) != "x"+string(v.Wire) {
				t.Errorf("written as %q", again)
			}
		})
	}
}

func TestPayloadStopsWhenTheCallerDoes(t *testing.T) {
	count := 0
	for range eioparser.Payload([]byte("4a\x1e4b\x1e4c")) {
		if count++; count == 2 {
			break
		}
	}
	if count != 2 {
		t.Errorf("%d packets", count)
	}
}

func TestPayloadMayBeReadAgain(t *testing.T) {
	packets := eioparser.Payload([]byte("4a\x1e4b"))
	for range 2 {
		count := 0
		for range packets {
			count++
		}
		if count != 2 {
			t.Errorf("%d packets", count)
		}
	}
}

func TestPacketDataCannotReachIntoTheNext(t *testing.T) {
	body := []byte("4a\x1e4b")
	for p, err := range eioparser.Payload(body) {
		if err != nil {
			t.Fatal(err)
		}
		_ = append(p.Data, "overwritten"...)
	}
	if !bytes.Equal(body, []byte("4a\x1e4b")) {
		t.Errorf("the body is now %q", body)
	}
}

func TestAPayloadOfNoPacketsIsNothing(t *testing.T) {
	if body := eioparser.AppendPayload([]byte("x")); string(body) != "x" {
		t.Errorf("got %q", body)
	}
}

func TestHalfAMillionPacketsInOneBody(t *testing.T) {
	body := bytes.Repeat([]byte("4\x1e"), 500_000)
	body = body[:len(body)-1]
	count := 0
	allocs := testing.AllocsPerRun(1, func() {
		count = 0
		for p, err := range eioparser.Payload(body) {
			if err != nil || p.Type != eioparser.Message {
				t.Fatal(p, err)
			}
			count++
		}
	})
	if count != 500_000 || allocs != 0 {
		t.Errorf("%d packets, %v allocations", count, allocs)
	}
}

func TestAppendPayloadMakesRoomOnce(t *testing.T) {
	packets := []eioparser.Packet{
		{Type: eioparser.Message, Data: make([]byte, 5000)},
		{Type: eioparser.Message, Binary: true, Data: make([]byte, 5000)},
		{Type: eioparser.Ping},
	}
	body := eioparser.AppendPayload(nil, packets...)
	// The allocator rounds up by an eighth at most; growing by doubling would not.
	if n := len(body); n != 5001+1+6669+1+1 || cap(body) > n+n/8 {
		t.Errorf("%d bytes with room for %d", len(body), cap(body))
	}
}
