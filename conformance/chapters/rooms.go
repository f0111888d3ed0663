package chapters

import (
	"fmt"
	"strings"

	"github.com/siokit/siokit/conformance/probe"
	"github.com/siokit/siokit/conformance/spec"
)

// room makes a name, as JSON, that no other case uses.
func room(t *probe.T, name string) string {
	return fmt.Sprintf(`"%s-%p"`, name, t)
}

// member joins the main namespace and the rooms.
func member(t *probe.T, rooms ...string) *probe.Socket {
	s := t.Join()
	for i, r := range rooms {
		s.Call(i, `"join",`+r, `"<n>"`)
	}
	return s
}

// cast sends one of the fixture's broadcasting events from a socket and checks
// who gets it: the receivers see the frame, the others nothing.
func cast(from *probe.Socket, elements, want string, receivers, others []*probe.Socket) {
	from.Event(elements)
	for _, s := range receivers {
		s.Expect(want)
	}
	for _, s := range append(receivers, others...) {
		s.Answers() // nothing else, and for the others nothing at all
	}
}

func rooms() []spec.Case {
	c := &chapter{
		prefix: "S-RM", behind: "socket.io documentation, Rooms; ref socket.io-adapter 2.5.8",
		profiles: []spec.Profile{spec.Rooms, spec.SingleTransport},
		needs:    []spec.Feature{spec.FeatWebSocket, spec.FeatMirror, spec.FeatRooms},
	}
	roomsMembership(c)
	roomsBroadcast(c)
	roomsAck(c)
	return c.cases
}

type sockets = []*probe.Socket

// roomsMembership: who is in a room.
func roomsMembership(c *chapter) {
	c.ref("03", "to a room", "A broadcast of a socket to a room reaches its members but not the sender.",
		func(t *probe.T) {
			r := room(t, "rm03")
			sender, other, outsider := member(t, r), member(t, r), member(t)
			cast(sender, `"to",`+r+`,"x"`, `42["x"]`, sockets{other}, sockets{sender, outsider})
		})
	c.ref("12", "in a room", "A broadcast of the server to a room reaches every member.",
		func(t *probe.T) {
			r := room(t, "rm12")
			a, b, outsider := member(t, r), member(t, r), member(t)
			cast(a, `"in",`+r+`,"x",1`, `42["x",1]`, sockets{a, b}, sockets{outsider})
		})
	c.ref("04", "overlapping rooms", "Who is in a room twice, or in several of the rooms, gets a broadcast once.",
		func(t *probe.T) {
			r, q := room(t, "rm04a"), room(t, "rm04b")
			a, b := member(t, r, q, r), member(t, r)
			cast(b, `"in",`+r+`,"x"`, `42["x"]`, sockets{a, b}, nil)
		})
	c.ref("05", "a socket's own room", "A socket is in a room of its own id from the beginning.",
		func(t *probe.T) {
			s := t.Join()
			s.Call(0, `"leave",`+room(t, "rm05"), `1`)
			s.Call(1, `"join",`+room(t, "rm05"), `2`)
			s.Call(2, `"join",`+room(t, "rm05"), `2`)
			s.Call(3, `"leave",`+room(t, "rm05"), `1`)
		})
	c.ref("06", "to a socket", "A broadcast to a socket's id reaches that socket alone.",
		func(t *probe.T) {
			sender, other := t.Join(), t.Join()
			s := t.SocketIO()
			id := s.Connect("/", "")
			cast(sender, `"to","`+id+`","x"`, `42["x"]`, sockets{s}, sockets{sender, other})
		})
	c.ref("13", "leaving a room", "Who has left a room gets nothing of it any more.",
		func(t *probe.T) {
			r := room(t, "rm13")
			a, b := member(t, r), member(t, r)
			a.Call(9, `"leave",`+r, `"<n>"`)
			cast(b, `"in",`+r+`,"x"`, `42["x"]`, sockets{b}, sockets{a})
		})
	c.ref("10", "rooms after DISCONNECT", "Rooms are left with the namespace: who comes back is in none of them.",
		func(t *probe.T) {
			r := room(t, "rm10")
			a, b := member(t, r), member(t, r)
			a.Send("41")
			arrivedOn(a)
			a.Connect("/", "")
			cast(b, `"in",`+r+`,"x"`, `42["x"]`, sockets{b}, sockets{a})
		})
	c.ref("11", "rooms of other namespaces", "A room belongs to its namespace: others are not reached.",
		func(t *probe.T) {
			r := room(t, "rm11")
			a := member(t, r)
			a.Connect("/custom", "")
			b := member(t, r)
			cast(b, `"in",`+r+`,"x"`, `42["x"]`, sockets{a, b}, nil)
		}, needs(spec.FeatCustom))
	c.ref("14", "a room that nobody is in", "A broadcast to an empty room reaches nobody and breaks nothing.",
		func(t *probe.T) {
			a := member(t)
			cast(a, `"in",`+room(t, "rm14")+`,"x"`, "", nil, sockets{a})
		})
	c.ref("15", "binary to a room", "Attachments of a broadcast reach every member.",
		func(t *probe.T) {
			r := room(t, "rm15")
			a, b := member(t, r), member(t, r)
			attach(a, `451-["in",`+r+`,"x",`+place(0)+`]`, 5)
			for _, s := range (sockets{a, b}) {
				s.Expect(`451-["x",`+place(0)+`]`, probe.Bin(5))
			}
		}, also(spec.Binary))
	c.ref("16", "fifty members", "A broadcast reaches each of fifty members once.",
		func(t *probe.T) {
			r := room(t, "rm16")
			var all sockets
			for range 50 {
				all = append(all, member(t, r))
			}
			cast(all[0], `"in",`+r+`,"x",[1,2,3]`, `42["x",[1,2,3]]`, all, nil)
		})
	c.ref("17", "order in a room", "Every member sees the broadcasts of one sender in the same order.",
		func(t *probe.T) {
			r := room(t, "rm17")
			a, b := member(t, r), member(t, r)
			for i := range 50 {
				a.Event(fmt.Sprintf(`"in",%s,"x",%d`, r, i))
			}
			for _, s := range (sockets{a, b}) {
				for i := range 50 {
					s.Expect(fmt.Sprintf(`42["x",%d]`, i))
				}
			}
		})
	c.ref("18", "a member over polling", "A broadcast reaches members whatever their transport.",
		func(t *probe.T) {
			r := room(t, "rm18")
			p := t.Polling("/socket.io/")
			p.Send("40")
			p.Expect(connected, noAuth)
			p.Send(`421["join",` + r + `]`)
			p.Expect(`431[2]`)
			a := member(t, r)
			a.Event(`"in",` + r + `,"x"`)
			a.Expect(`42["x"]`)
			p.Expect(`42["x"]`)
		}, needs(spec.FeatPolling), in(spec.Rooms, spec.Polling))
	c.ref("19", "names of rooms", "A room's name is any text.",
		func(t *probe.T) {
			s := t.Join()
			for i, name := range []string{`""`, `"é😀"`, `"__proto__"`, `"` + strings.Repeat("r", 300) + `"`} {
				s.Call(i, `"join",`+name, `"<n>"`)
				s.Event(`"in",` + name + `,"x"`)
				s.Expect(`42["x"]`)
				s.Call(i, `"leave",`+name, `"<n>"`)
			}
		}, alone)
}

