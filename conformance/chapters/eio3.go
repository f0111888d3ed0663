package chapters

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/siokit/siokit/conformance/probe"
	"github.com/siokit/siokit/conformance/spec"
	"github.com/siokit/siokit/conformance/wire"
)

// polling3 is a polling session of revision 3, where a payload is a list of
// packets with their lengths before them.
type polling3 struct {
	t      *probe.T
	url    string
	opened time.Time
	probe.Open
}

// opened3 is the open packet of the contract's intervals.
const opened3 = `0{"sid":"<sid>","upgrades":"<any>","pingInterval":"<n>","pingTimeout":"<n>","maxPayload":"<n>"}`

func newPolling3(t *probe.T, path, query string) *polling3 {
	url := path + "?EIO=3&transport=polling" + query
	packets := payload3(t, string(t.Get(url).Status(200).Body))
	caps := t.Match("open packet", opened3, packets[0])
	return &polling3{t: t, url: url + "&sid=" + caps["sid"], opened: time.Now(), Open: probe.Open{SID: caps["sid"]}}
}

// payload3 cuts a string payload into its packets; lengths count UTF-16 units.
func payload3(t *probe.T, body string) []string {
	var packets []string
	for body != "" {
		var n int
		head, rest, found := strings.Cut(body, ":")
		if _, err := fmt.Sscanf(head, "%d", &n); err != nil || !found {
			t.Failf("the payload %q has no length", body)
		}
		end, units := 0, 0
		for i, r := range rest {
			if units == n {
				break
			}
			units += utf16.RuneLen(r)
			end = i + len(string(r))
		}
		t.Check(units == n, "the packet %q is shorter than its length %d", rest, n)
		packets = append(packets, rest[:end])
		body = rest[end:]
	}
	return packets
}

func (p *polling3) post(body string) *probe.Answer { return p.t.Post(p.url, body) }

func (p *polling3) get() *probe.Answer { return p.t.Get(p.url) }

// exchange posts a payload and checks the next poll.
func (p *polling3) exchange(body, want string) {
	p.post(body).Accepted()
	p.get().Is(200, want)
}

// gone checks that the session has ended, and not by its heartbeat.
func (p *polling3) gone() {
	p.get().Refused()
	if age := time.Since(p.opened); age > 400*time.Millisecond {
		p.t.Unclear("the session is gone %v after the handshake: no evidence that its heartbeat did not end it", age.Round(time.Millisecond))
	}
}

// socket3 opens a WebSocket session of revision 3.
func socket3(t *probe.T, path string) *probe.Socket {
	s := t.Raw(path+"?EIO=3&transport=websocket", probe.SocketOptions{})
	s.Expect(opened3)
	return s
}

func revision3() []spec.Case {
	c := &chapter{
		prefix: "E-V3", behind: "engine.io-protocol v3; ref engine.io 6.6.12",
		profiles: []spec.Profile{spec.EIO3}, needs: []spec.Feature{spec.FeatEIO3},
		proof: func(t *probe.T) { socket3(t, "/eio-v3/") },
	}
	eio3Handshake(c)
	eio3Polling(c)
	eio3WebSocket(c)
	eio3SocketIO(c)
	return c.cases
}

// renamed gives a case the id that wire recordings know it by.
func renamed(id string) change { return func(c *spec.Case) { c.ID = id } }

func eio3Handshake(c *chapter) {
	c.ref("01", "polling handshake", "The open packet stands in a payload, with its length before it.",
		func(t *probe.T) {
			body := string(t.Get("/eio-v3/?EIO=3&transport=polling").Status(200).Field("Content-Type", "text/plain; charset=UTF-8").Body)
			packets := payload3(t, body)
			probe.Equal(t, "packets", 1, len(packets))
			t.Match("open packet", opened3, packets[0])
		}, renamed("E-HS-66"))
	c.ref("02", "no version", "Where revision 3 is allowed, a handshake without a version is of revision 3.",
		func(t *probe.T) {
			t.Match("open packet", opened3, payload3(t, string(t.Get("/eio-v3/?transport=polling").Status(200).Body))[0])
		}, renamed("E-HS-67"))
	c.ref("03", "ping of the client", "The client pings, and the server answers with a pong.",
		func(t *probe.T) {
			s := socket3(t, "/eio-v3/")
			s.Send("2")
			s.Expect("3")
		}, renamed("E-HS-68"))
	c.ref("04", "revision 4 beside revision 3", "A server that allows revision 3 still speaks revision 4.",
		func(t *probe.T) {
			t.WebSocket("/eio-v3/").Alive()
			t.Polling("/eio-v3/").Alive()
		})
	c.ref("05", "unknown transport", "An unknown transport is refused with status 400 in revision 3 too.",
		func(t *probe.T) {
			t.Get("/eio-v3/?EIO=3&transport=abc").Refused()
		})
	c.ref("06", "POST without sid", "A session is opened with GET only: status 400.",
		func(t *probe.T) {
			t.Post("/eio-v3/?EIO=3&transport=polling", "").Refused()
		})
	c.ref("07", "revision 4 on a session of revision 3", "A request whose version is not the session's is refused with status 400.",
		func(t *probe.T) {
			p := newPolling3(t, "/eio-v3/", "")
			t.Get(strings.Replace(p.url, "EIO=3", "EIO=4", 1)).Refused()
		})
}

