package chapters

import (
	"fmt"
	"strings"

	"github.com/siokit/siokit/conformance/probe"
	"github.com/siokit/siokit/conformance/spec"
)

// mirrored sends the event message with arguments and expects them back.
func mirrored(args string) func(*probe.T) {
	return joined(`42["message",`+args+`]`, `42["message-back",`+args+`]`)
}

// unheard sends a packet that must change nothing.
func unheard(send ...string) func(*probe.T) {
	return func(t *probe.T) {
		s := t.Join()
		s.Send(send...)
		s.Answers()
	}
}

func event() []spec.Case {
	c := &chapter{
		prefix: "S-EV", source: socketDoc + "Sending and receiving data",
		profiles: []spec.Profile{spec.SocketIO, spec.SingleTransport},
		needs:    []spec.Feature{spec.FeatWebSocket, spec.FeatMirror},
	}
	eventValues(c)
	eventNames(c)
	eventBroken(c)
	eventServer(c)
	return c.cases
}

// eventValues: JSON values on the way there and back.
func eventValues(c *chapter) {
	c.must("01", "no arguments", "An event may have no arguments.", joined(`42["message"]`, `42["message-back"]`))
	c.must("02", "values of every JSON kind", "Arguments of every kind come back the same.", mirrored(`null,true,1.5,0,1e3,"",[],{},[null]`))
	c.must("64", "several arguments", "An event may have several arguments.", mirrored(`1,"2",{"3":[true]}`), official)
	c.must("65", "numbers", "Negative numbers, fractions and exponents come back with their value.", mirrored(`-1,0.1,-0.5e-3,1E5,123456789012,9007199254740991`))
	c.must("66", "booleans, null and empty values inside", "Values inside arrays and objects come back the same.", mirrored(`{"a":null,"b":[false,{}],"":""},[[],[[]]]`))
	c.must("03", "unicode and escapes", "Text beyond ASCII and escapes come back as the same text.", mirrored(`"é€😀\u0000\n\""`))
	c.ref("94", "a lone surrogate", "Half a surrogate pair as an escape is relayed.", mirrored(`"\ud83d"`))
	c.must("67", "brackets and separators inside strings", "Characters that mean something elsewhere mean nothing inside strings.", mirrored(`"[],{}:\\/","2[\"a\"]","/a,1","\u001e"`))
	c.must("68", "a raw record separator in a string", "An escaped separator is text; the packet is one.", mirrored(`"a\u001eb"`))
	c.quirk("04", "an integer beyond 2^53", "Integers lose what a double cannot hold.",
		joined(`42["message",9007199254740993]`, `42["message-back",9007199254740992]`))
	c.quirk("05", "a key given twice", "The last one counts.", joined(`42["message",{"a":1,"a":2}]`, `42["message-back",{"a":2}]`))
	c.quirk("06", "the order of keys", "Keys keep their order, those that are integers first.",
		func(t *probe.T) {
			s := t.Join()
			s.Event(`"message",{"b":1,"a":2,"1":3}`)
			s.Exactly(`42["message-back",{"1":3,"b":1,"a":2}]`)
		})
	c.quirk("07", "white space in JSON", "White space between tokens is allowed and not kept.",
		func(t *probe.T) {
			s := t.Join()
			s.Send("42[ \"message\" ,\n 1 ]")
			s.Exactly(`42["message-back",1]`)
		})
	c.must("69", "white space between tokens", "White space between JSON tokens is allowed.", joined("42[ \"message\" ,\t1 , {\n\"a\" : 2 } ]", `42["message-back",1,{"a":2}]`))
	c.ref("57", "control characters", "Escaped control characters, DEL and line separators come back as the same text.", mirrored(`"\u0001`+"\x7f\u2028"+`"`))
	c.quirk("59", "__proto__ as a key", "It is a key like others.", mirrored(`{"__proto__":{"x":1}}`))
	c.ref("54", "two hundred arrays inside each other", "Nesting of 200 levels comes back whole.", mirrored(strings.Repeat("[", 200)+strings.Repeat("]", 200)))
	c.must("70", "a large argument", "A string of a hundred thousand characters comes back whole.", mirrored(`"`+strings.Repeat("0123456789", 10000)+`"`))
	c.must("71", "many arguments", "Two hundred arguments come back in their order.",
		func(t *probe.T) {
			list := make([]string, 200)
			for i := range list {
				list[i] = fmt.Sprint(i)
			}
			mirrored(strings.Join(list, ","))(t)
		})
	c.quirk("63", "JSON of 3000 levels", "Nesting of 500, 2000 and 3000 levels comes back whole.",
		func(t *probe.T) {
			for _, n := range []int{500, 2000, 3000} {
				mirrored(strings.Repeat("[", n) + strings.Repeat("]", n))(t)
			}
		})
}

// eventNames: names that are unknown, reserved or odd.
func eventNames(c *chapter) {
	c.must("16", "an unknown event", "An event without a handler is ignored.", unheard(`42["unknown",1]`))
	c.quirk("08", "a number as name", "A number is a name, and an unknown one.", unheard(`42[1,"x"]`))
	c.ref("09", "null as name", "An event whose name is null ends the connection.", joinedCloses(`42[null]`))
	c.must("10", "an object as name", "An event whose name is an object ends the connection.", joinedCloses(`42[{}]`))
	for i, name := range []string{"connect", "connect_error", "disconnect", "disconnecting"} {
		c.ref(fmt.Sprint(17+i), "the reserved name "+name, "A name that is reserved for the library ends the connection.", joinedCloses(`42["`+name+`"]`))
	}
	for i, name := range []string{"newListener", "removeListener"} {
		c.quirk(fmt.Sprint(21+i), "the reserved name "+name, "A name that is reserved in Node ends the connection.", joinedCloses(`42["`+name+`"]`))
	}
	c.ref("23", "the name error", "The name error is not reserved.", unheard(`42["error","x"]`))
	c.quirk("24", "the name __proto__", "Names of language internals are unknown events.", unheard(`42["__proto__"]`))
	c.quirk("25", "the name hasOwnProperty", "Names of language internals are unknown events.", unheard(`42["hasOwnProperty"]`))
	c.ref("58", "an emoji as name", "A name is any text.", unheard(`42["😀"]`))
	c.ref("72", "an empty name", "An empty name is a name, and an unknown one.", unheard(`42[""]`))
	c.ref("26", "an event that names the main namespace", "The main namespace may be named.", joined(`42/,["message",1]`, `42["message-back",1]`))
}

