package chapters

import (
	"strings"
	"time"

	"github.com/siokit/siokit/conformance/probe"
	"github.com/siokit/siokit/conformance/spec"
)

const (
	connected = `40{"sid":"<sid>"}`
	noAuth    = `42["auth",{}]`
	refused   = `44/auth-fail,{"message":"not authorized","data":{"code":401,"content":"please retry"}}`
)

// first sends packets on a connection that has joined nothing yet and checks
// what comes, in this order.
func first(send string, want ...string) func(*probe.T) {
	return func(t *probe.T) {
		s := t.SocketIO()
		s.Send(send)
		s.Expect(want...)
	}
}

// firstCloses sends a packet on a connection that has joined nothing yet; it
// must end the connection.
func firstCloses(send string) func(*probe.T) {
	return func(t *probe.T) {
		s := t.SocketIO()
		s.Send(send)
		closedSoon(t, s)
	}
}

// refusedAtRandom asks for a namespace that the server does not have, and takes
// the refusal, whatever it says.
func refusedAtRandom(s *probe.Socket) {
	s.Send("40/random,")
	s.ExpectPrefix("44/random,")
}

// closedSoon checks that a connection that has joined nothing is closed for what
// was sent, and not by the connect timeout, which the server counts from a moment
// after we asked for the connection.
func closedSoon(t *probe.T, s *probe.Socket) {
	s.Closed()
	if age := time.Since(s.Asked); age > 900*time.Millisecond {
		t.Unclear("closed %v after it was asked for, when the connect timeout was near: no evidence that it was closed for this", age.Round(time.Millisecond))
	}
}

// joinedCloses sends packets on a connection that has joined the main namespace;
// they must end it.
func joinedCloses(send ...string) func(*probe.T) {
	return func(t *probe.T) {
		s := t.Join()
		s.Send(send...)
		s.Closed()
	}
}

// joined sends a packet on a connection that has joined the main namespace and
// checks what comes.
func joined(send string, want ...string) func(*probe.T) {
	return func(t *probe.T) {
		s := t.Join()
		s.Send(send)
		s.Expect(want...)
		s.Answers()
	}
}

func connect() []spec.Case {
	c := &chapter{
		prefix: "S-CN", source: socketDoc + "Connection to a namespace",
		profiles: []spec.Profile{spec.SocketIO, spec.SingleTransport},
		needs:    []spec.Feature{spec.FeatWebSocket, spec.FeatMirror},
	}
	connectMain(c)
	connectNamespaces(c)
	connectRefused(c)
	connectTooEarly(c)
	connectMiddleware(c)
	connectOrder(c)
	connectPolling(c)
	connectHandshake(c)
	return c.cases
}

// connectMain: the main namespace.
func connectMain(c *chapter) {
	c.must("01", "CONNECT", "A CONNECT is answered with the socket's id, and the connection handler runs.", first("40", connected, noAuth), official)
	c.must("02", "CONNECT with an empty payload", "An empty object is a payload like none.", first("40{}", connected, noAuth))
	c.must("47", "CONNECT with a payload", "The payload of a CONNECT reaches the application.",
		first(`40{"token":"123","nested":{"a":[1,true,null]}}`, connected, `42["auth",{"token":"123","nested":{"a":[1,true,null]}}]`), official)
	c.must("03", "CONNECT that names the main namespace", "The main namespace may be named.", first("40/,", connected, noAuth))
	c.ref("11", "CONNECT twice", "A second CONNECT to the same namespace ends the connection.", joinedCloses("40"))
	c.quirk("22", "CONNECT with an acknowledgement id", "The id is ignored.", first("401{}", connected, noAuth))
	c.quirk("38", "__proto__ in the payload", "It is a key like others.",
		first(`40{"__proto__":{"x":1},"a":1}`, connected, `42["auth",{"__proto__":{"x":1},"a":1}]`))
	c.ref("34", "ids", "The socket has an id of its own in each namespace, and none of them is the session's.",
		func(t *probe.T) {
			s := t.SocketIO()
			ids := map[string]bool{s.SID: true, s.Connect("/", ""): true, s.Connect("/custom", ""): true}
			probe.Equal(t, "different ids", 3, len(ids))
		}, needs(spec.FeatCustom))
	c.ref("48", "the form of an id", "The id of a socket is twenty characters of the URL-safe alphabet.",
		func(t *probe.T) {
			id := t.SocketIO().Connect("/", "")
			t.Check(len(id) == 20 && urlSafe(id), "the id is %q", id)
		})
}

