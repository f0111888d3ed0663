package chapters

import (
	"fmt"
	"strings"

	"github.com/siokit/siokit/conformance/probe"
	"github.com/siokit/siokit/conformance/spec"
)

// place is the placeholder of an attachment.
func place(n int) string { return fmt.Sprintf(`{"_placeholder":true,"num":%d}`, n) }

// attach sends a head and its attachments, each of one byte.
func attach(s *probe.Socket, head string, attachments ...byte) {
	s.Send(head)
	for _, b := range attachments {
		s.SendBinary(b)
	}
}

// attached sends a head with attachments and checks what comes.
func attached(head string, attachments []byte, want ...string) func(*probe.T) {
	return func(t *probe.T) {
		s := t.Join()
		attach(s, head, attachments...)
		s.Expect(want...)
		s.Answers()
	}
}

// attachedCloses sends a head with attachments; they must end the connection.
func attachedCloses(head string, attachments ...byte) func(*probe.T) {
	return func(t *probe.T) {
		s := t.Join()
		attach(s, head, attachments...)
		s.Closed()
	}
}

func binary() []spec.Case {
	c := &chapter{
		prefix: "S-BN", source: socketDoc + "Packet encoding",
		profiles: []spec.Profile{spec.SocketIO, spec.Binary, spec.SingleTransport},
		needs:    []spec.Feature{spec.FeatWebSocket, spec.FeatMirror, spec.FeatBinary},
	}
	binaryEvents(c)
	binaryPlaceholders(c)
	binaryCounts(c)
	binaryFlow(c)
	binaryServer(c)
	binaryPolling(c)
	return c.cases
}

// binaryEvents: events and acknowledgements with attachments.
func binaryEvents(c *chapter) {
	c.must("01", "one attachment", "A binary event is a head with a placeholder and a binary frame, both ways.",
		func(t *probe.T) {
			s := t.Join()
			s.Send(`451-["message",` + place(0) + `]`)
			s.SendBinary(1, 2)
			s.Expect(`451-["message-back",`+place(0)+`]`, probe.Bin(1, 2))
		})
	c.must("02", "two attachments, the second used first", "Attachments belong to the numbers of their placeholders.",
		attached(`452-["message",`+place(1)+`,`+place(0)+`]`, []byte{1, 2},
			`452-["message-back",`+place(0)+`,`+place(1)+`]`, probe.Bin(2), probe.Bin(1)))
	c.must("37", "two attachments in order", "Attachments come back in the order of their placeholders.",
		func(t *probe.T) {
			s := t.Join()
			s.Send(`452-["message",` + place(0) + `,` + place(1) + `]`)
			s.SendBinary(1, 2, 3)
			s.SendBinary(4, 5, 6)
			s.Expect(`452-["message-back",`+place(0)+`,`+place(1)+`]`, probe.Bin(1, 2, 3), probe.Bin(4, 5, 6))
		}, official)
	c.quirk("03", "an attachment used twice", "It is sent back twice.",
		attached(`451-["message",`+place(0)+`,`+place(0)+`]`, []byte{1},
			`452-["message-back",`+place(0)+`,`+place(1)+`]`, probe.Bin(1), probe.Bin(1)))
	c.must("04", "an attachment inside an object and an array", "A placeholder may stand at any depth.",
		attached(`451-["message",{"a":[`+place(0)+`]}]`, []byte{1}, `451-["message-back",{"a":[`+place(0)+`]}]`, probe.Bin(1)))
	c.must("38", "attachments among other arguments", "Attachments and other values keep their places.",
		attached(`452-["message","x",`+place(0)+`,{"b":`+place(1)+`,"c":[1]},null]`, []byte{7, 8},
			`452-["message-back","x",`+place(0)+`,{"b":`+place(1)+`,"c":[1]},null]`, probe.Bin(7), probe.Bin(8)))
	c.must("39", "a large attachment", "An attachment of a hundred thousand bytes comes back whole.",
		func(t *probe.T) {
			data := make([]byte, 100000)
			for i := range data {
				data[i] = byte(i * 7)
			}
			s := t.Join()
			s.Send(`451-["message",` + place(0) + `]`)
			s.SendBinary(data...)
			s.Expect(`451-["message-back",`+place(0)+`]`, probe.Bin(data...))
		})
	c.must("27", "an empty attachment", "An attachment may be empty.",
		func(t *probe.T) {
			s := t.Join()
			s.Send(`451-["message",` + place(0) + `]`)
			s.SendBinary()
			s.Expect(`451-["message-back",`+place(0)+`]`, probe.Bin())
		})
	c.ref("05", "namespace and id", "The head holds count, namespace and id in this order.",
		func(t *probe.T) {
			s := t.Join("/custom")
			attach(s, `451-/custom,3["message",`+place(0)+`]`, 1)
			t.OneOf("the mirrored event", s.Next().Text, `451-/custom,["message-back",`+place(0)+`]`, `451-/custom,<n>["message-back",`+place(0)+`]`)
			s.Expect(probe.Bin(1))
		}, needs(spec.FeatNsps))
	c.must("06", "a binary acknowledgement", "An acknowledgement with attachments is a BINARY_ACK.",
		attached(`451-5["message-with-ack",`+place(0)+`]`, []byte{7}, `461-5[`+place(0)+`]`, probe.Bin(7)), also(spec.Acks))
	c.must("40", "a binary acknowledgement with two attachments", "An acknowledgement carries several attachments like an event.",
		func(t *probe.T) {
			s := t.Join()
			s.Send(`452-789["message-with-ack",` + place(0) + `,` + place(1) + `]`)
			s.SendBinary(1, 2, 3)
			s.SendBinary(4, 5, 6)
			s.Expect(`462-789[`+place(0)+`,`+place(1)+`]`, probe.Bin(1, 2, 3), probe.Bin(4, 5, 6))
		}, also(spec.Acks), official)
}

