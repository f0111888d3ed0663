package chapters

import (
	"strings"

	"github.com/siokit/siokit/conformance/probe"
	"github.com/siokit/siokit/conformance/spec"
	"github.com/siokit/siokit/conformance/wire"
)

// opened is an open packet of the engine path, whatever it announces.
const opened = `0{"sid":"<sid>","upgrades":"<any>","pingInterval":"<n>","pingTimeout":"<n>","maxPayload":"<n>"}`

// calm is the echo path to use where a case is about anything but heartbeats:
// the one with long intervals, where the server has it.
func calm(t *probe.T) string {
	if t.Has(string(spec.FeatLongPing)) {
		return "/eio-slow/"
	}
	return "/engine.io/"
}

// get sends a GET to the engine path with a query.
func get(t *probe.T, query string) *probe.Answer { return t.Get("/engine.io/?" + query) }

// wsRefused asks for a WebSocket and returns the plain answer; a server may
// also close without one, which gives status 0.
func wsRefused(t *probe.T, target string, header ...wire.Field) *probe.Answer {
	s, refusal := t.TryRaw(target, probe.SocketOptions{Header: header})
	if s != nil {
		t.Failf("the WebSocket handshake %s was accepted", target)
	}
	return refusal
}

// noSession asks for a WebSocket that must not get a session: refused before
// the 101, or closed right after it without an open packet.
func noSession(t *probe.T, target string) {
	s, refusal := t.TryRaw(target, probe.SocketOptions{})
	if s == nil {
		t.Check(refusal.Response.Status == 0 || refusal.Response.Status >= 400, "the answer is %d", refusal.Response.Status)
		return
	}
	// The reference writes a plain HTTP error into the upgraded stream: no frame.
	if f := s.Take(t.Patience); f != nil {
		t.Failf("a frame came: %s", f.Text)
	}
}

// accepts proves that the server opens a session when asked in the right way.
func accepts(t *probe.T) {
	if t.Has(string(spec.FeatPolling)) {
		t.Polling("/engine.io/")
	} else {
		t.WebSocket("/engine.io/")
	}
}

func handshake() []spec.Case {
	c := &chapter{prefix: "E-HS", source: engineDoc + "Handshake", profiles: []spec.Profile{spec.Engine}, needs: []spec.Feature{spec.FeatHandshake}, proof: accepts}
	handshakeQuery(c)
	handshakeSession(c)
	handshakePath(c)
	handshakeOpen(c)
	handshakeWebSocket(c)
	return c.cases
}