// connectNamespaces: other namespaces.
func connectNamespaces(c *chapter) {
	custom := needs(spec.FeatCustom)
	joinsCustom := []string{`40/custom,{"sid":"<sid>"}`, `42/custom,["auth",{}]`}
	c.must("04", "CONNECT to a namespace without a comma", "The comma behind the namespace may be left out when nothing follows.",
		first("40/custom", joinsCustom...), custom)
	c.must("05", "CONNECT to a namespace alone", "A namespace may be joined without joining the main one.", first("40/custom,", joinsCustom...), custom, official)
	c.must("49", "CONNECT to a namespace with a payload", "The payload reaches the handler of that namespace.",
		first(`40/custom,{"token":"abc"}`, joinsCustom[0], `42/custom,["auth",{"token":"abc"}]`), custom, official)
	c.ref("12", "CONNECT twice to a namespace", "A second CONNECT to the same namespace ends the connection.",
		func(t *probe.T) {
			s := t.Join("/custom")
			s.Send("40/custom,")
			s.Closed()
		}, custom)
	c.must("06", "CONNECT to an unknown namespace", "A namespace that the server does not have is refused with CONNECT_ERROR.",
		first("40/random,", `44/random,{"message":"Invalid namespace"}`), official)
	c.must("07", "CONNECT elsewhere after a refusal", "A refused CONNECT leaves the connection open for others.",
		func(t *probe.T) {
			s := t.SocketIO()
			refusedAtRandom(s)
			s.Connect("/", "")
			s.Answers()
		})
	c.must("50", "several namespaces on one connection", "Namespaces of one connection are joined and used side by side.",
		func(t *probe.T) {
			s := t.Join("/", "/custom", "/custom2")
			for _, nsp := range []string{"/custom2", "/", "/custom"} {
				s.Send(probe.Prefix("42", nsp) + `["message","` + nsp + `"]`)
				s.Expect(probe.Prefix("42", nsp) + `["message-back","` + nsp + `"]`)
			}
		}, needs(spec.FeatNsps))
	c.ref("29", "a namespace made on demand", "A namespace whose name fits a pattern of the application is joined like others.",
		first(`40/dyn-1,{"a":1}`, `40/dyn-1,{"sid":"<sid>"}`, `42/dyn-1,["auth",{"a":1}]`), needs(spec.FeatNsps))
	c.ref("30", "a name that fits no pattern", "A name that fits no pattern is an unknown namespace.",
		first("40/dyn-x,", `44/dyn-x,{"message":"Invalid namespace"}`), needs(spec.FeatNsps))
	c.ref("31", "a namespace with a query string", "A query string is part of the name.",
		first("40/custom?a=b,", `44/custom?a=b,{"message":"Invalid namespace"}`), custom)
	c.ref("32", "a namespace with a slash at the end", "A slash at the end is part of the name.",
		first("40/custom/,", `44/custom/,{"message":"Invalid namespace"}`), custom)
	c.ref("33", "a namespace without a slash", "A name without its slash is a payload that cannot be read.", firstCloses("40custom,"))
	c.must("45", "EVENT in a namespace", "A namespace works without the main one.",
		func(t *probe.T) {
			s := t.Join("/custom")
			s.Send(`42/custom,["message",1]`)
			s.Expect(`42/custom,["message-back",1]`)
		}, custom, needs(spec.FeatNsps))
}

