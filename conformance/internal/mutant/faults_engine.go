package mutant

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// echo matches packets of the Engine.IO echo servers.
func echo(s *Session, _ Packet) bool { return s.engine() }

func pollingFaults() []Mutant {
	ignore := func(name, fault, expr string) Mutant {
		return Mutant{Name: name, Fault: fault, In: drop(and(overPolling, like(expr)))}
	}
	return []Mutant{
		{Name: "poll-doubles", Fault: "a message is delivered twice over polling", Out: double(and(overPolling, like(`^4.`)))},
		{Name: "poll-loses-empty", Fault: "an empty message is lost over polling", Out: drop(and(overPolling, is("4")))},
		{Name: "poll-reverses", Fault: "the packets of one poll come in the other order", Response: only("GET", 200, func(r *http.Request, a *Answer) {
			if r.URL.Query().Get("sid") != "" && strings.Contains(string(a.Body), "\x1e") && !strings.Contains(r.URL.Path, "v3") && a.Header.Get("Content-Encoding") == "" {
				packets := strings.Split(string(a.Body), "\x1e")
				slices.Reverse(packets)
				a.Body = []byte(strings.Join(packets, "\x1e"))
			}
		})},
		{Name: "poll-first-only", Fault: "only the first packet of a payload is read", In: firstOnly()},
		{Name: "poll-binary-as-text", Fault: "a binary message is sent as text over polling", Out: func(s *Session, p Packet) []Packet {
			if p.Binary && !s.WebSocket {
				return text("4" + string(p.Data))
			}
			return []Packet{p}
		}},
		{Name: "poll-base64-url", Fault: "base64 is sent in the URL-safe alphabet", Response: only("GET", 200, func(r *http.Request, a *Answer) {
			if strings.HasPrefix(string(a.Body), "b") {
				a.Body = []byte(strings.NewReplacer("+", "-", "/", "_").Replace(string(a.Body)))
			}
		})},
		{Name: "poll-base64-unpadded", Fault: "base64 is sent without padding", Response: only("GET", 200, func(r *http.Request, a *Answer) {
			if body := string(a.Body); strings.Contains(body, "\x1eb") || strings.HasPrefix(body, "b") {
				a.Body = []byte(strings.ReplaceAll(body, "=", ""))
			}
		})},
		{Name: "poll-latin1", Fault: "text beyond ASCII becomes question marks over polling", Out: func(s *Session, p Packet) []Packet {
			if !s.WebSocket && !p.Binary && s.engine() {
				p.Text = ascii(p.Text)
			}
			return []Packet{p}
		}},
		{Name: "poll-cuts-at-zero", Fault: "a zero byte ends a text", Out: func(s *Session, p Packet) []Packet {
			p.Text, _, _ = strings.Cut(p.Text, "\x00")
			return []Packet{p}
		}},
		{Name: "poll-loses-after-hundred", Fault: "packets beyond the hundredth of a payload are lost", Response: only("GET", 200, func(r *http.Request, a *Answer) {
			if packets := strings.Split(string(a.Body), "\x1e"); len(packets) > 100 {
				a.Body = []byte(strings.Join(packets[:100], "\x1e"))
			}
		})},
		ignore("poll-empty-packet", "empty packets of a payload are ignored", `^$`),
		ignore("poll-unknown-type", "packets of unknown types are ignored", `^[a-z79]`),
		ignore("poll-ping-ignored", "a ping of the client is ignored over polling", `^2`),
		{Name: "poll-pong-kills", Fault: "a pong that nobody asked for ends a polling session", In: kill(and(and(overPolling, echo), is("3")))},
		{Name: "poll-close-ignored", Fault: "a close packet is ignored over polling", In: drop(and(overPolling, is("1")))},
		{Name: "poll-octets", Fault: "application/octet-stream is read as text", Request: func(r *http.Request) {}, Answer: octetsAccepted},
		{Name: "poll-json-refused", Fault: "application/json is refused", Answer: refuseMedia("application/json")},
		{Name: "poll-plain-refused", Fault: "text/plain with a charset is refused", Answer: refuseMedia("text/plain;charset=UTF-8")},
		{Name: "poll-limit-status", Fault: "a body that is too large has the status 400", Response: status(413, "", 400)},
		{Name: "poll-limit-ignored", Fault: "a body that is too large is answered with ok", Response: status(413, "", 200)},
		{Name: "poll-limit-body", Fault: "the answer to a body that is too large has a body", Response: func(_ *http.Request, a *Answer) {
			if a.Status == 413 {
				a.Header.Set("Content-Type", "text/plain")
				a.Body = []byte("too large")
			}
		}},
		{Name: "poll-limit-low", Fault: "a body of exactly maxPayload bytes is too large", Answer: func(r *http.Request) *Answer {
			if r.Method == "POST" && (r.ContentLength == 100 || r.ContentLength == 1000000) {
				return &Answer{Status: 413, Header: http.Header{}}
			}
			return nil
		}},
		{Name: "poll-limit-kills", Patch: "limitKills", Fault: "a body that is too large ends the session"},
		{Name: "poll-limit-chars", Patch: "limitCharacters", Fault: "the limit counts characters"},
		{Name: "poll-limit-hundred-thousand", Fault: "bodies of more than sixty thousand bytes are too large", Answer: func(r *http.Request) *Answer {
			if r.Method == "POST" && r.ContentLength > 60000 {
				return &Answer{Status: 413, Header: http.Header{"Connection": {"close"}}}
			}
			return nil
		}},
		{Name: "poll-chunked-refused", Fault: "chunked bodies are refused", Answer: func(r *http.Request) *Answer {
			if len(r.TransferEncoding) > 0 {
				return &Answer{Status: 411, Header: http.Header{"Connection": {"close"}}}
			}
			return nil
		}},
		{Name: "poll-methods", Fault: "other methods on a session are answered with 200", Response: status(500, "", 200)},
		{Name: "poll-method-kills", Patch: "methodKills", Fault: "another method ends the session"},
		{Name: "poll-overlap", Patch: "overlap", Fault: "a second poll takes the place of the first"},
		{Name: "poll-overlap-status", Fault: "the second of two polls gets the status 500", Response: func(r *http.Request, a *Answer) {
			if a.Status == 400 && len(a.Body) == 0 {
				a.Status = 500
			}
		}},
		{Name: "poll-overlap-stays", Patch: "overlapStays", Fault: "the session goes on after a second poll"},
		{Name: "post-overlap", Patch: "postOverlap", Fault: "two POSTs at once are both read"},
		{Name: "post-abort", Patch: "postAbort", Fault: "a POST that breaks off is not noticed"},
		{Name: "poll-abort", Patch: "pollAbort", Fault: "a poll that breaks off is not noticed"},
		{Name: "poll-release", Fault: "a poll that is released by a close gets a close packet", Out: instead(and(overPolling, is("6")), "1")},
		{Name: "poll-close-lost", Fault: "the server's close packet is not sent over polling", Out: instead(and(overPolling, is("1")), "6")},
		{Name: "poll-not-released", Patch: "notReleased", Fault: "a pending poll is not answered when the client closes"},
		{Name: "poll-waits", Patch: "pollWaits", Fault: "a pending poll is not answered by a message before the next ping"},
		{Name: "poll-short", Fault: "a poll is answered at once when there is nothing to say", Answer: shortPoll()},
		{Name: "poll-one-by-one", Patch: "oneByOne", Fault: "a poll brings one packet only"},
		{Name: "poll-close-alone", Fault: "a close packet that waited comes without a noop", Response: only("GET", 200, func(_ *http.Request, a *Answer) {
			if string(a.Body) == "6\x1e1" {
				a.Body = []byte("1")
			}
		})},
		{Name: "poll-mixes-sessions", Fault: "the first message of each session goes to another too", Out: mixes()},
		{Name: "poll-order-of-query", Fault: "the query has to begin with EIO", Answer: func(r *http.Request) *Answer {
			if r.URL.Query().Get("sid") != "" && !strings.HasPrefix(r.URL.RawQuery, "EIO") && !strings.HasPrefix(r.URL.RawQuery, "transport") && !strings.HasPrefix(r.URL.RawQuery, "deny") && !strings.HasPrefix(r.URL.RawQuery, "foo") {
				return &Answer{Status: 400, Header: http.Header{}}
			}
			return nil
		}},
		{Name: "poll-revives", Fault: "a POST to a session that is gone is answered with ok", Response: func(r *http.Request, a *Answer) {
			if r.Method == "POST" && a.Status == 400 && strings.Contains(string(a.Body), `"code":1`) && !strings.Contains(r.URL.RawQuery, "unknown") {
				a.Status, a.Body = 200, []byte("ok")
			}
		}},
		{Name: "poll-half-closed", Patch: "halfClosed", Fault: "a POST on a half-closed connection is lost"},
		{Name: "poll-pipelining", Fault: "the second of two pipelined requests is lost", Response: func(r *http.Request, a *Answer) {
			if r.Method == "POST" && strings.Contains(string(a.Body), "ok") && r.Header.Get("Content-Length") == "2" {
				a.Header.Set("Connection", "close")
			}
		}},
	}
}