// binaryPlaceholders: what is a placeholder, and what is not.
func binaryPlaceholders(c *chapter) {
	num := func(value string) string { return `451-["message",{"_placeholder":true,"num":` + value + `}]` }
	c.must("07", "a number beyond the attachments", "A placeholder without its attachment ends the connection.", attachedCloses(num("1"), 1))
	c.must("08", "a negative number", "A negative number ends the connection.", attachedCloses(num("-1"), 1))
	c.must("09", "a string as number", "A string for a number ends the connection.", attachedCloses(num(`"splice"`), 1))
	c.quirk("10", "half a number", "A fraction becomes null.", attached(num("0.5"), []byte{1}, `42["message-back",null]`))
	c.must("11", "no number", "A placeholder without a number ends the connection.", attachedCloses(`451-["message",{"_placeholder":true}]`, 1))
	c.ref("12", "_placeholder that is false", "An object whose _placeholder is not true is data.",
		attached(`451-["message",{"_placeholder":false,"num":0}]`, []byte{1}, `42["message-back",{"_placeholder":false,"num":0}]`))
	c.ref("13", "a placeholder in a plain event", "A placeholder in an EVENT is data.",
		joined(`42["message",`+place(0)+`]`, `42["message-back",`+place(0)+`]`))
	c.quirk("14", "an attachment without a placeholder", "The attachment is read and left out.",
		attached(`451-["message","x"]`, []byte{1}, `42["message-back","x"]`))
}

