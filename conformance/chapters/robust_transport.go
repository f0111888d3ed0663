package chapters

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/siokit/siokit/conformance/probe"
	"github.com/siokit/siokit/conformance/spec"
	"github.com/siokit/siokit/conformance/wire"
)

// robustTransports: connections that misbehave.
func robustTransports() []spec.Case {
	c := robustChapter("R-TR")
	robustFrames(c)
	robustSlow(c)
	robustHTTP(c)
	robustVanished(c)
	return c.cases
}

// robustFrames: frames that cost more than they seem to.
func robustFrames(c *chapter) {
	c.withstand("01", "a compression bomb", "The limit holds for the inflated message: a small frame that inflates beyond it ends the connection with 1009.",
		func(t *probe.T) {
			s := t.WebSocketWith("/eio-gzip/", probe.SocketOptions{Header: []wire.Field{deflateOffer}})
			bomb := wire.Deflate(bytes.Repeat([]byte("4"), 20<<20))
			s.Frames(wire.Frame{Fin: true, RSV: wire.RSV1, Op: wire.Text, Masked: true, Payload: bomb})
			s.Closed(1009)
		}, needs(spec.FeatOptions))
	c.robust("02", "a compressed message within the limit", "A compressed message of the client is inflated and delivered.",
		func(t *probe.T) {
			s := t.WebSocketWith("/eio-gzip/", probe.SocketOptions{Header: []wire.Field{deflateOffer}})
			text := "4" + strings.Repeat("compress me ", 40)
			s.Frames(wire.Frame{Fin: true, RSV: wire.RSV1, Op: wire.Text, Masked: true, Payload: wire.Deflate([]byte(text))})
			s.Exactly(text)
		}, needs(spec.FeatOptions))
	c.withstand("03", "frame headers that announce too much", "A frame is refused from its header: nothing is held for it.",
		func(t *probe.T) {
			for _, size := range []uint64{2_000_000, 1 << 32, 1 << 62} {
				s := t.WebSocket(calm(t))
				f := frame(wire.Text, "4")
				f.Announce = size
				s.Frames(f)
				s.Ended()
			}
		})
	c.withstand("04", "a hundred thousand empty fragments", "Fragments that never become a message are bounded: the connection closes or the server waits, and the others go on.",
		func(t *probe.T) {
			s := t.WebSocket(calm(t))
			b := part(wire.Text, "4", false).Append(nil)
			empty := part(wire.Continuation, "", false).Append(nil)
			s.SendRaw(append(b, bytes.Repeat(empty, 100000)...))
		})
	c.withstand("05", "endless fragments", "A message that never ends is cut off at the limit.",
		func(t *probe.T) {
			s := t.WebSocket(calm(t))
			s.Frames(part(wire.Text, "4", false))
			for range 30 {
				s.Frames(part(wire.Continuation, strings.Repeat("a", 100000), false))
			}
			s.Ended()
		})
	c.withstand("06", "a flood of pings", "A client that pings a hundred thousand times and never reads costs the server one pending pong.",
		func(t *probe.T) {
			conn := stuck(t, calm(t))
			ping := frame(wire.Ping, strings.Repeat("p", 125)).Append(nil)
			conn.SetWriteDeadline(time.Now().Add(t.Patience))
			conn.Conn.Write(bytes.Repeat(ping, 100000))
		})
	c.withstand("07", "a flood of pongs", "Pongs that nobody asked for cost nothing and keep nobody alive.",
		func(t *probe.T) {
			s := t.WebSocketWith("/engine.io/", probe.SocketOptions{Deaf: true})
			pong := frame(wire.Pong, "p").Append(nil)
			s.SendRaw(bytes.Repeat(pong, 50000))
			s.TakePing(s.PingInterval + t.Slack)
			s.SendRaw(bytes.Repeat(pong, 1000))
			s.EndedWithin(s.Heartbeat() + t.Slack)
		}, needs(spec.FeatEcho))
	c.withstand("08", "a million bytes one by one", "A message that arrives a byte at a time is read like another.",
		func(t *probe.T) {
			s := t.WebSocket(calm(t))
			for _, b := range frame(wire.Text, "4slowly").Append(nil) {
				s.SendRaw([]byte{b})
				t.Wait(time.Millisecond)
			}
			s.Expect("4slowly")
		}, needs(spec.FeatEcho))
}

