package chapters

import (
	"encoding/base64"
	"strings"

	"github.com/siokit/siokit/conformance/internal/match"
	"github.com/siokit/siokit/conformance/internal/msgpack"
	"github.com/siokit/siokit/conformance/probe"
	"github.com/siokit/siokit/conformance/spec"
)

// m is a packet of the msgpack parser.
type m = msgpack.Map

// packed sends packets, each as one binary message.
func packed(s *probe.Socket, packets ...any) {
	for _, p := range packets {
		s.SendBinary(msgpack.Append(nil, p)...)
	}
}

// expectPacked checks the next frames: one binary message a packet, given as
// JSON; binary inside it as {"type":"Buffer","data":[…]}.
func expectPacked(t *probe.T, s *probe.Socket, want ...string) match.Captures {
	all := match.Captures{}
	for _, w := range want {
		f := s.Next()
		t.Check(f.Data != nil || f.Text == probe.Bin(), "a text frame came: %s", f.Text)
		text, err := msgpack.JSON(f.Data)
		t.Check(err == nil, "the frame is no msgpack: %v", err)
		for k, v := range t.Match("packet", w, text) {
			all[k] = v
		}
	}
	return all
}

const (
	packedConnected = `{"type":0,"data":{"sid":"<sid>"},"nsp":"/"}`
	packedAuth      = `{"type":2,"data":["auth",{}],"nsp":"/"}`
)

// joinPacked joins the main namespace.
func joinPacked(t *probe.T) *probe.Socket {
	s := t.WebSocket("/sio-msgpack/")
	packed(s, m{"type", 0, "nsp", "/"})
	expectPacked(t, s, packedConnected, packedAuth)
	return s
}

// packedEcho sends a packet on a joined socket and checks what comes.
func packedEcho(packet m, want ...string) func(*probe.T) {
	return func(t *probe.T) {
		s := joinPacked(t)
		packed(s, packet)
		expectPacked(t, s, want...)
	}
}

// packedCloses sends a packet on a joined socket; it must end the connection.
func packedCloses(packet any) func(*probe.T) {
	return func(t *probe.T) {
		s := joinPacked(t)
		packed(s, packet)
		s.Closed()
	}
}

func packedAlive(t *probe.T, s *probe.Socket) {
	packed(s, m{"type", 2, "nsp", "/", "data", []any{"message", "alive"}})
	expectPacked(t, s, `{"type":2,"data":["message-back","alive"],"nsp":"/"}`)
}

