package chapters

import (
	"fmt"
	"strings"
	"time"

	"github.com/siokit/siokit/conformance/probe"
	"github.com/siokit/siokit/conformance/spec"
	"github.com/siokit/siokit/conformance/wire"
)

// echoOf posts a body and checks what the next poll of the echo server brings.
func echoOf(body, want string, header ...wire.Field) func(*probe.T) {
	return func(t *probe.T) {
		p := t.Polling(calm(t))
		t.Post(p.URL, body, header...).Accepted()
		p.Get().Is(200, want)
	}
}

// endsSession posts a body that must end the session. The reference answers the
// POST with ok, the public suites expect status 400.
func endsSession(body string) func(*probe.T) {
	return func(t *probe.T) {
		p := t.Polling(calm(t))
		p.Post(body).Status(200, 400)
		p.Gone()
	}
}

// ignored posts a body that must change nothing.
func ignored(body string) func(*probe.T) {
	return func(t *probe.T) {
		p := t.Polling(calm(t))
		p.Post(body).Accepted()
		p.Alive()
	}
}

// tooLarge posts a body beyond the limit of /eio-small/.
func tooLarge(body string) func(*probe.T) {
	return func(t *probe.T) {
		p := t.Polling("/eio-small/")
		p.Post(body).Status(413)
		p.Alive() // and nothing of it was delivered
	}
}

// arrived gives what was sent on other connections the time to arrive: one
// exchange with the server and a moment more.
func arrived(t *probe.T) {
	get(t, "transport=none")
	t.Wait(t.Quiet / 5)
}

func polling() []spec.Case {
	c := &chapter{
		prefix: "E-PD", source: engineDoc + "HTTP long-polling",
		profiles: []spec.Profile{spec.Polling}, needs: []spec.Feature{spec.FeatPolling, spec.FeatEcho},
	}
	pollingPayload(c)
	pollingBinary(c)
	pollingBody(c)
	pollingControl(c)
	pollingOverlap(c)
	pollingServer(c)
	pollingConnection(c)
	return c.cases
}

// pollingPayload: text packets, and payloads that cannot be read.
func pollingPayload(c *chapter) {
	c.quirk("01", "an empty body", "An empty body is a packet that cannot be read: the session ends.", endsSession(""))
	c.must("02", "an empty message", "A message may be empty.", echoOf("4", "4"))
	c.must("50", "a text message", "A text message is delivered and the POST answered with ok.",
		func(t *probe.T) {
			p := t.Polling(calm(t))
			p.Post("4hello").Is(200, "ok")
			p.Get().Is(200, "4hello")
		}, official)
	c.must("51", "several text messages in one payload", "The packets of a payload are delivered in their order.",
		echoOf("4test1\x1e4test2\x1e4test3", "4test1\x1e4test2\x1e4test3"), official)
	c.ref("03", "a separator at the end", "A separator is followed by a packet: an empty one ends the session.", endsSession("4a\x1e"))
	c.ref("04", "a separator at the beginning", "An empty packet before the separator ends the session.", endsSession("\x1e4a"))
	c.ref("05", "two separators in a row", "An empty packet between separators ends the session.", endsSession("4a\x1e\x1e4b"))
	c.ref("06", "a packet type that is a letter", "A packet type that does not exist ends the session.", endsSession("abc"))
	c.must("52", "a payload that cannot be read", "After a payload that cannot be read the session is gone, whatever the POST is answered.",
		func(t *probe.T) {
			p := t.Polling(calm(t))
			t.Start(probe.PostRequest(p.URL, "abc")).AnswerOrEnd()
			p.Gone()
		}, official)
	c.ref("07", "packet type 7", "A digit beyond the last packet type ends the session.", endsSession("7x"))
	c.ref("08", "a bad packet between good ones", "A payload with a packet that cannot be read ends the session.", endsSession("4ok\x1e9bad\x1e4after"))
	c.must("15", "text beyond ASCII", "Text is UTF-8, of any length of encoding.", echoOf("4é€😀", "4é€😀"))
	c.quirk("16", "invalid UTF-8", "Bytes that are not UTF-8 become replacement characters.", echoOf("4\xff\xfe", "4��"))
	c.ref("17", "a zero byte in a text", "A zero byte is a character like others.", echoOf("4a\x00b", "4a\x00b"))
	c.must("53", "a message of every length up to 130", "No length of a message is special.",
		func(t *probe.T) {
			p := t.Polling(calm(t))
			for n := 0; n <= 130; n += 10 {
				var packets []string
				for length := range 10 {
					packets = append(packets, "4"+strings.Repeat("x", n+length))
				}
				p.Send(packets...)
				p.Expect(packets...)
			}
		})
	c.ref("75", "a hundred packets in one payload", "The number of packets in a payload has no limit of its own.",
		func(t *probe.T) {
			p := t.Polling(calm(t))
			var packets []string
			for i := range 100 {
				packets = append(packets, fmt.Sprintf("4%d", i))
			}
			p.Send(packets...)
			p.Expect(packets...)
		})
	c.must("54", "order over many payloads", "Messages of consecutive payloads come back in their order.",
		func(t *probe.T) {
			p := t.Polling(calm(t))
			var want []string
			for i := range 20 {
				packets := []string{fmt.Sprintf("4%da", i), fmt.Sprintf("4%db", i)}
				p.Send(packets...)
				want = append(want, packets...)
			}
			p.Expect(want...)
		})
	c.must("55", "two sessions side by side", "What one session sends is not seen by another.",
		func(t *probe.T) {
			a, b := t.Polling(calm(t)), t.Polling(calm(t))
			a.Send("4for a")
			b.Send("4for b")
			a.Expect("4for a")
			b.Expect("4for b")
			a.Alive()
			b.Alive()
		})
}

