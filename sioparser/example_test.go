package sioparser_test

import (
	"encoding/hex"
	"fmt"
	"log"
	"strings"

	"github.com/siokit/siokit/sioparser"
)

// A captured session is read: one decoder for each direction, since a packet
// with attachments is more than one message.
func Example_capturedSession() {
	// Messages of Engine.IO, binary ones in hexadecimal.
	capture := []struct{ from, text, binary string }{
		{from: "client", text: `0/chat,{"token":"secret"}`},
		{from: "server", text: `0/chat,{"sid":"oSO0OpakMV_3jnilAAAA"}`},
		{from: "client", text: `2/chat,0["join","lobby"]`},
		{from: "server", text: `3/chat,0[{"members":12}]`},
		{from: "server", text: `51-/chat,["avatar","ada",{"_placeholder":true,"num":0}]`},
		{from: "client", text: `2/chat,["typing"]`},
		{from: "server", binary: `89504e47`},
		{from: "client", text: `1/chat,`},
	}
	decoders := map[string]sioparser.Decoder{
		"client": sioparser.Text.NewDecoder(sioparser.Limits{}),
		"server": sioparser.Text.NewDecoder(sioparser.Limits{}),
	}
	for _, message := range capture {
		data, isBinary := []byte(message.text), false
		if message.binary != "" {
			data, _ = hex.DecodeString(message.binary)
			isBinary = true
		}
		p, err := decoders[message.from].Decode(data, isBinary)
		if err != nil {
			log.Fatal(err) // the peer broke the protocol
		}
		if p == nil {
			continue // attachments are due
		}
		fmt.Printf("%s %v %s", message.from, p.Type, p.Namespace)
		if p.HasID {
			fmt.Printf(" id %d", p.ID)
		}
		if p.Name != nil {
			fmt.Printf(" %q", p.Name)
		}
		for raw := range p.Args.All() {
			fmt.Printf(" %s", raw)
		}
		for _, b := range p.Args.Attachments() {
			fmt.Printf(" (%d bytes)", len(b))
		}
		if p.Payload != nil {
			fmt.Printf(" %s", p.Payload)
		}
		fmt.Println()
	}
	// Output:
	// client CONNECT /chat {"token":"secret"}
	// server CONNECT /chat {"sid":"oSO0OpakMV_3jnilAAAA"}
	// client EVENT /chat id 0 "join" "lobby"
	// server ACK /chat id 0 {"members":12}
	// client EVENT /chat "typing"
	// server BINARY_EVENT /chat "avatar" "ada" {"_placeholder":true,"num":0} (4 bytes)
	// client DISCONNECT /chat
}

// A proxy censors the text of "message" events and relays everything else as
// it came: no other argument is parsed, and attachments are not copied.
func Example_proxy() {
	type message struct {
		Room string `json:"room"`
		Text string `json:"text"`
	}
	values := sioparser.JSON()
	decoder := sioparser.Text.NewDecoder(sioparser.Limits{})

	relay := func(data []byte, isBinary bool) error {
		p, err := decoder.Decode(data, isBinary)
		if p == nil || err != nil {
			return err
		}
		if string(p.Name) == "message" && p.Args.Len() > 0 {
			var m message
			if err := values.Bind(p.Args, &m); err != nil {
				return err
			}
			m.Text = strings.ReplaceAll(m.Text, "damn", "****")
			// The first argument is new, the others follow as they are.
			rest := p.Args.Slice(1, p.Args.Len())
			if p.Args, err = values.Append(sioparser.Args{}, m, rest); err != nil {
				return err
			}
		}
		head, _, attachments, err := sioparser.Text.AppendPacket(nil, p)
		if err != nil {
			return err
		}
		fmt.Printf("%s\n", head)
		for _, b := range attachments {
			fmt.Printf("<%x>\n", b)
		}
		return nil
	}

	for _, in := range []string{
		`2["status",{"big":9007199254740993,"odd":"\ud83d"}]`,
		`2["message",{"room":"lobby","text":"damn it"},[1.0, 2]]`,
		`52-["message",{"room":"lobby","text":"look"},{"_placeholder":true,"num":1}]`,
	} {
		if err := relay([]byte(in), false); err != nil {
			log.Fatal(err)
		}
	}
	for _, attachment := range [][]byte{{1}, {2}} {
		if err := relay(attachment, true); err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// 2["status",{"big":9007199254740993,"odd":"\ud83d"}]
	// 2["message",{"room":"lobby","text":"**** it"},[1.0, 2]]
	// 51-["message",{"room":"lobby","text":"look"},{"_placeholder":true,"num":0}]
	// <02>
}

// Only what is needed is bound: the first argument, not the second, and an
// attachment.
func ExampleValues_Bind() {
	decoder := sioparser.Text.NewDecoder(sioparser.Limits{})
	head := `51-["upload","report.pdf",{"tags":["a","b"]},{"_placeholder":true,"num":0},"more"]`
	if _, err := decoder.Decode([]byte(head), false); err != nil {
		log.Fatal(err)
	}
	p, err := decoder.Decode([]byte("%PDF"), true)
	if err != nil {
		log.Fatal(err)
	}
	var name string
	var data []byte
	if err := sioparser.JSON().Bind(p.Args, &name, nil, &data); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s: %s\n", name, data)
	// Output:
	// report.pdf: %PDF
}

// Byte slices become attachments wherever they stand.
func ExampleValues_Append() {
	type part struct {
		Name string `json:"name"`
		Data []byte `json:"data"`
	}
	args, err := sioparser.JSON().Append(sioparser.Args{}, "album", []part{
		{"front", []byte{1, 2}}, {"back", []byte{3}},
	})
	if err != nil {
		log.Fatal(err)
	}
	head, _, attachments, err := sioparser.Text.AppendPacket(nil, &sioparser.Packet{
		Type: sioparser.Event, Namespace: "/pictures", Name: []byte("add"), Args: args,
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n%x\n", head, attachments)
	// Output:
	// 52-/pictures,["add","album",[{"name":"front","data":{"_placeholder":true,"num":0}},{"name":"back","data":{"_placeholder":true,"num":1}}]]
	// [0102 03]
}

// Arguments from a log are checked once and put together anew.
func ExampleParseArgs() {
	stored, err := sioparser.ParseArgs([]byte(`["hello",{"n":1}]`), nil)
	if err != nil {
		log.Fatal(err)
	}
	offset, err := sioparser.JSON().Append(sioparser.Args{}, "offset-17")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", stored.Concat(offset).AppendArray(nil))
	_, err = sioparser.ParseArgs([]byte(`["hello",{"n":01}]`), nil)
	fmt.Println(err)
	// Output:
	// ["hello",{"n":1},"offset-17"]
	// sioparser: invalid JSON at byte 15
}