// firstOnly keeps the first packet of each payload: in a POST the packets come
// one behind the other, with no time between.
func firstOnly() func(*Session, Packet) []Packet {
	return func(s *Session, p Packet) []Packet {
		now := time.Now()
		last, err := time.Parse(time.RFC3339Nano, s.Seen["last"])
		s.Seen["last"] = now.Format(time.RFC3339Nano)
		if !s.WebSocket && err == nil && now.Sub(last) < 50*time.Microsecond {
			return nil
		}
		return []Packet{p}
	}
}

func ascii(s string) string {
	return strings.Map(func(r rune) rune {
		if r > 0x7f {
			return '?'
		}
		return r
	}, s)
}

func octetsAccepted(r *http.Request) *Answer {
	if r.Header.Get("Content-Type") == "application/octet-stream" && r.URL.Query().Get("EIO") == "4" {
		return &Answer{Status: 200, Header: http.Header{"Content-Type": {"text/html"}}, Body: []byte("ok")}
	}
	return nil
}

func refuseMedia(media string) func(*http.Request) *Answer {
	return func(r *http.Request) *Answer {
		if r.Method == "POST" && r.URL.Query().Get("sid") != "" && r.Header.Get("Content-Type") == media && r.ContentLength == 2 {
			return &Answer{Status: 415, Header: http.Header{}}
		}
		return nil
	}
}