// robustSlow: clients that don't read, or don't finish.
func robustSlow(c *chapter) {
	c.comesBack("09", "a client that stops reading", "A client that does not take what it is sent is closed, and its memory given back; nobody waits for it.",
		func(t *probe.T) {
			flood := `42["x:flood",3000,10000]`
			stuck(t, "/socket.io/", frame(wire.Text, "40"), frame(wire.Text, flood))
		})
	c.comesBack("10", "a reader that stalls in a broadcast", "A broadcast does not wait for a member that does not read.",
		func(t *probe.T) {
			stuck(t, "/socket.io/", frame(wire.Text, "40"), frame(wire.Text, `420["join","r-tr10"]`))
			fast, sender := t.Join(), t.Join()
			fast.Call(1, `"join","r-tr10"`, "2")
			t.Wait(t.Quiet / 5)
			big := strings.Repeat("b", 100000)
			start := time.Now()
			for i := range 40 {
				sender.Event(fmt.Sprintf(`"in","r-tr10","x",%d,"%s"`, i, big))
				fast.Expect(fmt.Sprintf(`42["x",%d,"%s"]`, i, big))
			}
			t.Check(time.Since(start) < 2*time.Second+t.Slack, "forty broadcasts took %v", time.Since(start))
			fast.CloseWith(1000)
			sender.CloseWith(1000)
		}, needs(spec.FeatRooms))
	c.comesBack("11", "bodies that never end", "A POST whose body stops halfway ends with its session.",
		func(t *probe.T) {
			for range 10 {
				p := t.Polling("/socket.io/")
				t.Start(wire.Request{Method: "POST", Target: p.URL, Body: []byte("4ha"), Announce: 1000})
				p.Forget()
			}
		}, needs(spec.FeatPolling))
	c.comesBack("12", "upgrades half done", "WebSockets that never finish the upgrade, and their sessions, are taken back.",
		func(t *probe.T) {
			for range 10 {
				p := t.Polling("/socket.io/")
				p.Attach().Send("2probe")
				p.Forget()
			}
		}, needs(spec.FeatUpgrade))
	c.withstand("13", "an upgrade of another version with a ping behind it", "A WebSocket whose EIO differs from the session's is refused; a ping behind it kills nothing.",
		func(t *probe.T) {
			p := t.Polling(calm(t))
			target := strings.NewReplacer("EIO=4", "EIO=3", "transport=polling", "transport=websocket").Replace(p.URL)
			conn := t.Dial()
			conn.WriteRaw(frame(wire.Text, "2probe").Append(wire.UpgradeRequest(t.Target(target)).Bytes(t.Server().Addr)))
			conn.ReadRaw(time.Now().Add(t.Quiet), 4096)
		}, needs(spec.FeatUpgrade))
}