// binaryCounts: the number of attachments.
func binaryCounts(c *chapter) {
	one := `["message",` + place(0) + `]`
	c.ref("15", "no attachments announced", "A binary event has attachments: a count of zero ends the connection.", joinedCloses(`450-["message"]`))
	c.must("16", "no count", "A binary event without a count ends the connection.", joinedCloses(`45-`+one))
	c.must("17", "no dash", "A count without its dash ends the connection.", joinedCloses(`451`+one))
	c.must("18", "a negative count", "A negative count ends the connection.", joinedCloses(`45-1-`+one))
	c.ref("19", "half a count", "A fraction ends the connection.", joinedCloses(`451.5-`+one))
	c.quirk("20", "a count with an exponent", "It is read as a number.", attached(`451e0-`+one, []byte{1}, `451-["message-back",`+place(0)+`]`, probe.Bin(1)))
	c.ref("21", "ten attachments", "Ten attachments are allowed.",
		attached(`4510-["message",`+place(9)+`]`, []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, `451-["message-back",`+place(0)+`]`, probe.Bin(9)))
	c.ref("41", "ten attachments, all used", "Ten attachments come back in their order.",
		func(t *probe.T) {
			var places, want []string
			var data []byte
			for i := range 10 {
				places = append(places, place(i))
				data = append(data, byte(i))
				want = append(want, probe.Bin(byte(i)))
			}
			all := strings.Join(places, ",")
			attached(`4510-["message",`+all+`]`, data, append([]string{`4510-["message-back",` + all + `]`}, want...)...)(t)
		})
	c.ref("22", "eleven attachments", "More than ten attachments end the connection before the first has come.",
		joinedCloses(`4511-["message",`+place(0)+`]`))
}

// binaryFlow: heads and attachments out of step.
func binaryFlow(c *chapter) {
	head := `451-["message",` + place(0) + `]`
	c.must("23", "a packet while attachments are due", "Nothing may come between a head and its attachments: a packet there ends the connection.",
		joinedCloses(head, `42["message",1]`))
	c.must("24", "a binary frame without a head", "A binary frame that no head announced ends the connection.",
		func(t *probe.T) {
			s := t.Join()
			s.SendBinary(1)
			s.Closed()
		})
	c.ref("25", "attachments that don't come", "Nothing is delivered before the last attachment; the heartbeat goes on.",
		func(t *probe.T) {
			s := t.Join()
			attach(s, `452-["message",`+place(0)+`,`+place(1)+`]`, 1)
			s.SilentFor(s.PingInterval + t.Quiet)
			t.Check(len(s.Pings()) > 0, "no ping came")
			s.SendBinary(2)
			s.Expect(`452-["message-back",`+place(0)+`,`+place(1)+`]`, probe.Bin(1), probe.Bin(2))
		})
	c.must("26", "an attachment too many", "A binary frame after the last attachment ends the connection.",
		func(t *probe.T) {
			s := t.Join()
			attach(s, head, 1)
			s.Expect(`451-["message-back",`+place(0)+`]`, probe.Bin(1))
			s.SendBinary(2)
			s.Closed()
		})
	c.ref("28", "a reserved name in a binary event", "A name that is reserved for the library ends the connection.",
		attachedCloses(`451-["connect",`+place(0)+`]`, 1))
	c.must("29", "an object as payload of a binary event", "The payload of a binary event is an array: an object ends the connection.",
		attachedCloses(`451-{"a":`+place(0)+`}`, 1))
	c.ref("42", "an unknown binary event", "A binary event without a handler is ignored, with its attachments.",
		func(t *probe.T) {
			s := t.Join()
			attach(s, `451-["unknown",`+place(0)+`]`, 1)
			s.Answers()
		})
	c.quirk("34", "base64 as an attachment over websocket", "A text frame with base64 is an attachment.",
		func(t *probe.T) {
			s := t.Join()
			s.Send(head, "bAQID")
			s.Expect(`451-["message-back",`+place(0)+`]`, probe.Bin(1, 2, 3))
		})
	c.ref("35", "two namespaces in turn", "Attachments belong to the head before them, whatever its namespace.",
		func(t *probe.T) {
			s := t.Join("/", "/custom")
			attach(s, `451-/custom,["message",`+place(0)+`]`, 1)
			attach(s, head, 2)
			heads := []string{`451-/custom,["message-back",` + place(0) + `]`, `451-["message-back",` + place(0) + `]`}
			// Namespaces are independent, but a head and its attachment are not.
			first := t.OneOf("the first head", s.Next().Text, heads...)
			s.Expect(probe.Bin(byte(first+1)), heads[1-first], probe.Bin(byte(2-first)))
		}, needs(spec.FeatNsps))
	c.quirk("36", "a binary acknowledgement without an id", "It is ignored.",
		func(t *probe.T) {
			s := t.Join()
			attach(s, `461-[`+place(0)+`]`, 1)
			s.Answers()
		})
	c.must("43", "binary events one after another", "Fifty binary events keep heads and attachments together and in order.",
		func(t *probe.T) {
			s := t.Join()
			for i := range 50 {
				attach(s, fmt.Sprintf(`451-["message",%d,%s]`, i, place(0)), byte(i))
			}
			for i := range 50 {
				s.Expect(fmt.Sprintf(`451-["message-back",%d,%s]`, i, place(0)), probe.Bin(byte(i)))
			}
		})
}