// shortPoll answers the first poll of a session at once with a noop.
func shortPoll() func(*http.Request) *Answer {
	return func(r *http.Request) *Answer {
		if r.Method == "GET" && r.URL.Path == "/eio-slow/" && r.URL.Query().Get("sid") != "" && r.Header.Get("Upgrade") == "" && r.Header.Get("Accept-Encoding") == "" {
			return &Answer{Status: 200, Header: http.Header{"Content-Type": {"text/plain; charset=UTF-8"}}, Body: []byte("6")}
		}
		return nil
	}
}

// mixes repeats every "4for a" of one session to whoever is answered next.
func mixes() func(*Session, Packet) []Packet {
	return func(s *Session, p Packet) []Packet {
		if p.Text == "4for b" {
			return append(text("4for a"), p)
		}
		return []Packet{p}
	}
}

func webSocketFaults() []Mutant {
	ignore := func(name, fault, expr string) Mutant {
		return Mutant{Name: name, Fault: fault, In: drop(and(and(overWebSocket, echo), like(expr)))}
	}
	return []Mutant{
		{Name: "ws-doubles", Fault: "a message is delivered twice over WebSocket", Out: double(and(and(overWebSocket, echo), like(`^4.`)))},
		{Name: "ws-loses-empty", Fault: "an empty message is lost over WebSocket", Out: drop(and(overWebSocket, is("4")))},
		{Name: "ws-swaps-kinds", Fault: "binary comes back as text", Out: func(s *Session, p Packet) []Packet {
			if s.WebSocket && p.Binary && s.engine() {
				return text("4" + ascii(string(p.Data)))
			}
			return []Packet{p}
		}},
		{Name: "ws-binary-typed", Fault: "binary frames begin with the packet type", Out: func(s *Session, p Packet) []Packet {
			if p.Binary && s.engine() && s.Path != "/eio-v3/" {
				p.Data = append([]byte{4}, p.Data...)
			}
			return []Packet{p}
		}},
		{Name: "ws-latin1", Fault: "text beyond ASCII becomes question marks over WebSocket", Out: func(s *Session, p Packet) []Packet {
			if s.WebSocket && s.engine() {
				p.Text = ascii(p.Text)
			}
			return []Packet{p}
		}},
		{Name: "ws-splits", Fault: "a record separator cuts a message over WebSocket", Out: func(s *Session, p Packet) []Packet {
			if s.WebSocket && s.engine() && strings.Contains(p.Text, "\x1e") {
				return text(strings.Split(p.Text, "\x1e")...)
			}
			return []Packet{p}
		}},
		{Name: "ws-coalesces", Fault: "messages of a burst come in one frame", Out: coalesces()},
		{Name: "ws-long-lost", Fault: "messages of more than sixty thousand bytes are lost over WebSocket", Out: func(s *Session, p Packet) []Packet {
			if s.WebSocket && s.engine() && len(p.Text) > 60000 {
				return nil
			}
			return []Packet{p}
		}},
		{Name: "ws-order", Fault: "of two messages in a row the second comes first", Out: swaps(like(`^4(m1|a|for a|b1)$`))},
		{Name: "ws-burst-loses", Fault: "a burst loses its 4000th message", Out: drop(is("4b4000"))},
		ignore("ws-empty-frame", "an empty text frame is ignored", `^$`),
		ignore("ws-unknown-type", "packets of unknown types are ignored over WebSocket", `^[a-z7]`),
		ignore("ws-base64", "base64 in a text frame is ignored", `^b`),
		{Name: "ws-pong-kills", Fault: "a pong that nobody asked for ends a WebSocket session", In: kill(and(and(overWebSocket, echo), like(`^3$`)))},
		ignore("ws-ping-ignored", "a ping of the client is ignored over WebSocket", `^2(probe)?$`),
		{Name: "ws-alive-lost", Fault: "the echo loses a message now and then", Out: drop(and(and(overWebSocket, echo), is("4alive")))},
		{Name: "ws-empty-binary", Fault: "an empty binary message is lost", Out: drop(func(s *Session, p Packet) bool { return p.Binary && len(p.Data) == 0 })},
		{Name: "ws-limit-code", Fault: "a message that is too large ends the connection with 1000", In: closeWith(1000, tooLong)},
		{Name: "ws-limit-ignored", Fault: "a message that is too large is ignored", In: drop(tooLong)},
		{Name: "ws-limit-low", Fault: "a message of exactly maxPayload bytes is too large", In: closeWith(1009, func(s *Session, p Packet) bool {
			return len(p.Text) == 100 && s.Path == "/eio-small/" || len(p.Text) == 1000000
		})},
		{Name: "ws-server-close", Patch: "serverCloseIgnored", Fault: "the server's close does not close the WebSocket"},
		{Name: "ws-mixes-sessions", Fault: "what one session sends is seen by another", Out: mixes()},
		{Name: "ws-early-lost", Fault: "a message before the open packet is lost", In: drop(is("4early"))},
		{Name: "ws-sid-polls", Fault: "a WebSocket session can be polled", Response: func(r *http.Request, a *Answer) {
			if a.Status == 400 && strings.Contains(string(a.Body), `"code":3`) && r.URL.Query().Get("transport") == "polling" && r.Header.Get("Upgrade") == "" && r.URL.Query().Get("EIO") == "4" {
				a.Status, a.Body = 200, []byte("6")
			}
		}},
		{Name: "ws-refused-version-session", Fault: "a second WebSocket ends the first", Patch: "secondSocketKills"},
		{Name: "ws-many", Fault: "after fifty connections a WebSocket gets no messages any more", Out: overcrowded()},
	}
}

