package msgpack_test

import (
	"fmt"
	"log"

	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/sioparser/msgpack"
)

// A packet with a buffer is one message.
func ExampleCodec() {
	values := sioparser.JSON()
	args, err := values.Append(sioparser.Args{}, "hello", map[string]any{"file": []byte{1, 2, 3}})
	if err != nil {
		log.Fatal(err)
	}
	message, _, _, err := msgpack.Codec.AppendPacket(nil, &sioparser.Packet{
		Type: sioparser.Event, Name: []byte("upload"), Args: args,
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%q\n", message)

	decoder := msgpack.Codec.NewDecoder(sioparser.Limits{})
	packet, err := decoder.Decode(message, true)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s %s %s\n", packet.Type, packet.Name, packet.Args.Raw())

	var text string
	var object struct {
		File []byte `json:"file"`
	}
	if err := values.Bind(packet.Args, &text, &object); err != nil {
		log.Fatal(err)
	}
	fmt.Println(text, object.File)
	// Output:
	// "\x83\xa4type\x02\xa4data\x93\xa6upload\xa5hello\x81\xa4file\xc4\x03\x01\x02\x03\xa3nsp\xa1/"
	// EVENT upload "hello",{"file":{"_placeholder":true,"num":0}}
	// hello [1 2 3]
}

// Arguments from a message bus, and back to it.
func ExampleToArgs() {
	fromBus := []byte("\x92\xa5hello\xc4\x02\x01\x02")
	args, err := msgpack.ToArgs(fromBus, sioparser.Limits{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s with %v\n", args.AppendArray(nil), args.Attachments())
	fmt.Printf("%q\n", msgpack.AppendFromArgs(nil, args))
	// Output:
	// ["hello",{"_placeholder":true,"num":0}] with [[1 2]]
	// "\x92\xa5hello\xc4\x02\x01\x02"
}