// pollingBinary: binary messages as base64.
func pollingBinary(c *chapter) {
	c.must("09", "a binary message", "A binary message is b and its bytes in base64, both ways.", echoOf("bAQIDBA==", "bAQIDBA=="), from(engineDoc+"Packet encoding, HTTP long-polling"))
	c.must("56", "text and binary in one payload", "Text and binary messages of one payload keep their order.",
		echoOf("4hello\x1ebAQIDBA==", "4hello\x1ebAQIDBA=="), from(engineDoc+"Packet encoding, HTTP long-polling"), official)
	c.must("57", "all bytes", "Every byte value survives the way there and back.",
		func(t *probe.T) {
			data := make([]byte, 256)
			for i := range data {
				data[i] = byte(i)
			}
			p := t.Polling(calm(t))
			p.Send(probe.Binary(data...))
			p.Expect(probe.Binary(data...))
		}, from(engineDoc+"Packet encoding, HTTP long-polling"))
	c.must("58", "padding", "Binary messages of lengths with two, one and no padding characters come back the same.",
		echoOf("bAQ==\x1ebAQI=\x1ebAQID", "bAQ==\x1ebAQI=\x1ebAQID"), from(engineDoc+"Packet encoding, HTTP long-polling"))
	c.quirk("10", "an empty binary message", "A binary message may be empty.", echoOf("b", "b"))
	c.quirk("11", "base64 without padding", "Missing padding is forgiven.", echoOf("bAQIDBA", "bAQIDBA=="))
	c.quirk("12", "not base64", "Characters that are not base64 are left out.", echoOf("b!!!!", "b"))
	c.quirk("13", "the URL-safe alphabet", "The URL-safe alphabet is read too.", echoOf("bAQID_-8=", "bAQID/+8="))
	c.quirk("14", "a line break in base64", "Line breaks are left out.", echoOf("bAQID\nBA==", "bAQIDBA=="))
}