// handshakeQuery: requests that open no session because of their query or method.
func handshakeQuery(c *chapter) {
	unknown := func(query string) func(*probe.T) {
		return func(t *probe.T) { get(t, query).Refused() }
	}
	unsupported := func(query string) func(*probe.T) {
		return func(t *probe.T) { get(t, query).Refused() }
	}
	method := func(name string) func(*probe.T) {
		return func(t *probe.T) {
			t.Do(wire.Request{Method: name, Target: "/engine.io/?EIO=4&transport=polling"}).Refused()
		}
	}
	c.must("01", "no transport in the query", "A request that names no transport is refused with status 400.",
		unknown("EIO=4"), official)
	c.must("02", "unknown transport", "A transport that the server does not know is refused with status 400.",
		unknown("EIO=4&transport=abc"), official)
	c.ref("75", "the body for an unknown transport", "A transport that is missing or unknown has the code 0, Transport unknown, as JSON.",
		func(t *probe.T) {
			get(t, "EIO=4").Error(400, 0, "Transport unknown").Media("application/json")
			get(t, "EIO=4&transport=abc").Error(400, 0, "Transport unknown").Media("application/json")
		})
	c.ref("03", "webtransport over plain HTTP", "The name of a transport that does not come over HTTP requests is unknown there.",
		unknown("EIO=4&transport=webtransport"))
	c.ref("04", "a transport called constructor", "Names of language internals are unknown transports like others.",
		unknown("EIO=4&transport=constructor"))
	c.must("05", "no protocol version", "A handshake without EIO is refused with status 400.",
		unsupported("transport=polling"), needs(spec.FeatPolling), official)
	c.ref("76", "the body for a wrong version", "A version that is missing or not supported has the code 5, Unsupported protocol version, as JSON.",
		func(t *probe.T) {
			get(t, "transport=polling").Error(400, 5, "Unsupported protocol version").Media("application/json")
			get(t, "EIO=5&transport=polling").Error(400, 5, "Unsupported protocol version").Media("application/json")
		}, needs(spec.FeatPolling))
	c.must("06", "EIO=3 where revision 3 is not allowed", "A handshake of revision 3 is refused with status 400 unless the server was told to accept it.",
		unsupported("EIO=3&transport=polling"), needs(spec.FeatPolling))
	c.must("07", "EIO=5", "A handshake of a revision that does not exist is refused with status 400.",
		unsupported("EIO=5&transport=polling"), needs(spec.FeatPolling))
	c.ref("08", "EIO=2", "A handshake of a revision from long ago is refused with status 400.",
		unsupported("EIO=2&transport=polling"), needs(spec.FeatPolling))
	c.quirk("09", "EIO=4 given twice", "The same version given twice is accepted.",
		func(t *probe.T) { get(t, "EIO=4&EIO=4&transport=polling").Is(200, opened) }, needs(spec.FeatPolling))
	c.must("10", "POST without sid", "A session is opened with GET only: POST without sid gets status 400.",
		func(t *probe.T) { t.Post("/engine.io/?EIO=4&transport=polling", "").Refused() }, needs(spec.FeatPolling), official)
	c.must("11", "PUT without sid", "A session is opened with GET only: PUT without sid gets status 400.",
		method("PUT"), needs(spec.FeatPolling), official)
	c.ref("77", "the body for a wrong method", "A handshake that is no GET has the code 2, Bad handshake method, as JSON.",
		func(t *probe.T) {
			t.Post("/engine.io/?EIO=4&transport=polling", "").Error(400, 2, "Bad handshake method").Media("application/json")
		}, needs(spec.FeatPolling))
	c.quirk("12", "HEAD without sid", "HEAD opens no session: status 400 without a body.",
		func(t *probe.T) {
			t.Do(wire.Request{Method: "HEAD", Target: "/engine.io/?EIO=4&transport=polling"}).Is(400, "")
		}, needs(spec.FeatPolling))
	c.quirk("13", "OPTIONS without sid where CORS is off", "Without a CORS configuration OPTIONS is a wrong method like others.",
		func(t *probe.T) {
			t.Do(wire.Request{Method: "OPTIONS", Target: "/eio-slow/?EIO=4&transport=polling"}).Error(400, 2, "Bad handshake method")
		}, needs(spec.FeatPolling, spec.FeatLongPing))
	c.quirk("14", "preflight request where every origin is allowed", "A CORS preflight is answered with 204, any origin and the usual methods.",
		func(t *probe.T) {
			a := t.Do(wire.Request{Method: "OPTIONS", Target: "/engine.io/?EIO=4&transport=polling", Header: []wire.Field{
				{Name: "Origin", Value: "http://example.com"}, {Name: "Access-Control-Request-Method", Value: "POST"}}})
			a.Is(204, "").Field("Access-Control-Allow-Origin", "*").Field("Access-Control-Allow-Methods", "GET,HEAD,PUT,PATCH,POST,DELETE")
		}, needs(spec.FeatPolling))
	c.must("19", "websocket without an Upgrade header", "A plain GET with transport=websocket opens no session.",
		func(t *probe.T) {
			a := get(t, "EIO=4&transport=websocket")
			t.Check(a.Response.Status >= 400, "it was answered with %d", a.Response.Status)
		}, needs(spec.FeatWebSocket))
	c.ref("78", "the body for a bad request", "A request that does not fit its transport has the code 3, Bad request, as JSON.",
		func(t *probe.T) {
			get(t, "EIO=4&transport=websocket").Error(400, 3, "Bad request").Media("application/json")
		}, needs(spec.FeatWebSocket))
	c.ref("23", "refused by the application", "A handshake that the application refuses without a text gets status 403 and code 4, Forbidden, as JSON.",
		func(t *probe.T) {
			get(t, "EIO=4&transport=polling&deny=").Error(403, 4, "Forbidden").Media("application/json")
		}, needs(spec.FeatPolling, spec.FeatOptions))
	c.ref("24", "refused by the application with a text", "A handshake that the application refuses with a text gets status 403, code 4 and that text.",
		func(t *probe.T) { get(t, "EIO=4&transport=polling&deny=because").Error(403, 4, "because") }, needs(spec.FeatPolling, spec.FeatOptions))
	c.ref("26", "the application is asked about handshakes only", "Requests of a session that is open are not judged by the application again.",
		func(t *probe.T) {
			p := t.Polling(calm(t))
			p.Send("4x")
			t.Get(p.URL+"&deny=late").Is(200, "4x")
		}, needs(spec.FeatPolling, spec.FeatEcho, spec.FeatOptions))
	c.quirk("27", "many errors at once", "The transport is checked before anything else.",
		func(t *probe.T) {
			t.Post("/engine.io/?EIO=3&transport=abc&sid=abc", "").Error(400, 0, "Transport unknown")
		})
	c.quirk("28", "wrong version and unknown session", "The session is checked before the version.",
		func(t *probe.T) { get(t, "EIO=3&transport=polling&sid=abc").Error(400, 1, "Session ID unknown") }, needs(spec.FeatPolling))
	c.quirk("29", "wrong version and wrong method", "The method is checked before the version.",
		func(t *probe.T) {
			t.Post("/engine.io/?EIO=3&transport=polling", "").Error(400, 2, "Bad handshake method")
		}, needs(spec.FeatPolling))
	c.quirk("30", "wrong version and refused by the application", "The application is asked before the version is checked.",
		func(t *probe.T) { get(t, "EIO=3&transport=polling&deny=1").Error(403, 4, "1") }, needs(spec.FeatPolling, spec.FeatOptions))
	c.quirk("34", "unknown query parameters", "Parameters that mean nothing to the server are ignored.",
		func(t *probe.T) { get(t, "EIO=4&transport=polling&t=N8hyd6w&b64=1&foo=bar").Is(200, opened) }, needs(spec.FeatPolling))
}