// connectRefused: payloads that cannot be read.
func connectRefused(c *chapter) {
	c.ref("18", "an array as payload", "The payload of a CONNECT is an object: an array ends the connection.", firstCloses("40[]"))
	c.ref("19", "a string as payload", "The payload of a CONNECT is an object: a string ends the connection.", firstCloses(`40"x"`))
	c.ref("20", "null as payload", "The payload of a CONNECT is an object: null ends the connection.", firstCloses("40null"))
	c.ref("51", "a number as payload", "The payload of a CONNECT is an object: a number cannot be told from an id, and a boolean ends the connection.", firstCloses("40true"))
	c.must("21", "broken JSON as payload", "A payload that is no JSON ends the connection.", firstCloses("40{"))
	c.must("52", "an unknown packet type before CONNECT", "A packet type that does not exist ends the connection.", firstCloses("4abc"), official)
}

// connectTooEarly: what a connection may not do, or not do in time.
func connectTooEarly(c *chapter) {
	c.must("09", "no CONNECT", "A connection that joins nothing is closed after the connect timeout.",
		func(t *probe.T) {
			s := t.SocketIO()
			s.Prove()
			s.Closed() // and not by a ping timeout
			t.Between("the end", time.Second, s.Asked, s.Opened, time.Now())
		}, official)
	c.ref("08", "only a refused CONNECT", "A refused CONNECT does not stop the connect timeout.",
		func(t *probe.T) {
			s := t.SocketIO()
			s.Prove()
			refusedAtRandom(s)
			s.Closed() // and not by a ping timeout
			t.Between("the end", time.Second, s.Asked, s.Opened, time.Now())
		})
	c.must("53", "CONNECT stops the connect timeout", "A connection that has joined a namespace stays.",
		func(t *probe.T) {
			s := t.Join()
			s.SilentFor(time.Second + t.Slack)
			s.Answers()
		})
	c.must("13", "EVENT before CONNECT", "An EVENT without a CONNECT ends the connection.", firstCloses(`42["message","x"]`))
	c.ref("14", "EVENT to a namespace that was not joined", "An EVENT for a namespace that the client has not joined ends the connection.",
		joinedCloses(`42/custom,["message","x"]`), needs(spec.FeatCustom))
	c.ref("15", "DISCONNECT before CONNECT", "A DISCONNECT without a CONNECT ends the connection.", firstCloses("41"))
	c.ref("16", "ACK before CONNECT", "An ACK without a CONNECT ends the connection.", firstCloses(`431["x"]`))
	c.ref("54", "BINARY_EVENT before CONNECT", "A binary EVENT without a CONNECT ends the connection.",
		func(t *probe.T) {
			s := t.SocketIO()
			attach(s, `451-["message",`+place(0)+`]`, 1)
			closedSoon(t, s)
		})
	c.ref("17", "CONNECT_ERROR from the client", "Only a server sends CONNECT_ERROR: one from the client ends the connection.", joinedCloses(`44{"message":"x"}`))
}

// connectMiddleware: applications that refuse, or take their time.
func connectMiddleware(c *chapter) {
	nsps := needs(spec.FeatNsps)
	c.ref("23", "refused with data", "An application's refusal is a CONNECT_ERROR with message and data.", first("40/auth-fail,", refused), nsps)
	c.must("24", "refused without data", "An application's refusal without data has a message only.",
		first("40/auth-fail-nodata,", `44/auth-fail-nodata,{"message":"nope"}`), nsps)
	c.ref("25", "CONNECT again after a refusal", "A client may try a refused namespace again on the same connection.",
		func(t *probe.T) {
			s := t.SocketIO()
			for range 2 {
				s.Send("40/auth-fail,")
				s.Expect(refused)
			}
		}, nsps)
	c.quirk("26", "a slow namespace and a fast one", "A CONNECT that the application decides at once does not wait for a slow one.",
		func(t *probe.T) {
			s := t.SocketIO()
			s.SendTogether("40/auth-slow,", "40")
			s.Expect(connected, noAuth, `40/auth-slow,{"sid":"<sid>"}`, `42/auth-slow,["auth",{}]`)
		}, nsps)
	c.must("55", "a slow application", "A CONNECT is answered when the application has decided.",
		func(t *probe.T) {
			s := t.Join("/auth-slow")
			t.Check(time.Since(s.Opened) > 95*time.Millisecond, "it was answered before the application decided")
		}, nsps)
	c.quirk("27", "EVENT while the application decides", "An EVENT to a namespace that is being joined ends the connection.",
		func(t *probe.T) {
			s := t.SocketIO()
			s.SendTogether("40/auth-slow,", `42/auth-slow,["message",1]`)
			s.Closed()
		}, nsps)
	c.quirk("28", "CONNECT twice while the application decides", "Both CONNECTs are answered, each with a socket of its own.",
		func(t *probe.T) {
			s := t.SocketIO()
			s.SendTogether("40/auth-slow,", "40/auth-slow,")
			answer := []string{`40/auth-slow,{"sid":"<sid>"}`, `42/auth-slow,["auth",{}]`}
			s.Expect(append(answer, answer...)...)
		}, nsps)
}

