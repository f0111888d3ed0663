package eio3_test

import (
	"fmt"
	"log"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/eioparser/eio3"
)

// Lengths count as JavaScript does: the smiling face is two code units, so with
// the type's digit the second packet is three long.
func ExamplePayload() {
	for p, err := range eio3.Payload([]byte("6:4hello3:4😀6:2probe")) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s %s\n", p.Type, p.Data)
	}
	// Output:
	// message hello
	// message 😀
	// ping probe
}

// A client that did not ask for b64=1 gets a binary body if a packet is binary,
// and text otherwise.
func ExampleAppendBinaryPayload() {
	packets := []eioparser.Packet{
		{Type: eioparser.Message, Data: []byte("hello")},
		{Type: eioparser.Message, Binary: true, Data: []byte{1, 2, 3, 4}},
	}
	fmt.Printf("%q\n", eio3.AppendPayload(nil, packets...))
	fmt.Printf("%q\n", eio3.AppendBinaryPayload(nil, packets...))
	// Output:
	// "6:4hello10:b4AQIDBA=="
	// "\x00\x06\xff4hello\x01\x05\xff\x04\x01\x02\x03\x04"
}