func eio3Polling(c *chapter) {
	c.ref("08", "a text message", "A packet stands behind its length.",
		func(t *probe.T) { newPolling3(t, "/eio-v3/", "&b64=1").exchange("6:4hello", "6:4hello") })
	c.ref("09", "several text messages", "The packets of a payload follow each other.",
		func(t *probe.T) {
			newPolling3(t, "/eio-v3/", "&b64=1").exchange("6:4test16:4test26:4test3", "6:4test16:4test26:4test3")
		})
	c.ref("10", "binary as base64", "For a client without binary support binary messages are b4 and base64.",
		func(t *probe.T) {
			newPolling3(t, "/eio-v3/", "&b64=1").exchange("6:4hello10:b4AQIDBA==", "6:4hello10:b4AQIDBA==")
		})
	c.ref("11", "a binary payload", "For a client with binary support a payload with a binary message is binary.",
		func(t *probe.T) {
			p := newPolling3(t, "/eio-v3/", "")
			p.post("6:4hello10:b4AQIDBA==").Accepted()
			a := p.get().Status(200).Media("application/octet-stream")
			probe.Equal(t, "payload", "\x00\x06\xff4hello\x01\x05\xff\x04\x01\x02\x03\x04", string(a.Body))
		})
	c.ref("12", "a binary payload of the client", "A client may send a binary payload as application/octet-stream.",
		func(t *probe.T) {
			p := newPolling3(t, "/eio-v3/", "&b64=1")
			t.Post(p.url, "\x00\x06\xff4hello\x01\x05\xff\x04\x01\x02\x03\x04", wire.Field{Name: "Content-Type", Value: "application/octet-stream"}).Accepted()
			p.get().Is(200, "6:4hello10:b4AQIDBA==")
		})
	c.ref("13", "lengths count UTF-16 units", "A character beyond the basic plane counts twice.",
		func(t *probe.T) { newPolling3(t, "/eio-v3/", "&b64=1").exchange("5:4é€😀", "5:4é€😀") })
	c.ref("14", "a payload that cannot be read", "A payload without a length ends the session.",
		func(t *probe.T) {
			p := newPolling3(t, "/eio-v3/", "&b64=1")
			t.Start(probe.PostRequest(p.url, "abc")).AnswerOrEnd()
			p.gone()
		})
	c.ref("15", "heartbeat over polling", "A ping of the client is answered by the next poll; three times.",
		func(t *probe.T) {
			p := newPolling3(t, "/eio-v3/", "&b64=1")
			for range 3 {
				p.exchange("1:2", "1:3")
			}
		}, also(spec.Heartbeat))
	c.ref("16", "a client that falls silent", "A client that does not ping is gone after pingInterval and pingTimeout.",
		func(t *probe.T) {
			p := newPolling3(t, "/eio-v3/", "")
			t.Wait(500*time.Millisecond + t.Slack)
			p.post("1:2").Refused()
		}, also(spec.Heartbeat))
	c.ref("17", "close while a poll is pending", "A close packet ends the session; a pending poll is released with a noop.",
		func(t *probe.T) {
			p := newPolling3(t, "/eio-v3/", "&b64=1")
			poll := t.Start(wire.Request{Target: p.url})
			arrived(t)
			p.post("1:1").Accepted()
			poll.Answer().Is(200, "1:6")
			p.get().Refused()
		})
	c.ref("18", "a pong of the client", "Pongs go from the server to the client: one the other way ends the session.",
		func(t *probe.T) {
			p := newPolling3(t, "/eio-v3/", "&b64=1")
			p.post("1:3")
			p.gone()
		})
}