// handshakeSession: requests that name a session.
func handshakeSession(c *chapter) {
	c.must("15", "poll of an unknown session", "A request with a sid that no session has gets status 400.",
		func(t *probe.T) { get(t, "EIO=4&transport=polling&sid=unknown").Refused() }, needs(spec.FeatPolling))
	c.must("16", "POST to an unknown session", "A POST with a sid that no session has gets status 400.",
		func(t *probe.T) { t.Post("/engine.io/?EIO=4&transport=polling&sid=unknown", "4x").Refused() }, needs(spec.FeatPolling))
	c.must("17", "a session called __proto__", "Names of language internals are unknown sessions like others.",
		func(t *probe.T) { get(t, "EIO=4&transport=polling&sid=__proto__").Refused() }, needs(spec.FeatPolling))
	c.ref("79", "the body for an unknown session", "A sid that no session has has the code 1, Session ID unknown, as JSON.",
		func(t *probe.T) {
			get(t, "EIO=4&transport=polling&sid=unknown").Error(400, 1, "Session ID unknown").Media("application/json")
			t.Post("/engine.io/?EIO=4&transport=polling&sid=unknown", "4x").Error(400, 1, "Session ID unknown")
		}, needs(spec.FeatPolling))
	c.ref("18", "an empty sid", "An empty sid is no sid: the request opens a session.",
		func(t *probe.T) { get(t, "EIO=4&transport=polling&sid=").Is(200, opened) }, needs(spec.FeatPolling))
	c.ref("20", "websocket named in a plain request of a polling session", "A request whose transport is not the session's is refused with status 400; the session goes on.",
		func(t *probe.T) {
			p := t.Polling(calm(t))
			t.Get(strings.Replace(p.URL, "transport=polling", "transport=websocket", 1)).Refused()
			p.Alive()
		}, needs(spec.FeatPolling, spec.FeatWebSocket, spec.FeatEcho))
	c.ref("21", "another version on a session", "A request whose version is not the session's is refused with status 400; the session goes on.",
		func(t *probe.T) {
			p := t.Polling(calm(t))
			t.Get(strings.Replace(p.URL, "EIO=4", "EIO=3", 1)).Refused()
			p.Alive()
		}, needs(spec.FeatPolling, spec.FeatEcho))
	c.ref("22", "no version on a session", "A request without a version on a session of revision 4 is refused with status 400.",
		func(t *probe.T) {
			p := t.Polling(calm(t))
			t.Get(strings.Replace(p.URL, "EIO=4&", "", 1)).Refused()
		}, needs(spec.FeatPolling))
}

