package chapters

import (
	"fmt"
	"strings"

	"github.com/siokit/siokit/conformance/probe"
	"github.com/siokit/siokit/conformance/spec"
)

// ack holds the cases of chapter S-EV about acknowledgements.
func ack() []spec.Case {
	c := &chapter{
		prefix: "S-EV", source: socketDoc + "Acknowledgement",
		profiles: []spec.Profile{spec.SocketIO, spec.Acks, spec.SingleTransport},
		needs:    []spec.Feature{spec.FeatWebSocket, spec.FeatMirror},
	}
	ackOfServer(c)
	ackIDs(c)
	ackOfClient(c)
	ackTimeout(c)
	return c.cases
}

// acked sends message-with-ack with an id and expects the answer with another
// spelling of it.
func acked(id, answered, args string) func(*probe.T) {
	send := `42` + id + `["message-with-ack"`
	if args != "" {
		send += "," + args
	}
	return joined(send+`]`, `43`+answered+`[`+args+`]`)
}

// ackOfServer: the server answers the client's calls.
func ackOfServer(c *chapter) {
	c.must("83", "an acknowledgement with arguments", "The arguments of an acknowledgement come back with the id of the call.", acked("456", "456", `1,"2",{"3":[false]}`), official)
	c.must("36", "an acknowledgement without arguments", "An acknowledgement without arguments is an empty array.", acked("1", "1", ""))
	c.ref("27", "namespace before id", "The namespace stands before the id: an event with both is delivered, and not acknowledged where the handler does not.",
		func(t *probe.T) {
			s := t.Join("/custom")
			s.Send(`42/custom,7["message","x"]`)
			// A mirror may take the callback for an argument, and ask in turn.
			t.OneOf("the mirrored event", s.Next().Text, `42/custom,["message-back","x"]`, `42/custom,<n>["message-back","x"]`)
			s.Send(`42/custom,["message","alive"]`)
			s.Expect(`42/custom,["message-back","alive"]`)
		}, needs(spec.FeatNsps))
	c.must("28", "an acknowledgement in a namespace", "The acknowledgement names the namespace of its call.",
		func(t *probe.T) {
			s := t.Join("/custom")
			s.Send(`42/custom,7["id"]`)
			s.Expect(`43/custom,7["<id>"]`)
		}, needs(spec.FeatNsps))
	c.ref("37", "an acknowledgement given twice", "A handler that acknowledges twice sends one ACK.",
		joined(`421["double-ack"]`, `431[1]`), needs(spec.FeatEvents))
	c.quirk("38", "an id used twice", "An id may be used again.",
		func(t *probe.T) {
			s := t.Join()
			s.Send(`421["message-with-ack","a"]`, `421["message-with-ack","b"]`)
			s.Expect(`431["a"]`, `431["b"]`)
		})
	c.quirk("39", "an id where the handler ignores it", "No acknowledgement is sent; the mirror asks in turn.", joined(`420["message","a"]`, `42<n>["message-back","a"]`))
	c.ref("84", "an id of an unknown event", "A call of an event without a handler is not answered.", unheard(`429["unknown"]`))
}

// ackIDs: which ids are ids.
func ackIDs(c *chapter) {
	c.must("30", "id 0", "Zero is an id.", acked("0", "0", `"x"`))
	c.must("31", "id 2^53-1", "The largest integer of a double is an id.", acked("9007199254740991", "9007199254740991", `"x"`))
	c.quirk("29", "leading zeros", "Leading zeros are lost.", acked("007", "7", `"x"`))
	c.quirk("32", "an id of twenty digits", "What a double cannot hold is lost.", acked("12345678901234567890", "12345678901234567000", `"x"`))
	c.ref("33", "a negative id", "A sign ends the connection.", joinedCloses(`42-1["message-with-ack","x"]`))
	c.ref("34", "a fraction as id", "A fraction ends the connection.", joinedCloses(`421.5["message-with-ack","x"]`))
	c.quirk("35", "a space as id", "A space is read as zero.", acked(" ", "0", `"x"`))
	c.must("85", "letters as id", "Letters where an id stands end the connection.", joinedCloses(`42abc["message-with-ack",1,"2",{"3":[false]}]`), official)
}