// connectOrder: packets right behind a CONNECT.
func connectOrder(c *chapter) {
	c.must("43", "EVENT after the answer to CONNECT", "A client that waited for the answer may send events.", joined(`42["message",1]`, `42["message-back",1]`))
	c.quirk("42", "EVENT right behind CONNECT", "An EVENT that arrives with the CONNECT ends the connection.",
		func(t *probe.T) {
			s := t.SocketIO()
			s.SendTogether("40", `42["message",1]`)
			s.Closed()
		})
	c.ref("56", "EVENT right behind CONNECT, either way", "An EVENT that arrives with the CONNECT is delivered behind the answer, or ends the connection; nothing in between.",
		func(t *probe.T) {
			s := t.SocketIO()
			s.SendTogether("40", `42["message",1]`)
			for _, want := range []string{connected, noAuth, `42["message-back",1]`} {
				f := s.Take(t.Patience)
				if f == nil {
					t.Check(s.HasEnded(), "no more frames, and the connection is open")
					return
				}
				t.Match("frame", want, f.Text)
			}
		})
	c.must("57", "two CONNECTs in one segment", "CONNECTs to different namespaces that arrive together are both answered.",
		func(t *probe.T) {
			s := t.SocketIO()
			s.SendTogether("40", "40/custom,")
			s.ExpectAnyOrder(connected, noAuth, `40/custom,{"sid":"<sid>"}`, `42/custom,["auth",{}]`)
		}, needs(spec.FeatCustom))
}