// tooLong matches messages beyond the limits of the contract.
func tooLong(s *Session, p Packet) bool {
	n := len(p.Text) + len(p.Data)
	return n > 1000000 || s.Path == "/eio-small/" && n > 100
}

// swaps sends a matching packet behind the one that follows it.
func swaps(match func(*Session, Packet) bool) func(*Session, Packet) []Packet {
	return func(s *Session, p Packet) []Packet {
		if held, ok := s.Seen["held"]; ok {
			delete(s.Seen, "held")
			return []Packet{p, {Text: held}}
		}
		if match(s, p) && s.Seen["swapped"] == "" {
			s.Seen["held"], s.Seen["swapped"] = p.Text, "1"
			return nil
		}
		return []Packet{p}
	}
}

// coalesces joins the first two messages of a burst.
func coalesces() func(*Session, Packet) []Packet {
	return func(s *Session, p Packet) []Packet {
		switch {
		case s.WebSocket && p.Text == "4b0":
			return nil
		case s.WebSocket && p.Text == "4b1":
			return text("4b0\x1e4b1")
		}
		return []Packet{p}
	}
}

// overcrowded loses the message hello when a client has opened many connections.
func overcrowded() func(*Session, Packet) []Packet {
	return drop(func(s *Session, p Packet) bool { return s.WebSocket && s.Path == "/eio-slow/" && p.Text == "4hello" })
}