// eventBroken: packets that cannot be read.
func eventBroken(c *chapter) {
	c.must("11", "an empty array", "An event has a name: an empty array ends the connection.", joinedCloses(`42[]`))
	c.quirk("12", "no payload", "An EVENT without a payload is ignored or ends the connection.",
		func(t *probe.T) {
			s := t.Join()
			s.Send("42")
			if f := s.Take(t.Quiet); f != nil {
				t.Failf("it was answered with %s", f.Text)
			}
		})
	c.must("13", "an object as payload", "The payload of an EVENT is an array: an object ends the connection.", joinedCloses(`42{}`), official)
	c.must("14", "a string as payload", "The payload of an EVENT is an array: a string ends the connection.", joinedCloses(`42"message"`))
	c.must("15", "bytes after the payload", "Nothing may follow the JSON: trailing bytes end the connection.", joinedCloses(`42["message"]x`))
	c.must("73", "JSON that ends early", "A payload that ends early ends the connection.", joinedCloses(`42["message",{"a":1}`))
	c.ref("74", "JSON with a trailing comma", "A payload with a comma too many ends the connection.", joinedCloses(`42["message",1,]`))
	c.ref("75", "JSON with single quotes", "A payload that is JavaScript but no JSON ends the connection.", joinedCloses(`42['message']`))
	c.ref("76", "an unescaped control character", "A raw control character in a string ends the connection.", joinedCloses("42[\"message\",\"a\nb\"]"))
	c.must("51", "packet type 7", "A digit beyond the last packet type ends the connection.", joinedCloses("47"))
	c.must("52", "a packet type that is a letter", "A packet type that does not exist ends the connection.", joinedCloses("4a"))
	c.must("77", "a packet that is no packet", "Text that is no packet ends the connection.", joinedCloses("4abc"), official)
	c.ref("53", "an empty message", "A message without a packet type ends the connection.", joinedCloses("4"))
	c.ref("55", "id before namespace", "The namespace comes before the acknowledgement id: the other way ends the connection.", joinedCloses(`421/custom,["message",1]`))
	c.ref("56", "a namespace with a space", "A space is part of a name: the namespace was not joined, which ends the connection.", joinedCloses(`42/a b,["message",1]`))
	c.quirk("60", "a byte order mark before the JSON", "It is read as an acknowledgement id.", joined("42\ufeff8[\"message\",1]", `42<n>["message-back",1]`))
	c.ref("78", "a broken packet on one of two connections", "What ends one connection does not touch another.",
		func(t *probe.T) {
			bad, good := t.Join(), t.Join()
			bad.Send("42{}")
			bad.Closed()
			good.Answers()
		})
}

// eventServer: events of the server, and order.
func eventServer(c *chapter) {
	c.must("50", "a burst of a hundred events", "Events of the server come in the order in which they were emitted.",
		func(t *probe.T) {
			s := t.Join()
			s.Event(`"burst",100`)
			for i := range 100 {
				s.Expect(fmt.Sprintf(`42["b",%d]`, i))
			}
		}, needs(spec.FeatEvents))
	c.must("79", "a hundred events in one segment", "Events that arrive together are handled in their order.",
		func(t *probe.T) {
			s := t.Join()
			var send, want []string
			for i := range 100 {
				send = append(send, fmt.Sprintf(`42["message",%d]`, i))
				want = append(want, fmt.Sprintf(`42["message-back",%d]`, i))
			}
			s.SendTogether(send...)
			s.Expect(want...)
		})
	c.must("80", "events and acknowledgements in one segment", "The answers to events and calls that arrive together keep the order of each kind.",
		func(t *probe.T) {
			s := t.Join()
			var send, want []string
			for i := range 20 {
				send = append(send, fmt.Sprintf(`42%d["message-with-ack",%d]`, i, i))
				want = append(want, fmt.Sprintf(`43%d[%d]`, i, i))
			}
			s.SendTogether(send...)
			s.Expect(want...)
		}, also(spec.Acks))
	c.must("81", "two connections", "What one client sends is answered to it alone.",
		func(t *probe.T) {
			a, b := t.Join(), t.Join()
			a.Event(`"message","a"`)
			a.Expect(`42["message-back","a"]`)
			b.Answers()
		})
	c.ref("49", "undefined and null as arguments", "Values that JSON does not have are sent as null.",
		joined(`42["emit-undefined"]`, `42["u",null,null]`), needs(spec.FeatEvents))
	c.must("82", "two namespaces in one segment", "Events to different namespaces of one connection reach each its own.",
		func(t *probe.T) {
			s := t.Join("/", "/custom")
			s.SendTogether(`42["message",1]`, `42/custom,["message",2]`, `42["message",3]`)
			s.ExpectAnyOrder(`42["message-back",1]`, `42/custom,["message-back",2]`, `42["message-back",3]`)
		}, needs(spec.FeatNsps))
}