// robustHTTP: requests that try the server's mouth.
func robustHTTP(c *chapter) {
	polling := needs(spec.FeatPolling)
	c.robust("14", "line breaks in the query", "What a client writes into the query never becomes a header.",
		func(t *probe.T) {
			for _, query := range []string{
				"EIO=4&transport=%0d%0aX-Evil:%201", "EIO=4&transport=polling&sid=%0d%0aX-Evil:%201",
				"EIO=4&transport=polling&deny=%0d%0aX-Evil:%201", "EIO=4&transport=polling&j=%0d%0aX-Evil:%201",
			} {
				t.Check(get(t, query).Header.Get("X-Evil") == "", "%s set a header", query)
			}
		}, polling, proven(accepts))
	c.robust("15", "script in the query", "What a client writes into the query is not sent back as a page or a script.",
		func(t *probe.T) {
			const script = "<script>alert(1)</script>"
			for _, query := range []string{"transport=" + script, "EIO=4&transport=polling&sid=" + script, "EIO=4&transport=polling&j=alert(1)//"} {
				a := get(t, strings.NewReplacer("<", "%3c", ">", "%3e").Replace(query))
				media := a.Header.Get("Content-Type")
				t.Check(!strings.Contains(string(a.Body), "<script>") || strings.HasPrefix(media, "application/json"), "%s came back as %s: %s", query, media, a.Body)
				t.Check(!strings.Contains(string(a.Body), "alert(1)//"), "%s came back: %s", query, a.Body)
			}
		}, polling, proven(accepts))
	c.robust("16", "credentials for everybody", "An origin that is not listed never gets leave to send credentials.",
		func(t *probe.T) {
			for _, path := range []string{"/engine.io/", "/eio-slow/"} {
				a := t.Get(path+"?EIO=4&transport=polling", wire.Field{Name: "Origin", Value: "http://evil.example"})
				t.Check(a.Header.Get("Access-Control-Allow-Credentials") == "", "%s allows credentials", path)
				origin := a.Header.Get("Access-Control-Allow-Origin")
				t.Check(origin == "" || origin == "*", "%s reflects the origin: %s", path, origin)
			}
		}, polling, needs(spec.FeatLongPing), proven(accepts))
	c.robust("17", "a WebSocket from another site", "Without a CORS configuration a WebSocket from another origin is refused; one without an origin, or with the server's own, is not.",
		func(t *probe.T) {
			target := "/eio-slow/?EIO=4&transport=websocket"
			wsRefused(t, target, wire.Field{Name: "Origin", Value: "http://evil.example"})
			t.WebSocketWith("/eio-slow/", probe.SocketOptions{Header: []wire.Field{{Name: "Origin", Value: "http://" + t.Server().Addr}}}).Alive()
			t.WebSocket("/eio-slow/").Alive()
		}, needs(spec.FeatLongPing))
	c.robust("18", "ids that cannot be guessed", "Session ids are long and random: a thousand share no beginning and none repeats.",
		func(t *probe.T) {
			seen, heads := map[string]bool{}, map[string]int{}
			for range 200 {
				sid := t.WebSocket("/engine.io/").SID
				t.Check(len(sid) >= 20, "the id %q is short", sid)
				t.Check(!seen[sid], "the id %s came twice", sid)
				seen[sid] = true
				heads[sid[:4]]++
			}
			for head, n := range heads {
				t.Check(n <= 3, "%d of 200 ids begin with %s", n, head)
			}
		}, alone)
	c.robust("19", "methods that are none", "Other methods on a session are refused with a status of 4xx at once.",
		func(t *probe.T) {
			p := t.Polling(calm(t))
			for _, m := range []string{"PUT", "DELETE", "PATCH", "TRACE", "BREW"} {
				a := t.Do(wire.Request{Method: m, Target: p.URL})
				t.Check(a.Response.Status >= 400 && a.Response.Status < 500, "%s got %d", m, a.Response.Status)
			}
			p.Alive()
		}, polling, needs(spec.FeatEcho))
	c.withstand("20", "requests that are no HTTP", "Bytes that are no request cost their connection and nothing else.",
		func(t *probe.T) {
			for _, junk := range []string{"\x16\x03\x01\x00\xff", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", strings.Repeat("A", 100000), "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"} {
				t.Dial().WriteRaw([]byte(junk))
			}
		})
	c.withstand("21", "lengths that contradict each other", "A request with both a length and chunks is refused or read one way; its session is not confused with another.",
		func(t *probe.T) {
			p := t.Polling(calm(t))
			conn := t.Dial()
			conn.WriteRaw([]byte("POST " + t.Target(p.URL) + " HTTP/1.1\r\nHost: " + t.Server().Addr + "\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n4x\r\n0\r\n\r\n"))
			conn.ReadRaw(time.Now().Add(t.Quiet), 4096)
		}, polling)
}

// robustVanished: clients that leave without a word, many at once.
func robustVanished(c *chapter) {
	c.comesBack("22", "a hundred connections reset", "Connections that are reset in the middle of a message leave nothing behind.",
		func(t *probe.T) {
			for range 100 {
				s := t.Join()
				s.Send(`42["message","x"]`)
				s.SendRaw([]byte{0x81, 0xfe})
				s.Reset()
			}
		})
	c.comesBack("23", "a hundred polling clients vanish", "Polling sessions whose clients never come back are taken back after their heartbeat.",
		func(t *probe.T) {
			for range 100 {
				p := t.Polling("/socket.io/")
				p.Send("40")
				p.Forget()
			}
		}, needs(spec.FeatPolling))
	c.comesBack("24", "a hundred polls break off", "Sessions whose pending poll breaks off end at once.",
		func(t *probe.T) {
			for range 100 {
				p := t.Polling("/socket.io/")
				p.Send("40")
				p.Expect(connected, noAuth)
				p.Poll().Abort()
				p.Forget()
			}
		}, needs(spec.FeatPolling))
	c.comesBack("25", "five hundred connections come and go", "Clients that connect and close in good order leave nothing behind.",
		func(t *probe.T) {
			for range 500 {
				s := t.Join()
				s.CloseWith(1000)
				s.Ended()
			}
		})
	c.comesBack("26", "handshakes and nothing more", "Sessions that never join a namespace are closed after the connect timeout.",
		func(t *probe.T) {
			for range 50 {
				t.SocketIO()
			}
			t.Wait(time.Second) // the contract's connect timeout
		})
	c.withstand("27", "connections that say nothing", "Connections without a request cost nobody anything.",
		func(t *probe.T) {
			for range 200 {
				t.Dial()
			}
		})
}
