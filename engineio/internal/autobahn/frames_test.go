package autobahn_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/siokit/siokit/engineio"
)

// The payloads of the suite.
const (
	hello    = "Hello, world!"
	fe       = "\xfe"
	mixed    = "\x00\xff\xfe\xfd\xfc\xfb\x00\xff"
	greek    = "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5"
	edited   = "\x65\x64\x69\x74\x65\x64"
	halfPair = "\xed\xa0\x80"     // a surrogate
	beyond   = "\xf4\x90\x80\x80" // U+110000
)

// protocolError is how the server answers what the protocol forbids.
var protocolError = []int{1002}

// invalid is how it answers text that is not UTF-8.
var invalid = []int{1007}

func TestFrames(t *testing.T) {
	s := echoServer(t, engineio.WebSocket{})
	for _, list := range [][]attempt{
		framing(), pings(), reservedBits(), opcodes(), fragmentation(), closeHandshake(), autoFragment(),
	} {
		for _, a := range list {
			t.Run(a.id, func(t *testing.T) { a.run(t, s) })
		}
	}
}

// echoed is a case in which what was sent comes back.
func echoed(id string, chop int, frames ...frame) attempt {
	return attempt{id: id, chop: chop, send: frames, want: frames}
}

// framing is group 1: lengths at the borders of the header's forms.
func framing() []attempt {
	var list []attempt
	for i, n := range []int{0, 125, 126, 127, 128, 65535, 65536} {
		list = append(list,
			echoed(fmt.Sprintf("1.1.%d", i+1), whole, text(strings.Repeat("*", n))),
			echoed(fmt.Sprintf("1.2.%d", i+1), whole, bytes(strings.Repeat(fe, n))))
	}
	return append(list,
		echoed("1.1.8", 997, text(strings.Repeat("*", 65536))),
		echoed("1.2.8", 997, bytes(strings.Repeat(fe, 65536))))
}

// pings is group 2.
func pings() []attempt {
	one := func(id, payload string, chop int) attempt {
		return attempt{id: id, send: []frame{ping(payload)}, chop: chop, want: []frame{pong(payload)}}
	}
	var many, answers []frame
	for i := range 10 {
		payload := fmt.Sprintf("payload-%d", i)
		many, answers = append(many, ping(payload)), append(answers, pong(payload))
	}
	return []attempt{
		one("2.1", "", whole),
		one("2.2", hello, whole),
		one("2.3", mixed, whole),
		one("2.4", strings.Repeat(fe, 125), whole),
		{id: "2.5", send: []frame{ping(strings.Repeat(fe, 126))}, codes: protocolError},
		one("2.6", strings.Repeat(fe, 125), 1),
		{id: "2.7", send: []frame{pong(""), shut(1000)}},
		{id: "2.8", send: []frame{pong("unsolicited pong payload"), shut(1000)}},
		{id: "2.9", send: []frame{pong("unsolicited pong payload"), ping("ping payload")}, want: []frame{pong("ping payload")}},
		// Of pings that came together the last one may be answered alone (RFC 6455,
		// section 5.5.3).
		{id: "2.10", send: many, want: answers, loosely: true},
		{id: "2.11", send: many, chop: 1, want: answers, loosely: true},
	}
}

// reservedBits is group 3.
func reservedBits() []attempt {
	after := func(id string, bits byte, chop int) attempt {
		return attempt{id: id, chop: chop, send: []frame{text(hello), {text("").first | bits, "4" + hello}, ping("")}, want: []frame{text(hello)}, codes: protocolError, maybe: true}
	}
	return []attempt{
		{id: "3.1", send: []frame{{text("").first | rsv3, "4" + hello}}, codes: protocolError},
		after("3.2", rsv2, whole),
		after("3.3", rsv2|rsv3, byFrame),
		after("3.4", rsv1, 1),
		{id: "3.5", send: []frame{{bytes("").first | rsv1 | rsv3, mixed}}, codes: protocolError},
		{id: "3.6", send: []frame{{ping("").first | rsv1 | rsv2, hello}}, codes: protocolError},
		{id: "3.7", send: []frame{{shut(1000).first | rsv1 | rsv2 | rsv3, ""}}, codes: protocolError},
	}
}

// opcodes is group 4: those that mean nothing.
func opcodes() []attempt {
	var list []attempt
	for i, op := range []byte{3, 4, 5, 6, 7, 11, 12, 13, 14, 15} {
		a := attempt{id: fmt.Sprintf("4.%d.%d", i/5+1, i%5+1), codes: protocolError}
		bad := frame{fin | op, ""}
		switch i % 5 {
		case 0:
			a.send = []frame{bad}
		case 1:
			bad.payload = "reserved opcode payload"
			a.send = []frame{bad}
		case 4:
			a.chop = 1
			fallthrough
		default:
			if i%5 > 2 {
				bad.payload = hello
			}
			a.send, a.want, a.maybe = []frame{text(hello), bad, ping("")}, []frame{text(hello)}, true
		}
		list = append(list, a)
	}
	return list
}