// handshakePath: where the server answers, and where not.
func handshakePath(c *chapter) {
	const query = "?EIO=4&transport=polling"
	c.ref("31", "path without the trailing slash", "The path without its trailing slash is somebody else's.",
		func(t *probe.T) {
			t.Get(strings.TrimSuffix(t.Target("/engine.io/"), "/") + query).Status(404)
		}, needs(spec.FeatPolling))
	c.quirk("32", "path with a suffix", "Anything below the path is the server's too.",
		func(t *probe.T) { t.Get(t.Target("/engine.io/")+"foo"+query).Is(200, opened) }, needs(spec.FeatPolling))
	c.ref("33", "path in other letter case", "Paths are compared with regard to letter case.",
		func(t *probe.T) { t.Get("/Engine.IO/" + query).Status(404) }, needs(spec.FeatPolling))
}

// handshakeOpen: the open packet.
func handshakeOpen(c *chapter) {
	c.must("35", "the open packet", "The open packet holds sid, upgrades, pingInterval, pingTimeout and maxPayload with the right types, once each, and nothing else.",
		func(t *probe.T) {
			p := t.Polling("/engine.io/")
			t.Match("open packet", opened, p.Raw)
			t.Check(p.PingInterval > 0 && p.PingTimeout > 0 && p.MaxPayload > 0, "an interval or the limit is not positive: %s", p.Raw)
			for _, u := range p.Upgrades {
				t.Check(u == "websocket" || u == "webtransport", "%q is offered as an upgrade", u)
			}
		}, needs(spec.FeatPolling), official)
	c.ref("70", "the open packet's bytes", "Keys stand in the order of the reference, without white space.",
		func(t *probe.T) {
			p := t.Polling("/engine.io/")
			keys := []string{`0{"sid":"`, `","upgrades":[`, `],"pingInterval":`, `,"pingTimeout":`, `,"maxPayload":`, `}`}
			rest := p.Raw
			for _, k := range keys {
				i := strings.Index(rest, k)
				t.Check(i >= 0, "%s is not where it should be in %s", k, p.Raw)
				rest = rest[i+len(k):]
			}
			probe.Equal(t, "bytes after the packet", "", rest)
			t.Check(!strings.ContainsAny(p.Raw, " \t\r\n"), "white space in %s", p.Raw)
		}, needs(spec.FeatPolling))
	c.ref("71", "the contract's intervals", "The handshake announces the intervals, to the millisecond, and the limit that the server was configured with.",
		func(t *probe.T) {
			p := t.Polling("/engine.io/")
			t.Match("open packet", `0{"sid":"<sid>","upgrades":"<any>","pingInterval":300,"pingTimeout":200,"maxPayload":1000000}`, p.Raw)
		}, needs(spec.FeatPolling, spec.FeatEcho), from("the suite's contract, level 0"), official)
	c.must("72", "two handshakes", "Every session has an id of its own.",
		func(t *probe.T) {
			seen := map[string]bool{}
			for range 20 {
				sid := t.Polling("/engine.io/").SID
				t.Check(!seen[sid], "the id %s came twice", sid)
				seen[sid] = true
			}
		}, needs(spec.FeatPolling))
	c.ref("36", "session id", "The id is twenty characters of the URL-safe alphabet.",
		func(t *probe.T) {
			sid := t.Polling("/engine.io/").SID
			probe.Equal(t, "length of "+sid, 20, len(sid))
			t.Check(urlSafe(sid), "%q has other characters", sid)
		}, needs(spec.FeatPolling))
	c.ref("46", "upgrades of a polling-only server", "A server without websocket offers no upgrade.",
		func(t *probe.T) { probe.Equal(t, "upgrades", 0, len(t.Polling("/eio-polling/").Upgrades)) }, needs(spec.FeatOptions))
	c.must("47", "upgrades where they are switched off", "A server that allows no upgrade offers none.",
		func(t *probe.T) { probe.Equal(t, "upgrades", 0, len(t.Polling("/eio-noup/").Upgrades)) }, needs(spec.FeatOptions))
	c.must("73", "websocket is offered as an upgrade", "A server with both transports offers websocket to who comes by polling.",
		func(t *probe.T) {
			p := t.Polling("/engine.io/")
			t.Check(contains(p.Upgrades, "websocket"), "upgrades are %v", p.Upgrades)
		}, needs(spec.FeatPolling, spec.FeatWebSocket), official)
	c.ref("48", "initial packet over polling", "The initial packet stands right behind the open packet in the first answer.",
		func(t *probe.T) {
			a := t.Get("/eio-init/?EIO=4&transport=polling").Status(200)
			packets := a.Packets()
			probe.Equal(t, "packets in the first answer", 2, len(packets))
			t.Match("open packet", opened, packets[0])
			probe.Equal(t, "initial packet", "4hello", packets[1])
		}, needs(spec.FeatOptions))
}