// binaryServer: what the server sends by itself.
func binaryServer(c *chapter) {
	events := needs(spec.FeatEvents)
	c.must("30", "the server emits binary", "The head comes first, then the attachments in their order.",
		joined(`42["emit-binary"]`, `452-["bin",`+place(0)+`,{"a":`+place(1)+`}]`, probe.Bin(1, 2, 3), probe.Bin(4)), events)
	c.must("31", "a binary acknowledgement of the client", "A BINARY_ACK reaches the server's callback with its attachments.",
		func(t *probe.T) {
			s := t.Join()
			s.Event(`"emit-with-ack","q"`)
			n := s.Expect(`42<n>["emit-with-ack","q"]`)["n"]
			attach(s, `461-`+n+`[`+place(0)+`]`, 8)
			s.Expect(`451-["emit-with-ack-result",`+place(0)+`]`, probe.Bin(8))
		}, events, also(spec.Acks))
	c.must("44", "the server asks with binary", "A call of the server with attachments has an id and is answered like others.",
		func(t *probe.T) {
			s := t.Join()
			attach(s, `451-["emit-with-ack",`+place(0)+`]`, 9)
			n := s.Expect(`451-<n>["emit-with-ack",`+place(0)+`]`, probe.Bin(9))["n"]
			s.Send(`43` + n + `["r"]`)
			s.Expect(`42["emit-with-ack-result","r"]`)
		}, events, also(spec.Acks))
}

// binaryPolling: attachments over polling and across an upgrade.
func binaryPolling(c *chapter) {
	polling := in(spec.SocketIO, spec.Binary, spec.Polling)
	only := only(spec.FeatPolling, spec.FeatMirror, spec.FeatBinary)
	head, back := `451-["message",`+place(0)+`]`, `451-["message-back",`+place(0)+`]`
	joinedOverPolling := func(t *probe.T) *probe.Polling {
		p := t.Polling("/socket.io/")
		p.Send("40")
		p.Expect(connected, noAuth)
		return p
	}
	c.must("32", "a binary event over polling", "Over polling an attachment is a base64 packet behind its head, in the same payload.",
		func(t *probe.T) {
			p := joinedOverPolling(t)
			p.Send("4"+head[1:], "bAQID")
			p.Expect(back, "bAQID")
		}, polling, only)
	c.must("33", "a binary event in two payloads", "Head and attachment may come in different payloads.",
		func(t *probe.T) {
			p := joinedOverPolling(t)
			p.Send(head)
			p.Send("bAQID")
			p.Expect(back, "bAQID")
		}, polling, only)
	c.must("45", "a binary event across an upgrade", "A head sent over polling and its attachment over the WebSocket belong together.",
		func(t *probe.T) {
			p := joinedOverPolling(t)
			p.Send(head)
			s := p.Upgrade()
			s.SendBinary(1, 2, 3)
			s.Expect(back, probe.Bin(1, 2, 3))
		}, in(spec.SocketIO, spec.Binary, spec.Upgrade), only, needs(spec.FeatUpgrade))
}