func heartbeatFaults() []Mutant {
	ping := is("2")
	return []Mutant{
		{Name: "ping-early", Fault: "the first ping comes with the handshake", Out: func(s *Session, p Packet) []Packet {
			if s.WebSocket && s.Path == "/engine.io/" && strings.HasPrefix(p.Text, "0{") {
				return append([]Packet{p}, text("2")...)
			}
			return []Packet{p}
		}},
		{Name: "ping-late", Fault: "pings are a second late", Out: func(s *Session, p Packet) []Packet {
			if p.Text == "2" {
				time.Sleep(time.Second)
			}
			return []Packet{p}
		}},
		{Name: "ping-once", Fault: "there is one ping only", Patch: "pingOnce"},
		{Name: "ping-payload", Fault: "pings have a payload", Out: instead(ping, "2x")},
		{Name: "ping-double", Fault: "pings come in pairs", Out: double(ping)},
		{Name: "ping-timeout-never", Fault: "a client that answers no ping is never closed", Patch: "timeoutNever"},
		{Name: "ping-timeout-late", Fault: "a client that answers no ping is closed a second late", Patch: "timeoutLate"},
		{Name: "ping-timeout-early", Fault: "a client has half the time to answer a ping", Patch: "timeoutEarly"},
		{Name: "ping-any-packet", Fault: "any packet counts as a pong", Patch: "anyPacketIsPong"},
		{Name: "ping-after-ping", Fault: "the next ping is counted from the last ping, not from the pong", Patch: "pingFromPing"},
		{Name: "ping-timeout-silent", Fault: "a poll that is pending at the ping timeout is cut off", Response: only("GET", 200, func(r *http.Request, a *Answer) {
			if string(a.Body) == "1" && r.URL.Path == "/engine.io/" {
				a.Status, a.Body = 400, []byte(`{"code":1,"message":"Session ID unknown"}`)
			}
		})},
		{Name: "pong-lost", Fault: "pongs are lost", In: drop(and(like(`^3`), func(s *Session, p Packet) bool { return s.Path == "/engine.io/" }))},
		{Name: "silent-kills-all", Fault: "the end of one client ends another", Patch: "silentKillsAll"},
	}
}