// pollingBody: content types and limits of a POST.
func pollingBody(c *chapter) {
	media := func(v string) wire.Field { return wire.Field{Name: "Content-Type", Value: v} }
	c.ref("18", "application/octet-stream", "Revision 4 has no binary payloads: the POST gets 400 and the session ends.",
		func(t *probe.T) {
			p := t.Polling(calm(t))
			t.Post(p.URL, "4a", media("application/octet-stream")).Is(400, "")
			p.Gone()
		})
	c.must("19", "text/plain", "The content type of the official clients is accepted.", echoOf("4a", "4a", media("text/plain;charset=UTF-8")))
	c.ref("20", "application/json", "Any other content type is read as text.", echoOf("4a", "4a", media("application/json")))
	c.must("21", "a body as large as maxPayload", "A body of exactly maxPayload bytes is accepted.",
		func(t *probe.T) {
			p := t.Polling("/eio-small/")
			text := "4" + strings.Repeat("a", 99)
			p.Send(text)
			p.Expect(text)
		}, needs(spec.FeatLimits))
	c.ref("22", "a body one byte too large", "A body above maxPayload is refused with status 413.",
		func(t *probe.T) {
			p := t.Polling("/eio-small/")
			p.Post("4" + strings.Repeat("a", 100)).Status(413)
		}, needs(spec.FeatLimits))
	c.ref("59", "a session after a body that was too large", "Nothing of a body that was too large is delivered, and the session goes on.",
		tooLarge("4"+strings.Repeat("a", 100)), needs(spec.FeatLimits))
	c.ref("23", "the answer to a body that is too large", "The answer has neither body nor content type.",
		func(t *probe.T) {
			p := t.Polling("/eio-small/")
			p.Post("4"+strings.Repeat("a", 100)).Is(413, "").Field("Content-Type", "")
		}, needs(spec.FeatLimits))
	c.ref("24", "the limit counts bytes", "34 three-byte characters are 102 bytes, and too large for 100.",
		tooLarge("4"+strings.Repeat("€", 34)), needs(spec.FeatLimits))
	c.ref("25", "a chunked body that is too large", "The limit holds without a Content-Length.",
		func(t *probe.T) {
			p := t.Polling("/eio-small/")
			r := probe.PostRequest(p.URL, "4"+strings.Repeat("a", 150))
			r.Chunked, r.ChunkSize = true, 40
			t.Do(r).Status(413)
			p.Alive()
		}, needs(spec.FeatLimits))
	c.must("60", "a chunked body", "A body in chunks is read like another, wherever it is cut.",
		func(t *probe.T) {
			p := t.Polling(calm(t))
			r := probe.PostRequest(p.URL, "4é€😀\x1ebAQID")
			r.Chunked, r.ChunkSize = true, 1
			t.Do(r).Accepted()
			p.Get().Is(200, "4é€😀\x1ebAQID")
		}, from("RFC 9112, 7.1"))
	c.must("61", "a body in small pieces", "A body that arrives in pieces, cut inside characters, is read like another.",
		func(t *probe.T) {
			p := t.Polling(calm(t))
			conn := t.Dial()
			r := probe.PostRequest(t.Target(p.URL), "4é€😀\x1ebAQID")
			whole := r.Bytes(t.Server().Addr)
			cut := len(whole) - len(r.Body)
			conn.WriteRaw(whole[:cut])
			for _, b := range whole[cut:] {
				conn.WriteRaw([]byte{b})
				t.Wait(2 * time.Millisecond)
			}
			t.Read(conn, "POST").Accepted()
			p.Get().Is(200, "4é€😀\x1ebAQID")
		})
	c.must("62", "a message of a hundred thousand bytes", "A large message within the limit comes back whole.",
		func(t *probe.T) {
			p := t.Polling(calm(t))
			text := "4" + strings.Repeat("0123456789", 10000)
			p.Send(text)
			p.Expect(text)
		})
	c.ref("63", "a message of exactly a million bytes", "A body of exactly the contract's maxPayload is accepted.",
		func(t *probe.T) {
			p := t.Polling(calm(t))
			text := "4" + strings.Repeat("a", 999999)
			p.Send(text)
			p.Expect(text)
		})
}