// fragmentation is group 5.
func fragmentation() []attempt {
	two := []frame{begin("4fragment1"), finish("fragment2")}
	both := text("fragment1fragment2")
	between := []frame{two[0], ping("ping payload"), two[1]}
	list := []attempt{
		{id: "5.1", send: []frame{{9, "fragment1"}, finish("fragment2")}, codes: protocolError},
		{id: "5.2", send: []frame{{10, "fragment1"}, finish("fragment2")}, codes: protocolError},
	}
	for i, chop := range []int{whole, byFrame, 1} {
		list = append(list,
			attempt{id: fmt.Sprintf("5.%d", 3+i), chop: chop, send: two, want: []frame{both}},
			attempt{id: fmt.Sprintf("5.%d", 6+i), chop: chop, send: between, want: []frame{pong("ping payload"), both}},
			attempt{id: fmt.Sprintf("5.%d", 9+i), chop: chop, send: []frame{finish("non-continuation payload"), text(hello)}, codes: protocolError},
			attempt{id: fmt.Sprintf("5.%d", 12+i), chop: chop, send: []frame{more("non-continuation payload"), text(hello)}, codes: protocolError})
	}
	five := func(id string, chop int) attempt {
		return attempt{
			id: id, chop: chop,
			send: []frame{
				begin("4fragment1"), more("fragment2"), ping("pongme 1!"),
				more("fragment3"), more("fragment4"), ping("pongme 2!"), finish("fragment5"),
			},
			want:    []frame{pong("pongme 1!"), pong("pongme 2!"), text("fragment1fragment2fragment3fragment4fragment5")},
			loosely: true, // without the suite's wait the pings may come together
		}
	}
	stray := []frame{more("fragment1"), begin("4fragment2"), finish("fragment3")}
	strayEnd := []frame{finish("fragment1"), begin("4fragment2"), finish("fragment3")}
	return append(list,
		attempt{id: "5.15", send: append(slices.Clone(two), more("fragment3"), text("fragment4")), want: []frame{both}, codes: protocolError, maybe: true},
		attempt{id: "5.16", send: append(stray, stray...), codes: protocolError},
		attempt{id: "5.17", send: append(strayEnd, strayEnd...), codes: protocolError},
		attempt{id: "5.18", send: []frame{begin("4fragment1"), text("fragment2")}, codes: protocolError},
		five("5.19", whole),
		five("5.20", byFrame),
	)
}

// closeHandshake is group 7.
func closeHandshake() []attempt {
	list := []attempt{
		echoed("7.1.1", whole, text("Hello World!")),
		{id: "7.1.2", send: []frame{shut(1000), {shut(0).first, ""}}},
		{id: "7.1.3", send: []frame{shut(1000), ping("")}},
		{id: "7.1.4", send: []frame{shut(1000), text("Hello World!")}},
		{id: "7.1.5", send: []frame{begin("4fragment1"), shut(1000), finish("fragment2")}},
		{
			id: "7.1.6", maybe: true,
			send: []frame{text(repeat("BAsd7&jh23", 256<<10)), text("Hello World!"), shut(1000), ping("")},
			want: []frame{text(repeat("BAsd7&jh23", 256<<10)), text("Hello World!")},
		},
		{id: "7.3.1", send: []frame{{shut(0).first, ""}}, codes: []int{1005}}, // no code is answered with none
		{id: "7.3.2", send: []frame{{shut(0).first, "a"}}, codes: protocolError},
		{id: "7.3.3", send: []frame{shut(1000)}},
		{id: "7.3.4", send: []frame{{shut(0).first, closeBody(1000) + "Hello World!"}}},
		{id: "7.3.5", send: []frame{{shut(0).first, closeBody(1000) + strings.Repeat("*", 123)}}},
		{id: "7.3.6", send: []frame{{shut(0).first, closeBody(1000) + strings.Repeat("*", 124)}}, codes: protocolError},
		{id: "7.5.1", send: []frame{{shut(0).first, closeBody(1000) + greek + halfPair + edited}}, codes: []int{1002, 1007}},
	}
	for i, code := range []int{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999} {
		list = append(list, attempt{id: fmt.Sprintf("7.7.%d", i+1), send: []frame{shut(code)}, codes: []int{code}})
	}
	for i, code := range []int{0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999} {
		list = append(list, attempt{id: fmt.Sprintf("7.9.%d", i+1), send: []frame{shut(code)}, codes: protocolError})
	}
	for i, code := range []int{5000, 65535} {
		list = append(list, attempt{id: fmt.Sprintf("7.13.%d", i+1), send: []frame{shut(code)}, codes: protocolError})
	}
	return list
}

// autoFragment is group 10.
func autoFragment() []attempt {
	payload := strings.Repeat("*", 65536)
	return []attempt{{id: "10.1.1", send: fragments(text(payload), 1300), want: []frame{text(payload)}}}
}

// fragments cuts a message into frames of at most n bytes.
func fragments(f frame, n int) []frame {
	var list []frame
	for part := range slices.Chunk([]byte(f.payload), n) {
		list = append(list, frame{0, string(part)})
	}
	list[0].first = f.first &^ fin
	list[len(list)-1].first |= fin
	return list
}

// repeat is n bytes of a repeated text.
func repeat(s string, n int) string { return strings.Repeat(s, n/len(s)+1)[:n] }
