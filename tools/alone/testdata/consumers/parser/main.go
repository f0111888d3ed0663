// Somebody who needs only a parser: a proxy that looks into the packets that it
// passes on. Links only: github.com/siokit/siokit/eioparser,
// github.com/siokit/siokit/sioparser, github.com/go-json-experiment/json
package main

import (
	"fmt"
	"log"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/sioparser"
)

func main() {
	frame, err := eioparser.DecodeText([]byte(`42/chat,17["say","hello",{"n":1}]`))
	if err != nil {
		log.Fatal(err)
	}
	p, err := sioparser.Text.NewDecoder(sioparser.Limits{}).Decode(frame.Data, frame.Binary)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s in %s with id %d: %s\n", p.Name, p.Namespace, p.ID, p.Args.Raw())

	// Output:
	// say in /chat with id 17: "hello",{"n":1}
}
