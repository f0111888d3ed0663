package jsonp_test

import (
	"fmt"
	"log"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/eioparser/jsonp"
)

// A GET request with j=0 is answered by a script.
func ExampleAppend() {
	index, err := jsonp.ParseIndex("0")
	if err != nil {
		log.Fatal(err)
	}
	payload := eioparser.AppendPayload(nil,
		eioparser.Packet{Type: eioparser.Message, Data: []byte(`2["hello"]`)},
		eioparser.Packet{Type: eioparser.Ping})
	fmt.Printf("%s\n", jsonp.Append(nil, index, payload))
	// Output:
	// ___eio[0]("42[\"hello\"]\u001e2");
}

// A POST request carries its payload in the field d of a form.
func ExampleDecodeBody() {
	payload, err := jsonp.DecodeBody([]byte("d=42%5B%22hello%22%5D"))
	if err != nil {
		log.Fatal(err)
	}
	for p, err := range eioparser.Payload(payload) {
		fmt.Printf("%s %s %v\n", p.Type, p.Data, err)
	}
	// Output:
	// message 2["hello"] <nil>
}