func urlSafe(s string) bool {
	return strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == ""
}

// handshakeWebSocket: sessions that begin over WebSocket, and refusals there.
func handshakeWebSocket(c *chapter) {
	ws := in(spec.WebSocket)
	single := in(spec.WebSocket, spec.SingleTransport)
	c.quirk("25", "websocket refused by the application", "The refusal is a plain answer with status 400 and the text.",
		func(t *probe.T) {
			wsRefused(t, "/engine.io/?EIO=4&transport=websocket&deny=because").Is(400, "because")
		}, ws, needs(spec.FeatWebSocket, spec.FeatOptions))
	c.ref("45", "websocket on a polling-only server", "A server without websocket answers an upgrade request like any other: with status 400.",
		func(t *probe.T) {
			wsRefused(t, "/eio-polling/?EIO=4&transport=websocket").Refused()
			t.Polling("/eio-polling/")
		}, needs(spec.FeatOptions))
	c.ref("44", "polling on a websocket-only server", "A server without polling refuses a polling handshake with status 400.",
		func(t *probe.T) {
			t.Get("/eio-ws/?EIO=4&transport=polling").Refused()
			t.WebSocket("/eio-ws/")
		}, needs(spec.FeatOptions), also(spec.SingleTransport))
	c.ref("49", "initial packet over websocket", "The initial packet is the second frame.",
		func(t *probe.T) { t.WebSocket("/eio-init/").Expect("4hello") }, ws, needs(spec.FeatOptions))
	c.must("50", "the first frame", "The first frame of a session that begins over WebSocket is the open packet, without upgrades.",
		func(t *probe.T) {
			s := t.WebSocket("/engine.io/")
			t.Match("open packet", opened, s.Raw)
			probe.Equal(t, "upgrades", 0, len(s.Upgrades))
		}, single, needs(spec.FeatWebSocket), official)
	c.ref("51", "websocket upgrade with an unknown transport", "The refusal is a plain answer with status 400 that says so.",
		func(t *probe.T) {
			wsRefused(t, "/engine.io/?EIO=4&transport=abc").Status(400).Contains("Transport unknown")
		}, single, needs(spec.FeatWebSocket), official)
	c.quirk("52", "websocket upgrade without a version", "No session comes of it.",
		func(t *probe.T) { noSession(t, "/engine.io/?transport=websocket") }, ws, needs(spec.FeatWebSocket))
	c.quirk("53", "websocket upgrade with EIO=3", "No session comes of it where revision 3 is not allowed.",
		func(t *probe.T) { noSession(t, "/engine.io/?EIO=3&transport=websocket") }, in(spec.EIO3, spec.WebSocket), needs(spec.FeatWebSocket))
	c.must("69", "websocket upgrade with a wrong version", "A handshake over WebSocket that names no version, or one that does not exist, opens no session.",
		func(t *probe.T) {
			noSession(t, "/engine.io/?transport=websocket")
			noSession(t, "/engine.io/?EIO=abc&transport=websocket")
		}, single, needs(spec.FeatWebSocket), official)
	c.must("74", "websocket upgrade without a transport", "An upgrade request that names no transport opens no session.",
		func(t *probe.T) { noSession(t, "/engine.io/?EIO=4") }, single, needs(spec.FeatWebSocket), official)
	c.must("54", "websocket upgrade of an unknown session", "An upgrade request with a sid that no session has opens no session.",
		func(t *probe.T) { noSession(t, "/engine.io/?EIO=4&transport=websocket&sid=unknown") }, single, needs(spec.FeatWebSocket))
	c.quirk("55", "websocket upgrade with transport=polling", "The WebSocket is closed without an open packet.",
		func(t *probe.T) {
			s, refusal := t.TryRaw("/engine.io/?EIO=4&transport=polling", probe.SocketOptions{})
			if s == nil {
				t.Failf("the handshake was answered with status %d", refusal.Response.Status)
			}
			s.Closed(1005)
		}, ws, needs(spec.FeatWebSocket))
	c.ref("56", "websocket upgrade with POST", "An upgrade request that is no GET is refused with status 400 and a plain text.",
		func(t *probe.T) {
			r := wire.UpgradeRequest("/engine.io/?EIO=4&transport=websocket")
			r.Method = "POST"
			t.Do(r).Is(400, "Bad handshake method").Media("text/html").Closing()
		}, ws, needs(spec.FeatWebSocket))
	c.ref("57", "the form of a refused upgrade", "The refusal is text/html, holds nothing but the message, and the connection closes.",
		func(t *probe.T) {
			conn := t.Dial()
			conn.WriteRequest(wire.UpgradeRequest(t.Target("/engine.io/?EIO=4&transport=websocket&sid=unknown")))
			t.Read(conn, "GET").Is(400, "Session ID unknown").Media("text/html").Closing()
			closes(t, conn)
		}, ws, needs(spec.FeatWebSocket))
	c.quirk("58", "upgrade to h2c on a poll", "An upgrade to anything but websocket is refused with status 400.",
		func(t *probe.T) {
			t.Get("/engine.io/?EIO=4&transport=polling", wire.Field{Name: "Upgrade", Value: "h2c"}, wire.Field{Name: "Connection", Value: "Upgrade"}).Status(400)
		}, ws, needs(spec.FeatPolling))
	c.ref("60", "neither extensions nor subprotocols", "The server offers no extension and no subprotocol by itself.",
		func(t *probe.T) {
			s := t.WebSocket("/engine.io/")
			probe.Equal(t, "Sec-WebSocket-Extensions", "", s.Response.Header.Get("Sec-WebSocket-Extensions"))
			probe.Equal(t, "Sec-WebSocket-Protocol", "", s.Response.Header.Get("Sec-WebSocket-Protocol"))
		}, single, needs(spec.FeatWebSocket))
	c.ref("61", "compression where it is switched on", "A server with compression accepts permessage-deflate, and what it sends can be inflated.",
		func(t *probe.T) {
			s := t.WebSocketWith("/eio-gzip/", probe.SocketOptions{Header: []wire.Field{deflateOffer}})
			t.Check(strings.HasPrefix(s.Response.Header.Get("Sec-WebSocket-Extensions"), "permessage-deflate"), "not negotiated")
			text := "4" + strings.Repeat("compress me ", 40)
			s.Send(text)
			f := s.Next()
			probe.Equal(t, "echo", text, f.Text)
			t.Check(f.Compressed, "the echo of %d bytes came uncompressed", len(text))
		}, ws, needs(spec.FeatOptions))
}

// deflateOffer asks for compression without context takeover.
var deflateOffer = wire.Field{Name: "Sec-WebSocket-Extensions", Value: "permessage-deflate; server_no_context_takeover; client_no_context_takeover"}

// closes checks that the server ends a raw connection and sends nothing more.
func closes(t *probe.T, conn *wire.Conn) {
	data, closed := conn.ReadRaw(deadline(t), 1<<16)
	t.Check(len(data) == 0, "more bytes came: %q", data)
	t.Check(closed, "the connection stays open")
}