// ackOfClient: the client answers the server's calls.
func ackOfClient(c *chapter) {
	events := needs(spec.FeatEvents)
	// ask makes the server call and returns the id that it chose.
	ask := func(s *probe.Socket) string {
		s.Event(`"emit-with-ack","q"`)
		return s.Expect(`42<n>["emit-with-ack","q"]`)["n"]
	}
	c.must("40", "the server asks", "An acknowledgement of the client reaches the server's callback.",
		func(t *probe.T) {
			s := t.Join()
			s.Send(`43` + ask(s) + `["r",1]`)
			s.Expect(`42["emit-with-ack-result","r",1]`)
		}, events)
	c.quirk("41", "the server's ids", "Each call of the server has an id one higher than the last.",
		func(t *probe.T) {
			s := t.Join()
			s.Send(`42["emit-with-ack","a"]`, `42["emit-with-ack","b"]`)
			s.Expect(`42<n>["emit-with-ack","a"]`, `42<n>["emit-with-ack","b"]`)
		}, events)
	c.must("86", "two calls at once", "Calls of the server have different ids, and may be answered in any order.",
		func(t *probe.T) {
			s := t.Join()
			s.Event(`"emit-with-ack","a"`)
			s.Event(`"emit-with-ack","b"`)
			ids := map[string]string{}
			for range 2 {
				caps := s.Expect(`42<n>["emit-with-ack","<text>"]`)
				ids[caps["text"]] = caps["n"]
			}
			t.Check(len(ids) == 2 && ids["a"] != ids["b"], "the ids are %v", ids)
			s.Send(`43` + ids["b"] + `["for b"]`)
			s.Expect(`42["emit-with-ack-result","for b"]`)
			s.Send(`43` + ids["a"] + `["for a"]`)
			s.Expect(`42["emit-with-ack-result","for a"]`)
		}, events)
	c.must("42", "an acknowledgement that nobody waits for", "An ACK with an unknown id is ignored.", unheard(`43999["x"]`))
	c.ref("43", "an acknowledgement sent twice", "The second answer to a call is ignored.",
		func(t *probe.T) {
			s := t.Join()
			n := ask(s)
			s.Send(`43`+n+`[1]`, `43`+n+`[2]`)
			s.Expect(`42["emit-with-ack-result",1]`)
			s.Answers()
		}, events)
	c.quirk("44", "an acknowledgement without an id", "It is ignored.", unheard(`43["x"]`))
	c.must("45", "an object as payload", "The payload of an ACK is an array: an object ends the connection.", joinedCloses(`431{}`))
	c.ref("46", "an acknowledgement without a payload", "It calls back without arguments.",
		func(t *probe.T) {
			s := t.Join()
			s.Send(`43` + ask(s))
			s.Expect(`42["emit-with-ack-result"]`)
		}, events)
	c.must("87", "an acknowledgement from another client", "An ACK answers only calls to the client that sends it.",
		func(t *probe.T) {
			a, b := t.Join(), t.Join()
			n := ask(a)
			b.Send(`43` + n + `["stolen"]`)
			b.Answers()
			a.Send(`43` + n + `["mine"]`)
			a.Expect(`42["emit-with-ack-result","mine"]`)
		}, events)
	c.must("88", "an acknowledgement in another namespace", "An ACK answers only calls of its namespace.",
		func(t *probe.T) {
			s := t.Join("/", "/custom")
			n := ask(s)
			s.Send(`43/custom,`+n+`["elsewhere"]`, `43`+n+`["here"]`)
			s.Expect(`42["emit-with-ack-result","here"]`)
			s.Answers()
		}, events, needs(spec.FeatCustom))
	c.ref("62", "an acknowledgement to a namespace that was not joined", "It ends the connection.", joinedCloses(`43/custom,1["x"]`), needs(spec.FeatCustom))
	c.must("89", "acknowledgements over polling", "Calls work both ways over polling.",
		func(t *probe.T) {
			p := t.Polling("/socket.io/")
			p.Send("40")
			p.Expect(connected, noAuth)
			p.Send(`425["message-with-ack","x"]`)
			p.Expect(`435["x"]`)
			p.Send(`42["emit-with-ack","q"]`)
			n := p.Expect(`42<n>["emit-with-ack","q"]`)["n"]
			p.Send(`43` + n + `["r"]`)
			p.Expect(`42["emit-with-ack-result","r"]`)
		}, events, needs(spec.FeatPolling), in(spec.SocketIO, spec.Acks, spec.Polling))
	c.must("90", "a hundred calls", "Each of a hundred calls is answered with its own arguments.",
		func(t *probe.T) {
			s := t.Join()
			var send, want []string
			for i := range 100 {
				send = append(send, fmt.Sprintf(`42%d["message-with-ack","%s"]`, 1000-i, strings.Repeat("x", i)))
				want = append(want, fmt.Sprintf(`43%d["%s"]`, 1000-i, strings.Repeat("x", i)))
			}
			s.Send(send...)
			s.ExpectAnyOrder(want...)
		})
}

// ackTimeout: calls of the server with a timeout.
func ackTimeout(c *chapter) {
	events := needs(spec.FeatEvents)
	c.ref("47", "no answer in time", "The server's callback gets an error when no answer comes in time.",
		func(t *probe.T) {
			s := t.Join()
			s.Event(`"emit-timeout",100`)
			s.Expect(`42<n>["no-ack"]`, `42["emit-timeout-result","operation has timed out"]`)
		}, events)
	c.ref("48", "an answer that comes too late", "It is ignored; the connection stays.",
		func(t *probe.T) {
			s := t.Join()
			s.Event(`"emit-timeout",100`)
			n := s.Expect(`42<n>["no-ack"]`)["n"]
			s.Expect(`42["emit-timeout-result","operation has timed out"]`)
			s.Send(`43` + n + `["late"]`)
			s.Answers()
		}, events)
	c.ref("61", "an answer in time", "The server's callback gets no error when the answer comes in time, and nothing after.",
		func(t *probe.T) {
			s := t.Join()
			s.Event(`"emit-timeout",200`)
			n := s.Expect(`42<n>["no-ack"]`)["n"]
			s.Send(`43` + n + `[]`)
			s.Expect(`42["emit-timeout-result",null]`)
			s.Silent()
			s.Answers()
		}, events)
}
