package eioparser_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"strconv"
	"strings"

	"github.com/siokit/siokit/eioparser"
)

// The body of a POST request, or of the answer to a GET, is a payload.
func ExamplePayload() {
	body := []byte("2probe\x1e4hello\x1ebAQIDBA==")
	for p, err := range eioparser.Payload(body) {
		if err != nil {
			log.Fatal(err) // the session ends here
		}
		if p.Binary {
			fmt.Printf("%s of %d bytes: %v\n", p.Type, len(p.Data), p.Data)
		} else {
			fmt.Printf("%s of text: %q\n", p.Type, p.Data)
		}
	}
	// Output:
	// ping of text: "probe"
	// message of text: "hello"
	// message of 4 bytes: [1 2 3 4]
}

// Packets before a bad one are delivered; then the reading ends.
func ExamplePayload_errors() {
	for p, err := range eioparser.Payload([]byte("4first\x1e9\x1e4never")) {
		if errors.Is(err, eioparser.ErrPacketType) {
			fmt.Println("refused:", err)
			break
		}
		fmt.Printf("%s %s\n", p.Type, p.Data)
	}
	// Output:
	// message first
	// refused: eioparser: unknown packet type
}

// A payload can be built in a buffer that is used again.
func ExampleAppendPayload() {
	buf := make([]byte, 0, 1024)
	buf = eioparser.AppendPayload(buf[:0],
		eioparser.Packet{Type: eioparser.Message, Data: []byte("hello")},
		eioparser.Packet{Type: eioparser.Message, Binary: true, Data: []byte{1, 2, 3, 4}},
		eioparser.Packet{Type: eioparser.Ping},
	)
	fmt.Printf("%q\n", buf)
	// Output:
	// "4hello\x1ebAQIDBA==\x1e2"
}

// The open packet of a server holds the handshake.
func ExampleParseHandshake() {
	p, err := eioparser.DecodeText([]byte(`0{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}`))
	if err != nil {
		log.Fatal(err)
	}
	h, err := eioparser.ParseHandshake(p.Data)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(h.SID, h.Upgrades)
	fmt.Println("a ping every", h.PingInterval, "to be answered within", h.PingTimeout)
	// Output:
	// lv_VI97HAXpY6yYWAAAC [websocket]
	// a ping every 25s to be answered within 20s
}

// WebTransport and plain TCP are streams: each frame has a header.
func ExampleStreamReader() {
	var conn bytes.Buffer
	conn.Write(eioparser.AppendStreamPacket(nil, eioparser.Packet{Type: eioparser.Message, Data: []byte("hello")}))

	// A large message needs no copy: the header goes first, then its bytes.
	large := make([]byte, 70_000)
	conn.Write(eioparser.AppendStreamHeader(nil, len(large), true))
	conn.Write(large)

	r := eioparser.NewStreamReader(&conn, eioparser.DefaultMaxPayload)
	for {
		p, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(p.Type, p.Binary, len(p.Data))
	}
	// Output:
	// message false 5
	// message true 70000
}

// A debugger reads what it captured. The file holds a session of the reference
// server that began with polling and moved to WebSocket: who sent it, by which
// transport, as text or binary, and the bytes.
func Example_capturedSession() {
	file, err := os.Open("testdata/session.tsv")
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		column := strings.Split(lines.Text(), "\t")
		sender, transport, kind := column[0], column[1], column[2]
		text, err := strconv.Unquote(column[3])
		if err != nil {
			log.Fatal(err)
		}
		data := []byte(text)

		print := func(p eioparser.Packet, err error) {
			switch {
			case err != nil:
				fmt.Println(sender, "breaks the protocol:", err)
			case p.Type == eioparser.Open:
				h, err := eioparser.ParseHandshake(p.Data)
				fmt.Println(sender, transport, p.Type, len(h.SID), h.Upgrades, h.PingInterval, err)
			case p.Binary:
				fmt.Printf("%s %s %s % x\n", sender, transport, p.Type, p.Data)
			default:
				fmt.Println(strings.TrimSpace(fmt.Sprintf("%s %s %s %s", sender, transport, p.Type, p.Data)))
			}
		}
		switch {
		case transport == "polling":
			for p, err := range eioparser.Payload(data) {
				print(p, err)
			}
		case kind == "binary":
			print(eioparser.DecodeBinary(data), nil)
		default:
			print(eioparser.DecodeText(data))
		}
	}
	// Output:
	// server polling open 20 [websocket] 300ms <nil>
	// client polling message hello
	// client polling message 01 02 03 04
	// client polling message héllo 😀
	// server polling message hello
	// server polling message 01 02 03 04
	// server polling message héllo 😀
	// client websocket ping probe
	// server websocket pong probe
	// server polling noop
	// client websocket upgrade
	// client websocket message after
	// server websocket message after
	// client websocket message 01 02 03 ff
	// server websocket message 01 02 03 ff
	// server websocket ping
	// client websocket pong
	// client websocket close
}