// connectPolling: namespaces over polling and across an upgrade.
func connectPolling(c *chapter) {
	polling := in(spec.SocketIO, spec.Polling)
	only := only(spec.FeatPolling, spec.FeatMirror)
	c.must("35", "CONNECT over polling", "Over polling the answer and the first event come in one or more polls, in order.",
		func(t *probe.T) {
			p := t.Polling("/socket.io/")
			p.Send("40")
			p.Expect(connected, noAuth)
		}, polling, only)
	c.must("44", "two CONNECTs in one payload", "CONNECTs to different namespaces in one payload are both answered.",
		func(t *probe.T) {
			p := t.Polling("/socket.io/")
			p.Send("40", "40/custom,")
			// Namespaces are independent: only the order within each counts.
			main, custom := []string{connected, noAuth}, []string{`40/custom,{"sid":"<sid>"}`, `42/custom,["auth",{}]`}
			for len(main)+len(custom) > 0 {
				packet := p.Next()
				next := &main
				if strings.Contains(packet, "/custom,") {
					next = &custom
				}
				t.Check(len(*next) > 0, "one packet too many: %s", packet)
				t.Match("packet", (*next)[0], packet)
				*next = (*next)[1:]
			}
		}, polling, only, needs(spec.FeatCustom))
	c.quirk("36", "CONNECT and EVENT in one payload", "The EVENT comes too early and ends the session.",
		func(t *probe.T) {
			p := t.Polling("/socket.io/")
			p.Send("40", `42["message",1]`)
			p.Get().Is(200, "6\x1e1")
			p.Gone()
		}, polling, only)
	c.ref("10", "no CONNECT over polling", "A polling session that joins nothing gets pings, then a close packet after the connect timeout.",
		func(t *probe.T) {
			p := t.Polling("/socket.io/")
			for {
				packets := p.GetAll().Status(200).Packets()
				if packets[0] != "2" {
					// A noop goes before it when no poll was pending.
					t.OneOf("the last packets", strings.Join(packets, " "), "1", "6 1")
					break
				}
				t.Check(time.Since(p.Opened) < time.Second+t.Slack, "still open %v after the handshake", time.Since(p.Opened).Round(time.Millisecond))
				p.Post("3")
			}
			t.Between("the end", time.Second, p.Asked, p.Opened, time.Now())
			p.Gone()
		}, polling, only)
	c.must("58", "events over polling", "Events and acknowledgements work over polling.",
		func(t *probe.T) {
			p := t.Polling("/socket.io/")
			p.Send("40")
			p.Expect(connected, noAuth)
			p.Send(`42["message",{"a":[1,"é"]}]`)
			p.Expect(`42["message-back",{"a":[1,"é"]}]`)
			p.Send(`421["message-with-ack","x"]`)
			p.Expect(`431["x"]`)
		}, polling, only)
	c.must("46", "CONNECT over polling, EVENT after the upgrade", "The namespace stays joined across the upgrade.",
		func(t *probe.T) {
			p := t.Polling("/socket.io/")
			p.Send("40")
			p.Expect(connected, noAuth)
			s := p.Upgrade()
			s.Send(`42["message",1]`)
			s.Expect(`42["message-back",1]`)
		}, in(spec.SocketIO, spec.Upgrade), only, needs(spec.FeatUpgrade))
	c.must("59", "CONNECT across the upgrade", "The answer to a CONNECT over polling comes once, wherever the upgrade finds it.",
		func(t *probe.T) {
			p := t.Polling("/socket.io/")
			s := p.Attach()
			s.Send("2probe")
			s.Expect("3probe")
			p.Send("40")
			s.Send("5")
			p.Forget()
			s.Expect(connected, noAuth)
			s.Answers()
		}, in(spec.SocketIO, spec.Upgrade), only, needs(spec.FeatUpgrade))
}

// connectHandshake: what the application sees of the handshake, and refusals
// before any CONNECT.
func connectHandshake(c *chapter) {
	c.ref("37", "the handshake's details", "The application sees headers, time, address, xdomain, secure, issued, url, query and auth.",
		func(t *probe.T) {
			s := t.WebSocketWith("/socket.io/?foo=bar", probe.SocketOptions{Header: []field{{Name: "X-Test", Value: "1"}}})
			s.Connect("/", `{"token":"abc"}`)
			s.Send(`421["handshake"]`)
			d := s.Reply(1)[0]
			t.Fields("the handshake", d, "headers", "time", "address", "xdomain", "secure", "issued", "url", "query", "auth")
			t.Member("query", `{"foo":"bar","EIO":"4","transport":"websocket"}`, d, "query")
			t.Member("auth", `{"token":"abc"}`, d, "auth")
			t.Member("xdomain", `false`, d, "xdomain")
			t.Member("secure", `false`, d, "secure")
			t.Member("a header", `"1"`, d, "headers", "x-test")
		}, needs(spec.FeatEvents))
	c.ref("39", "refused by the application at the Socket.IO path", "A handshake that the application refuses gets status 403, code 4 and its text.",
		func(t *probe.T) {
			t.Get("/socket.io/?EIO=4&transport=polling&deny=no").Error(403, 4, "no")
		}, in(spec.SocketIO), only(spec.FeatPolling, spec.FeatSockets, spec.FeatOptions))
	c.ref("40", "a client of Socket.IO 2", "A handshake of revision 3 is refused with status 400.",
		func(t *probe.T) {
			t.Get("/socket.io/?EIO=3&transport=polling").Refused()
			t.Polling("/socket.io/")
		}, in(spec.SocketIO), only(spec.FeatPolling, spec.FeatSockets))
}