// pollingControl: packets that are not messages.
func pollingControl(c *chapter) {
	c.ref("26", "a ping from the client", "Pings go from the server to the client: one the other way ends the session.", endsSession("2"))
	c.ref("27", "a pong that nobody asked for", "An unsolicited pong changes nothing.", ignored("3"))
	c.quirk("28", "an open packet from the client", "It changes nothing.", ignored("0"))
	c.quirk("29", "an upgrade packet over polling", "It changes nothing.", ignored("5"))
	c.quirk("30", "a noop from the client", "It changes nothing.", ignored("6"))
	c.must("31", "close while no poll is pending", "A close packet ends the session at once.",
		endsSession("1"), from(engineDoc+"Packet encoding"))
	c.ref("32", "messages around a close packet", "What follows a close packet is not read; the session ends.", endsSession("4a\x1e1\x1e4b"))
	for i, m := range []string{"PUT", "DELETE"} {
		c.quirk(fmt.Sprint(33+i), m+" on a session", "Another method gets status 500 without a body; the session goes on.",
			func(t *probe.T) {
				p := t.Polling(calm(t))
				t.Do(wire.Request{Method: m, Target: p.URL}).Is(500, "")
				p.Alive()
			})
	}
	c.ref("64", "other methods on a session", "PUT, DELETE and PATCH on a session are refused at once; the session goes on.",
		func(t *probe.T) {
			p := t.Polling(calm(t))
			for _, m := range []string{"PUT", "DELETE", "PATCH"} {
				a := t.Do(wire.Request{Method: m, Target: p.URL})
				t.Check(a.Response.Status >= 400, "%s got %d", m, a.Response.Status)
			}
			p.Alive()
		})
}

// pollingOverlap: requests that are cut off, or more than one of a kind.
func pollingOverlap(c *chapter) {
	c.must("35", "two polls at once", "Of two polls of a session one is answered with a close packet, the other with an error, and the session ends.",
		func(t *probe.T) {
			p := t.Polling(calm(t))
			first := p.Poll()
			arrived(t)
			second := p.Poll()
			a, b := first.Answer(), second.Answer()
			if a.Response.Status != 200 {
				a, b = b, a // the second overtook the first
			}
			a.Is(200, "1")
			b.Status(400, 500)
			p.Gone()
		}, official)
	c.ref("65", "the second of two polls", "The second poll gets status 400 without a body.",
		func(t *probe.T) {
			p := t.Polling(calm(t))
			p.Poll()
			arrived(t)
			p.Get().Is(400, "")
		})
	c.ref("36", "two POSTs at once", "While a body is still coming a second POST gets status 400, the first is cut off or refused, and the session ends.",
		func(t *probe.T) {
			p := t.Polling(calm(t))
			first := t.Start(wire.Request{Method: "POST", Target: p.URL, Body: []byte("4fir"), Announce: 8})
			arrived(t)
			p.Post("4second").Is(400, "")
			if a := first.AnswerOrEnd(); a != nil {
				a.Status(400)
			}
			p.Gone()
		})
	c.ref("37", "a POST that breaks off", "A body that ends early ends the session.",
		func(t *probe.T) {
			p := t.Polling(calm(t))
			post := t.Start(wire.Request{Method: "POST", Target: p.URL, Body: []byte("4hal"), Announce: 8})
			arrived(t)
			post.Abort()
			arrived(t)
			p.Gone()
		})
	c.must("38", "a poll that breaks off", "A client that gives up a pending poll has left: the session ends.",
		func(t *probe.T) {
			p := t.Polling(calm(t))
			poll := p.Poll()
			arrived(t)
			poll.Abort()
			arrived(t)
			p.Get().Status(400)
			p.Gone()
		}, official)
	c.must("39", "a message while a poll is pending", "A pending poll is answered as soon as there is something to send.",
		func(t *probe.T) {
			p := t.Polling(calm(t))
			poll := p.Poll()
			arrived(t)
			p.Send("4x")
			poll.Answer().Is(200, "4x")
		})
	c.must("40", "close while a poll is pending", "A close packet ends the session; a pending poll is released with a noop.",
		func(t *probe.T) {
			p := t.Polling(calm(t))
			poll := p.Poll()
			arrived(t)
			p.Send("1")
			poll.Answer().Is(200, "6")
			p.Gone()
		}, official)
	c.ref("66", "a poll without anything to say", "A poll stays open while the server has nothing to send.",
		func(t *probe.T) {
			p := t.Polling("/eio-slow/")
			p.Poll().Silent(t.Quiet)
		}, needs(spec.FeatLongPing))
	c.ref("67", "POSTs while a poll is pending", "A poll is answered by the first message; the next poll brings the others.",
		func(t *probe.T) {
			p := t.Polling(calm(t))
			poll := p.Poll()
			arrived(t)
			p.Send("4a")
			poll.Answer().Is(200, "4a")
			p.Send("4b")
			p.Send("4c")
			p.Get().Is(200, "4b\x1e4c")
		})
}