func eio3WebSocket(c *chapter) {
	c.ref("19", "a text message over websocket", "A text frame is one packet.",
		func(t *probe.T) {
			s := socket3(t, "/eio-v3/")
			s.Send("4hello")
			s.Expect("4hello")
		})
	c.ref("20", "a binary message over websocket", "A binary frame begins with the packet type as a byte.",
		func(t *probe.T) {
			s := socket3(t, "/eio-v3/")
			s.SendBinary(4, 1, 2, 3, 4)
			s.Expect(probe.Bin(4, 1, 2, 3, 4))
		})
	c.ref("21", "a packet type that is a letter", "A packet type that does not exist ends the session.",
		func(t *probe.T) {
			s := socket3(t, "/eio-v3/")
			s.Send("abc")
			s.Ended()
			if age := time.Since(s.Asked); age > 450*time.Millisecond {
				t.Unclear("closed %v after it was asked for, like a ping timeout: no evidence that it was closed for this", age.Round(time.Millisecond))
			}
		})
	c.ref("22", "three pings", "Each ping is answered.",
		func(t *probe.T) {
			s := socket3(t, "/eio-v3/")
			for range 3 {
				s.Send("2")
				s.Expect("3")
			}
		}, also(spec.Heartbeat))
	c.ref("23", "a silent websocket", "A client that does not ping is closed after pingInterval and pingTimeout, and the server never pings.",
		func(t *probe.T) {
			s := t.Raw("/eio-v3/?EIO=3&transport=websocket", probe.SocketOptions{Deaf: true})
			s.Expect(opened3)
			t.Between("the end", 500*time.Millisecond, s.Asked, s.Opened, s.Ended().At)
		}, also(spec.Heartbeat))
	c.ref("24", "upgrade", "The upgrade of revision 3 has the same probe, noop and upgrade packet.",
		func(t *probe.T) {
			p := newPolling3(t, "/eio-v3/", "")
			s := t.Raw(strings.Replace(p.url, "transport=polling", "transport=websocket", 1), probe.SocketOptions{})
			s.Send("2probe")
			s.Expect("3probe")
			p.get().Is(200, "1:6")
			s.Send("5", "4hello")
			s.Expect("4hello")
			p.get().Refused()
			s.Send("4again")
			s.Expect("4again")
		}, also(spec.Upgrade))
	c.ref("25", "a second websocket after the upgrade", "A further WebSocket for an upgraded session is closed; the session goes on.",
		func(t *probe.T) {
			p := newPolling3(t, "/eio-v3/", "")
			target := strings.Replace(p.url, "transport=polling", "transport=websocket", 1)
			s := t.Raw(target, probe.SocketOptions{})
			s.Send("2probe")
			s.Expect("3probe")
			s.Send("5")
			if second, refusal := t.TryRaw(target, probe.SocketOptions{}); refusal == nil {
				second.Ended()
			}
			s.Send("4hello")
			s.Expect("4hello")
		}, also(spec.Upgrade))
}

func eio3SocketIO(c *chapter) {
	join := func(t *probe.T) *probe.Socket {
		s := socket3(t, "/sio-v3/")
		s.Expect("40", noAuth)
		return s
	}
	c.ref("26", "a client of Socket.IO 2", "A client of revision 3 is in the main namespace without a CONNECT, and the answer has no payload.",
		func(t *probe.T) { join(t) }, renamed("S-CN-41"), also(spec.SocketIO))
	c.ref("27", "events of Socket.IO 2", "Events and acknowledgements work as in revision 5.",
		func(t *probe.T) {
			s := join(t)
			s.Send(`42["message",1,{"a":"é"}]`, `425["message-with-ack","x"]`)
			s.Expect(`42["message-back",1,{"a":"é"}]`, `435["x"]`)
		})
	c.ref("28", "binary of Socket.IO 2", "An attachment is a binary frame with the packet type before it.",
		func(t *probe.T) {
			s := join(t)
			s.Send(`451-["message",` + place(0) + `]`)
			s.SendBinary(4, 1, 2)
			s.Expect(`451-["message-back",`+place(0)+`]`, probe.Bin(4, 1, 2))
		}, also(spec.Binary))
	c.ref("29", "another namespace of Socket.IO 2", "A CONNECT to another namespace is answered without a payload.",
		func(t *probe.T) {
			s := join(t)
			s.Send("40/custom")
			s.Expect("40/custom,", `42/custom,["auth",{}]`)
		}, needs(spec.FeatCustom))
	c.ref("30", "a refused namespace of Socket.IO 2", "The refusal is an ERROR packet whose payload is the message.",
		func(t *probe.T) {
			s := join(t)
			s.Send("40/auth-fail-nodata")
			s.Expect(`44/auth-fail-nodata,"nope"`)
		}, needs(spec.FeatNsps))
	c.ref("31", "Socket.IO 2 over polling", "The implicit CONNECT and the first event come with the polls.",
		func(t *probe.T) {
			p := newPolling3(t, "/sio-v3/", "&b64=1")
			p.post(`18:42["message","hi"]`).Accepted()
			body := ""
			for !strings.Contains(body, "message-back") {
				body += string(p.get().Status(200).Body)
			}
			probe.Equal(t, "packets", `40 42["auth",{}] 42["message-back","hi"]`, strings.TrimPrefix(strings.Join(payload3(t, body), " "), "0 "))
		})
}