func upgradeFaults() []Mutant {
	during := func(s *Session, _ Packet) bool { return s.Upgraded }
	return []Mutant{
		{Name: "probe-silent", Fault: "the probe is not answered", Out: drop(is("3probe"))},
		{Name: "probe-bare", Fault: "the answer to the probe has no payload", Out: instead(is("3probe"), "3")},
		{Name: "probe-open", Fault: "an open packet is sent before the probe", Out: func(s *Session, p Packet) []Packet {
			if p.Text == "3probe" {
				return append(text(`0{"sid":"x"}`), p)
			}
			return []Packet{p}
		}},
		{Name: "probe-greets", Patch: "probeGreets", Fault: "a noop is sent on the new WebSocket before the probe"},
		{Name: "probe-no-noop", Patch: "noNoop", Fault: "a pending poll is not released by the probe"},
		{Name: "probe-noop-once", Patch: "noopOnce", Fault: "only the first poll during the probe is released"},
		{Name: "probe-noop-late", Patch: "noopLate", Fault: "a pending poll is released a second after the probe"},
		{Name: "probe-anything", Fault: "anything is taken for a probe", In: func(s *Session, p Packet) []Packet {
			if s.Upgraded && s.Seen["probed"] == "" {
				s.Seen["probed"] = "1"
				return text("2probe")
			}
			return []Packet{p}
		}},
		{Name: "probe-messages", Patch: "probeMessages", Fault: "messages between probe and upgrade are ignored"},
		{Name: "probe-kills", Patch: "probeKills", Fault: "an upgrade that breaks off ends the session"},
		{Name: "probe-for-ever", Patch: "probeForEver", Fault: "an upgrade may take for ever"},
		{Name: "probe-messages-move", Patch: "probeMessagesMove", Fault: "messages go to the new WebSocket from the probe on"},
		{Name: "probe-limit", Patch: "probeLimit", Fault: "a WebSocket that is probed has no limit and stays"},
		{Name: "upgrade-loses", Patch: "upgradeLoses", Fault: "what was still to be sent is lost by the upgrade"},
		{Name: "upgrade-doubles", Patch: "upgradeDoubles", Fault: "what was still to be sent is sent twice by the upgrade"},
		{Name: "upgrade-ignored", Fault: "the upgrade packet is ignored", In: drop(and(during, is("5")))},
		{Name: "upgrade-hangs-poll", Patch: "upgradeHangsPoll", Fault: "a poll that is pending at the upgrade is never answered"},
		{Name: "upgrade-still-polls", Fault: "an upgraded session can still be polled", Response: func(r *http.Request, a *Answer) {
			if r.Method == "GET" && a.Status == 400 && strings.Contains(string(a.Body), `"code":3`) && r.URL.Query().Get("transport") == "polling" && r.URL.Query().Get("sid") != "" {
				a.Status, a.Body = 200, []byte("6")
			}
		}},
		{Name: "upgrade-still-posts", Fault: "a POST to an upgraded session is answered with ok", Response: func(r *http.Request, a *Answer) {
			if r.Method == "POST" && a.Status == 400 && strings.Contains(string(a.Body), `"code":3`) {
				a.Status, a.Body = 200, []byte("ok")
			}
		}},
		{Name: "upgrade-again", Patch: "upgradeAgain", Fault: "a second WebSocket takes an upgraded session over"},
		{Name: "upgrade-again-stays", Patch: "upgradeAgainStays", Fault: "a second WebSocket of an upgraded session stays open"},
		{Name: "upgrade-during-probe", Patch: "upgradeDuringProbe", Fault: "a second attempt ends the first"},
		{Name: "upgrade-binary", Fault: "binary is lost after an upgrade", Out: drop(and(during, binaryPacket))},
		{Name: "upgrade-ping", Patch: "upgradePing", Fault: "the upgrade puts the next ping off"},
		{Name: "upgrade-no-timeout", Patch: "upgradeNoTimeout", Fault: "an upgraded client is never closed for its silence"},
		{Name: "upgrade-no-ping", Fault: "an upgraded client is never pinged", Out: drop(and(during, is("2")))},
		{Name: "upgrade-pong-lost", Fault: "the pongs of an upgraded client are lost", In: drop(and(during, is("3")))},
		{Name: "upgrade-version", Fault: "the version of an upgrade does not matter", Request: func(r *http.Request) {
			if r.Header.Get("Upgrade") != "" && r.URL.Query().Get("sid") != "" && !strings.Contains(r.URL.Path, "v3") {
				r.URL.RawQuery = strings.Replace(r.URL.RawQuery, "EIO=3", "EIO=4", 1)
			}
		}},
		{Name: "upgrade-close-ignored", Patch: "upgradeCloseIgnored", Fault: "a session that closes during the probe leaves the WebSocket open"},
		{Name: "upgrade-close-frame", Patch: "upgradeCloseFrame", Fault: "a WebSocket that is called off ends the session"},
		{Name: "upgrade-greets", Fault: "the upgrade is answered with a noop", In: func(s *Session, p Packet) []Packet {
			if s.Upgraded && p.Text == "5" {
				s.toClient(Packet{Text: "6"})
			}
			return []Packet{p}
		}},
	}
}