func messagePack() []spec.Case {
	c := &chapter{
		prefix: "M", behind: "ref socket.io-msgpack-parser 3.0.2",
		profiles: []spec.Profile{spec.Msgpack},
		needs:    []spec.Feature{spec.FeatWebSocket, spec.FeatMsgpack},
	}
	c.ref("01", "CONNECT", "A CONNECT is a map with type and nsp; so is the answer, in one binary message.",
		func(t *probe.T) { joinPacked(t) })
	c.ref("02", "CONNECT with a payload", "The payload of a CONNECT is the map's data.",
		func(t *probe.T) {
			s := t.WebSocket("/sio-msgpack/")
			packed(s, m{"type", 0, "nsp", "/", "data", m{"token", "1"}})
			expectPacked(t, s, packedConnected, `{"type":2,"data":["auth",{"token":"1"}],"nsp":"/"}`)
		})
	c.ref("03", "an event with binary", "Binary stands inside the packet: one frame, and the type stays EVENT.",
		packedEcho(m{"type", 2, "nsp", "/", "data", []any{"message", []byte{1, 2}}},
			`{"type":2,"data":["message-back",{"type":"Buffer","data":[1,2]}],"nsp":"/"}`))
	c.ref("04", "an acknowledgement", "An acknowledgement is a map with the id of the call.",
		packedEcho(m{"type", 2, "nsp", "/", "id", 5, "data", []any{"message-with-ack", "x"}}, `{"type":3,"id":5,"data":["x"],"nsp":"/"}`))
	c.ref("13", "values of every kind", "Values of every kind come back the same.",
		packedEcho(m{"type", 2, "nsp", "/", "data", []any{"message", nil, true, 1.5, -7, 70000, 1 << 40, "é", []any{[]any{}}, m{"a", m{}}}},
			`{"type":2,"data":["message-back",null,true,1.5,-7,70000,1099511627776,"é",[[]],{"a":{}}],"nsp":"/"}`))
	c.ref("14", "binary at any depth, and in acknowledgements", "Binary inside maps and arrays comes back in its place.",
		packedEcho(m{"type", 2, "nsp", "/", "id", 6, "data", []any{"message-with-ack", m{"a", []any{[]byte{9}}}, []byte{}}},
			`{"type":3,"id":6,"data":[{"a":[{"type":"Buffer","data":[9]}]},{"type":"Buffer","data":[]}],"nsp":"/"}`))
	c.ref("15", "wide encodings of small numbers", "Numbers and strings may be written wider than needed.",
		packedEcho(m{"type", msgpack.Raw{0xcd, 0, 2}, "nsp", msgpack.Raw("\xd9\x01/"), "data", []any{"message", msgpack.Raw{0xd3, 0, 0, 0, 0, 0, 0, 0, 1}}},
			`{"type":2,"data":["message-back",1],"nsp":"/"}`))
	c.ref("05", "an unknown namespace", "The refusal is a map of the type CONNECT_ERROR.",
		func(t *probe.T) {
			s := t.WebSocket("/sio-msgpack/")
			packed(s, m{"type", 0, "nsp", "/random"})
			expectPacked(t, s, `{"type":4,"nsp":"/random","data":{"message":"Invalid namespace"}}`)
		})
	c.ref("16", "DISCONNECT", "After a DISCONNECT the connection stays and can join again.",
		func(t *probe.T) {
			s := joinPacked(t)
			packed(s, m{"type", 1, "nsp", "/"})
			packed(s, m{"type", 0, "nsp", "/nobodys"}) // see arrivedOn
			expectPacked(t, s, `{"type":4,"nsp":"/nobodys","data":"<any>"}`)
			packed(s, m{"type", 0, "nsp", "/"})
			expectPacked(t, s, packedConnected, packedAuth)
		})
	c.ref("06", "bytes that are no msgpack", "A message that cannot be read ends the connection.", packedCloses(msgpack.Raw{0xc1, 0xc1}))
	c.ref("17", "a packet that ends early", "A packet that ends early ends the connection.", packedCloses(msgpack.Raw("\x83\xa4type\x02\xa3nsp\xa1/\xa4data\x92\xa7mess")))
	c.ref("07", "a text message", "A text message on a msgpack server ends the connection.",
		func(t *probe.T) {
			s := joinPacked(t)
			s.Send(`42["message"]`)
			s.Closed()
		})
	c.quirk("08", "type 5", "BINARY_EVENT does not exist in msgpack: it ends the connection.", packedCloses(m{"type", 5, "nsp", "/", "data", []any{"message"}}))
	c.ref("18", "type 7", "A type that does not exist ends the connection.", packedCloses(m{"type", 7, "nsp", "/", "data", []any{"message"}}))
	c.ref("09", "no namespace", "A packet without nsp ends the connection.", packedCloses(m{"type", 2, "data", []any{"message"}}))
	c.ref("19", "a namespace that is no string", "A packet whose nsp is a number ends the connection.", packedCloses(m{"type", 2, "nsp", 1, "data", []any{"message"}}))
	c.ref("10", "an id that is a string", "An id that is no integer ends the connection.", packedCloses(m{"type", 2, "nsp", "/", "id", "1", "data", []any{"message"}}))
	c.ref("20", "an event whose data is a map", "The data of an EVENT is an array: a map ends the connection.", packedCloses(m{"type", 2, "nsp", "/", "data", m{}}))
	c.quirk("11", "a reserved name", "An event with a reserved name is ignored.",
		func(t *probe.T) {
			s := joinPacked(t)
			packed(s, m{"type", 2, "nsp", "/", "data", []any{"connect"}})
			packedAlive(t, s)
		})
	c.ref("12", "over polling", "Over polling each packet is a base64 packet.",
		func(t *probe.T) {
			p := t.Polling("/sio-msgpack/")
			p.Send(probe.Binary(msgpack.Append(nil, m{"type", 0, "nsp", "/"})...))
			for _, want := range []string{packedConnected, packedAuth} {
				packet := p.Next()
				data, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(packet, "b"))
				t.Check(err == nil && strings.HasPrefix(packet, "b"), "the packet is %q", packet)
				text, err := msgpack.JSON(data)
				t.Check(err == nil, "the packet is no msgpack: %v", err)
				t.Match("packet", want, text)
			}
		}, needs(spec.FeatPolling), also(spec.Polling))
	return c.cases
}