// pollingServer: what the server sends by itself.
func pollingServer(c *chapter) {
	c.must("41", "several messages wait for a poll", "What has gathered since the last poll comes in one answer, in order.",
		func(t *probe.T) {
			p := t.Polling(calm(t))
			p.Send("4a")
			p.Send("4b")
			p.Send("bAQ==")
			p.Get().Is(200, "4a\x1e4b\x1ebAQ==")
		})
	c.quirk("42", "a thousand messages wait for a poll", "An answer is not cut at maxPayload.",
		func(t *probe.T) {
			p := t.Polling("/eio-cmd/")
			p.Send("4burst 1000")
			probe.Equal(t, "packets in one answer", 1000, len(p.Get().Packets()))
		}, needs(spec.FeatCommands))
	c.must("68", "a thousand messages in order", "A burst comes whole and in order.",
		func(t *probe.T) {
			p := t.Polling("/eio-cmd/")
			p.Send("4burst 1000")
			for i := range 1000 {
				probe.Equal(t, "message", fmt.Sprintf("4b%d", i), p.Next())
			}
		}, needs(spec.FeatCommands))
	c.must("43", "an empty message of the server", "An empty message is sent as 4.",
		func(t *probe.T) {
			p := t.Polling("/eio-cmd/")
			p.Send("4empty")
			p.Expect("4")
		}, needs(spec.FeatCommands))
	c.must("44", "text, binary and more text of the server", "The kinds keep their order, and the answer is text/plain in UTF-8.",
		func(t *probe.T) {
			p := t.Polling("/eio-cmd/")
			p.Send("4mixed")
			a := p.Get()
			a.Is(200, "4t\x1ebAQID\x1e4é€😀").Field("Content-Type", "text/plain; charset=UTF-8")
		}, needs(spec.FeatCommands))
	c.ref("45", "the server closes while a poll is pending", "The poll is answered with a close packet, and the session is gone.",
		func(t *probe.T) {
			p := t.Polling("/eio-cmd/")
			poll := t.Start(wire.Request{Target: p.URL})
			arrived(t)
			p.Send("4close")
			a := poll.Answer()
			if string(a.Body) == "2" {
				t.Unclear("a ping took the poll before the close came")
			}
			a.Is(200, "1")
			p.Gone()
		}, needs(spec.FeatCommands))
	c.ref("46", "the server closes while no poll is pending", "The next poll brings the close packet behind a noop, and the session is gone.",
		func(t *probe.T) {
			p := t.Polling("/eio-cmd/")
			p.Send("4close")
			p.Get().Is(200, "6\x1e1")
			p.Gone()
		}, needs(spec.FeatCommands))
	c.quirk("47", "the server discards a session while a poll is pending", "The poll is answered with a close packet.",
		func(t *probe.T) {
			p := t.Polling("/eio-cmd/")
			poll := p.Poll()
			arrived(t)
			p.Send("4discard")
			poll.Answer().Is(200, "1")
			p.Gone()
		}, needs(spec.FeatCommands))
}