// roomsBroadcast: events to everyone; other cases must not run beside them.
func roomsBroadcast(c *chapter) {
	c.ref("01", "broadcast", "A broadcast of a socket reaches everyone of its namespace but the sender.",
		func(t *probe.T) {
			sender, other := t.Join(), t.Join()
			cast(sender, `"broadcast","x",1`, `42["x",1]`, sockets{other}, sockets{sender})
		}, alone)
	c.ref("02", "all", "A broadcast of the server reaches everyone of the namespace.",
		func(t *probe.T) {
			a, b := t.Join(), t.Join()
			cast(a, `"all","x",1`, `42["x",1]`, sockets{a, b}, nil)
		}, alone)
	c.ref("07", "except", "A broadcast that leaves a room out does not reach its members.",
		func(t *probe.T) {
			r := room(t, "rm07")
			inside, outside := member(t, r), member(t)
			cast(inside, `"except",`+r+`,"x"`, `42["x"]`, sockets{outside}, sockets{inside})
		}, alone)
	c.ref("20", "broadcast and other namespaces", "A broadcast of the main namespace does not reach who has joined another only.",
		func(t *probe.T) {
			a, custom := t.Join(), t.Join("/custom")
			a.Event(`"all","x"`)
			a.Expect(`42["x"]`)
			custom.Silent()
		}, alone, needs(spec.FeatCustom))
	c.ref("21", "broadcast and connections that have joined nothing", "A broadcast does not reach a connection before its CONNECT.",
		func(t *probe.T) {
			a, early := t.Join(), t.SocketIO()
			arrivedOn(early)
			a.Event(`"all","x"`)
			a.Expect(`42["x"]`)
			early.Connect("/", "")
			early.Answers()
		}, alone)
}

// roomsAck: calls to everyone.
func roomsAck(c *chapter) {
	acks := also(spec.Acks)
	c.ref("08", "a broadcast that asks everyone", "The replies of all clients are collected.",
		func(t *probe.T) {
			a, b := t.Join(), t.Join()
			a.Send(`429["broadcast-ack",2000]`)
			a.Send(`43` + a.Expect(`42<n>["need-ack"]`)["n"] + `["A"]`)
			b.Send(`43` + b.Expect(`42<n>["need-ack"]`)["n"] + `["B"]`)
			t.OneOf("the collected replies", a.Next().Text, `439[null,["A","B"]]`, `439[null,["B","A"]]`)
		}, alone, acks)
	c.ref("09", "a broadcast that one client does not answer", "After the timeout there is an error, beside the replies that came.",
		func(t *probe.T) {
			a, b := t.Join(), t.Join()
			a.Send(`429["broadcast-ack",200]`)
			a.Send(`43` + a.Expect(`42<n>["need-ack"]`)["n"] + `["A"]`)
			b.Expect(`42<n>["need-ack"]`)
			a.Expect(`439["operation has timed out",["A"]]`)
			b.Answers()
		}, alone, acks)
	c.ref("22", "a reply after the timeout of a broadcast", "It is ignored; the connection stays.",
		func(t *probe.T) {
			a, b := t.Join(), t.Join()
			a.Send(`429["broadcast-ack",100]`)
			a.Send(`43` + a.Expect(`42<n>["need-ack"]`)["n"] + `["A"]`)
			n := b.Expect(`42<n>["need-ack"]`)["n"]
			a.Expect(`439["operation has timed out",["A"]]`)
			b.Send(`43` + n + `["late"]`)
			b.Answers()
			a.Answers()
		}, alone, acks)
}
