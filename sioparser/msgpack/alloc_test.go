//go:build !race

// The race detector makes a sync.Pool forget what it holds.

package msgpack_test

import (
	"testing"

	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/sioparser/msgpack"
)

func TestDecodingAllocatesNothingInASteadyState(t *testing.T) {
	encoded := func(p sioparser.Packet) []byte {
		wire, _, _, err := msgpack.Codec.AppendPacket(nil, &p)
		if err != nil {
			t.Fatal(err)
		}
		return wire
	}
	wire := [][]byte{
		encoded(sioparser.Packet{Type: sioparser.Event, Namespace: "/chat", Name: []byte("message"), Args: args(t, `["hello",{"a":[1,2.5,null]}]`)}),
		encoded(sioparser.Packet{Type: sioparser.Ack, HasID: true, ID: 4, Args: args(t, `["ok"]`)}),
		encoded(sioparser.Packet{Type: sioparser.Connect, Payload: []byte(`{"token":"x"}`)}),
	}
	d := msgpack.Codec.NewDecoder(sioparser.Limits{})
	if got := testing.AllocsPerRun(100, func() {
		for _, message := range wire {
			if _, err := d.Decode(message, true); err != nil {
				t.Fatal(err)
			}
		}
	}); got != 0 {
		t.Errorf("%v allocations", got)
	}
}

func TestEncodingAllocatesNothingInASteadyState(t *testing.T) {
	p := sioparser.Packet{Type: sioparser.Event, Namespace: "/chat", Name: []byte("message"), HasID: true, ID: 1000,
		Args: args(t, `["hello\n",{"a":[1,2.5,null,{"_placeholder":true,"num":0}]}]`, []byte{1, 2, 3})}
	dst := make([]byte, 0, 512)
	if got := testing.AllocsPerRun(100, func() {
		if _, _, _, err := msgpack.Codec.AppendPacket(dst, &p); err != nil {
			t.Fatal(err)
		}
	}); got > 0.5 { // a garbage collection may empty the pool
		t.Errorf("%v allocations", got)
	}
}