// pollingConnection: HTTP itself.
func pollingConnection(c *chapter) {
	http := from("RFC 9112")
	c.ref("48", "several requests on one connection", "A connection is kept for the next request.",
		func(t *probe.T) {
			p := t.Polling(calm(t))
			conn := t.Dial()
			conn.WriteRequest(probe.PostRequest(t.Target(p.URL), "4k"))
			a := t.Read(conn, "POST").Accepted()
			t.Check(a.KeepAlive, "the server announces the end of the connection")
			conn.WriteRequest(wire.Request{Target: t.Target(p.URL)})
			t.Read(conn, "GET").Carries("4k")
		}, http)
	c.ref("69", "HTTP/1.0", "A client of HTTP/1.0 is served; its connection closes after the answer.",
		func(t *probe.T) {
			conn := t.Dial()
			conn.WriteRequest(wire.Request{Target: t.Target("/engine.io/?EIO=4&transport=polling"), Proto: "HTTP/1.0"})
			t.Read(conn, "GET").Is(200, opened)
			closes(t, conn)
		}, http)
	c.ref("70", "Expect: 100-continue", "A body that waits for permission is asked for and read.",
		func(t *probe.T) {
			p := t.Polling(calm(t))
			conn := t.Dial()
			r := probe.PostRequest(t.Target(p.URL), "4patient", wire.Field{Name: "Expect", Value: "100-continue"})
			whole := r.Bytes(t.Server().Addr)
			conn.WriteRaw(whole[:len(whole)-len(r.Body)])
			if a := t.Read(conn, "POST"); a.Response.Status == 100 {
				conn.WriteRaw(r.Body)
				a = t.Read(conn, "POST")
				a.Accepted()
			} else {
				a.Status(100)
			}
			p.Get().Is(200, "4patient")
		}, http)
	c.ref("71", "pipelined requests", "A POST and a poll sent in one go are answered in their order.",
		func(t *probe.T) {
			p := t.Polling(calm(t))
			conn := t.Dial()
			post := probe.PostRequest(t.Target(p.URL), "4p").Bytes(t.Server().Addr)
			poll := wire.Request{Target: t.Target(p.URL)}.Bytes(t.Server().Addr)
			conn.WriteRaw(append(post, poll...))
			t.Read(conn, "POST").Accepted()
			t.Read(conn, "GET").Carries("4p")
		}, http)
	c.ref("72", "a half-closed connection", "A client that has ended its side of the connection still gets the answer to its POST, or loses the session.",
		func(t *probe.T) {
			for range 8 { // what comes first, the end or the request's handler, is chance
				p := t.Polling(calm(t))
				conn := t.Dial()
				conn.WriteRequest(probe.PostRequest(t.Target(p.URL), "4half"))
				conn.CloseWrite()
				resp, err := conn.ReadResponse(deadline(t), "POST")
				if err != nil {
					p.Gone()
					continue
				}
				probe.Equal(t, "status", 200, resp.Status)
				p.Get().Is(200, "4half")
			}
		}, http)
	c.must("73", "parameters in another order", "The order of query parameters means nothing.",
		func(t *probe.T) {
			p := t.Polling(calm(t))
			path, _, _ := strings.Cut(p.URL, "?")
			url := path + "?sid=" + p.SID + "&t=abc&transport=polling&EIO=4"
			t.Post(url, "4a").Accepted()
			t.Get(url).Carries("4a")
		})
	c.must("74", "a session that is gone", "A session that was closed stays gone for polls and POSTs.",
		func(t *probe.T) {
			p := t.Polling(calm(t))
			p.Send("1")
			p.Gone()
			p.Post("4x").Refused()
			p.Gone()
		})
}
