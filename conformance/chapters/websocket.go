package chapters

import (
	"fmt"
	"strings"

	"github.com/siokit/siokit/conformance/probe"
	"github.com/siokit/siokit/conformance/spec"
	"github.com/siokit/siokit/conformance/wire"
)

// wsEcho sends texts and checks the echo frame by frame.
func wsEcho(texts ...string) func(*probe.T) {
	return func(t *probe.T) {
		s := t.WebSocket(calm(t))
		for _, text := range texts {
			s.Send(text)
			s.Exactly(text)
		}
	}
}

// wsCloses sends a text that must end the session.
func wsCloses(text string, codes ...int) func(*probe.T) {
	return func(t *probe.T) {
		s := t.WebSocket(calm(t))
		s.Send(text)
		s.Closed(codes...)
	}
}

// wsIgnored sends a text that must change nothing.
func wsIgnored(text string) func(*probe.T) {
	return func(t *probe.T) {
		s := t.WebSocket(calm(t))
		s.Send(text)
		s.Send("4x")
		s.Expect("4x")
	}
}

// wsFrames sends frames as they are and checks that the connection closes with
// the code.
func wsFrames(code int, frames ...wire.Frame) func(*probe.T) {
	return func(t *probe.T) {
		s := t.WebSocket(calm(t))
		s.Frames(frames...)
		s.Closed(code)
	}
}

// frame is a legal frame of the client, whole unless changed.
func frame(op wire.Opcode, payload string) wire.Frame {
	return wire.Frame{Fin: true, Op: op, Masked: true, Payload: []byte(payload)}
}

// part is a frame of a fragmented message.
func part(op wire.Opcode, payload string, last bool) wire.Frame {
	return wire.Frame{Fin: last, Op: op, Masked: true, Payload: []byte(payload)}
}

func webSocket() []spec.Case {
	c := &chapter{
		prefix: "E-WS", source: engineDoc + "WebSocket",
		profiles: []spec.Profile{spec.WebSocket, spec.SingleTransport},
		needs:    []spec.Feature{spec.FeatWebSocket, spec.FeatEcho},
	}
	wsMessages(c)
	wsControl(c)
	wsLimits(c)
	wsServer(c)
	wsProtocol(c)
	wsHandshake(c)
	return c.cases
}

// wsMessages: what comes back from an echo server.
func wsMessages(c *chapter) {
	c.must("01", "a text message", "A text message is one text frame with the packet type before it.", wsEcho("4hello"), official)
	c.must("02", "an empty message", "A message may be empty.", wsEcho("4"))
	c.ref("03", "an empty text frame", "A frame without a packet type ends the session.", wsCloses(""))
	c.ref("04", "an empty binary frame", "An empty binary frame is an empty binary message.",
		func(t *probe.T) {
			s := t.WebSocket(calm(t))
			s.SendBinary()
			s.Expect(probe.Bin())
		})
	c.must("05", "a binary message", "A binary message is one binary frame without a packet type.",
		func(t *probe.T) {
			s := t.WebSocket(calm(t))
			s.SendBinary(1, 2, 3, 4)
			s.Expect(probe.Bin(1, 2, 3, 4))
		}, official)
	c.must("38", "all bytes", "Every byte value survives the way there and back.",
		func(t *probe.T) {
			data := make([]byte, 256)
			for i := range data {
				data[i] = byte(i)
			}
			s := t.WebSocket(calm(t))
			s.SendBinary(data...)
			s.Expect(probe.Bin(data...))
		})
	c.must("39", "text beyond ASCII", "Text is UTF-8.", wsEcho("4é€😀\x00\u2028"))
	c.must("40", "frames of every length class", "Payloads whose lengths need one, two and eight bytes in the frame header come back whole.",
		func(t *probe.T) {
			s := t.WebSocket(calm(t))
			for _, n := range []int{1, 125, 126, 127, 65535, 65536, 65537} {
				text := "4" + strings.Repeat("x", n-1)
				s.Send(text)
				s.Exactly(text)
			}
		})
	c.must("41", "messages in one segment", "Messages that arrive together are delivered in their order.",
		func(t *probe.T) {
			s := t.WebSocket(calm(t))
			var texts []string
			for i := range 200 {
				texts = append(texts, fmt.Sprintf("4m%d", i))
			}
			s.SendTogether(texts...)
			s.Expect(texts...)
		})
	c.must("42", "text and binary in turn", "Text and binary messages keep their order.",
		func(t *probe.T) {
			s := t.WebSocket(calm(t))
			s.Send("4a")
			s.SendBinary(1)
			s.Send("4b")
			s.SendBinary(2)
			s.Expect("4a", probe.Bin(1), "4b", probe.Bin(2))
		})
	c.must("43", "two sessions side by side", "What one session sends is not seen by another.",
		func(t *probe.T) {
			a, b := t.WebSocket(calm(t)), t.WebSocket(calm(t))
			a.Send("4for a")
			b.Send("4for b")
			a.Expect("4for a")
			b.Expect("4for b")
			a.Alive()
			b.Alive()
		})
	c.ref("06", "base64 in a text frame", "The form of a binary message in a payload is read in a text frame too.",
		func(t *probe.T) {
			s := t.WebSocket(calm(t))
			s.Send("bAQIDBA==")
			s.Expect(probe.Bin(1, 2, 3, 4))
		})
	c.must("07", "a packet type that is a letter", "A packet type that does not exist ends the session.", wsCloses("abc"), official)
	c.ref("08", "packet type 7", "A digit beyond the last packet type ends the session.", wsCloses("7"))
	c.must("09", "a record separator inside a message", "A frame is one packet: the separator of payloads is data here.", wsEcho("4a\x1e4b"))
}

// wsControl: packets that are not messages.
func wsControl(c *chapter) {
	c.quirk("10", "an open packet from the client", "It changes nothing.", wsIgnored("0"))
	c.quirk("11", "a close packet from the client", "It changes nothing by itself.",
		func(t *probe.T) {
			s := t.WebSocket("/engine.io/")
			s.Send("1")
			s.Silent()
		})
	c.must("44", "a client that says goodbye and falls silent", "After a close packet from a client that answers no more pings, the connection closes, at the latest with the heartbeat.",
		func(t *probe.T) {
			s := t.WebSocket("/engine.io/")
			s.Send("1")
			s.Deafen()
			if f := s.Take(s.Heartbeat() + t.Slack); f != nil {
				probe.Equal(t, "what comes before the end", "2", f.Text)
				s.EndedWithin(s.Heartbeat() + t.Slack)
			}
			t.Check(s.HasEnded(), "the connection stays open")
		}, official)
	c.quirk("12", "an upgrade packet on a session that began over websocket", "It changes nothing.", wsIgnored("5"))
	c.quirk("13", "a noop from the client", "It changes nothing.", wsIgnored("6"))
	c.quirk("30", "a close packet, with long intervals", "The session goes on after a close packet.",
		func(t *probe.T) {
			s := t.WebSocket("/eio-slow/")
			s.Send("1")
			s.SilentFor(4 * t.Quiet)
			s.Alive()
		}, needs(spec.FeatLongPing))
}

// wsLimits: maxPayload.
func wsLimits(c *chapter) {
	c.must("14", "a message as large as maxPayload", "A message of exactly maxPayload bytes is accepted.",
		func(t *probe.T) {
			s := t.WebSocket("/eio-small/")
			text := "4" + strings.Repeat("a", 99)
			s.Send(text)
			s.Exactly(text)
		}, needs(spec.FeatLimits))
	c.ref("15", "a message one byte too large", "A text message above maxPayload ends the connection with 1009.",
		func(t *probe.T) {
			s := t.WebSocket("/eio-small/")
			s.Send("4" + strings.Repeat("a", 100))
			s.Closed(1009)
		}, needs(spec.FeatLimits))
	c.ref("16", "a binary message one byte too large", "A binary message above maxPayload ends the connection with 1009.",
		func(t *probe.T) {
			s := t.WebSocket("/eio-small/")
			s.SendBinary(make([]byte, 101)...)
			s.Closed(1009)
		}, needs(spec.FeatLimits))
	c.ref("37", "fragments that are too large together", "The limit holds for the whole of a fragmented message.",
		func(t *probe.T) {
			s := t.WebSocket("/eio-small/")
			s.Frames(part(wire.Text, "4"+strings.Repeat("a", 59), false), part(wire.Continuation, strings.Repeat("a", 60), true))
			s.Closed(1009)
		}, needs(spec.FeatLimits))
	c.ref("36", "a message of exactly a million bytes", "A message of exactly the contract's maxPayload comes back whole.",
		func(t *probe.T) {
			s := t.WebSocket(calm(t))
			text := "4" + strings.Repeat("a", 999999)
			s.Send(text)
			s.Exactly(text)
		})
	c.ref("45", "a message of a million and one bytes", "A message above the contract's maxPayload ends the connection with 1009.",
		func(t *probe.T) {
			s := t.WebSocket(calm(t))
			s.Send("4" + strings.Repeat("a", 1000000))
			s.Closed(1009)
		})
	c.ref("46", "a header that announces too much", "A frame whose header announces more than maxPayload is refused before its payload comes.",
		func(t *probe.T) {
			s := t.WebSocket("/eio-small/")
			f := frame(wire.Text, "4")
			f.Announce = 1 << 40
			s.Frames(f)
			s.Closed(1009, 1002)
		}, needs(spec.FeatLimits))
}

// wsServer: what the server sends by itself.
func wsServer(c *chapter) {
	cmd := func(text string, want ...string) func(*probe.T) {
		return func(t *probe.T) {
			s := t.WebSocket("/eio-cmd/")
			s.Send(text)
			s.Expect(want...)
		}
	}
	c.ref("17", "the server closes", "The connection closes without a close packet before it.",
		func(t *probe.T) {
			s := t.WebSocket("/eio-cmd/")
			s.Send("4close")
			end := s.EndedSilently(t.Patience)
			t.Check(end.Code == 1000 || end.Code == 1005, "the status of the close frame is %d", end.Code)
		}, needs(spec.FeatCommands))
	c.ref("18", "the server discards", "The connection closes.",
		func(t *probe.T) {
			s := t.WebSocket("/eio-cmd/")
			s.Send("4discard")
			s.Closed(1005, 1000)
		}, needs(spec.FeatCommands))
	c.must("19", "an empty message of the server", "An empty message is sent as 4.", cmd("4empty", "4"), needs(spec.FeatCommands))
	c.must("20", "text, binary and more text of the server", "The kinds keep their order.",
		cmd("4mixed", "4t", probe.Bin(1, 2, 3), "4é€😀"), needs(spec.FeatCommands))
	c.must("21", "a burst of fifty messages", "Each message is a frame of its own, in order.",
		func(t *probe.T) {
			s := t.WebSocket("/eio-cmd/")
			s.Send("4burst 50")
			for i := range 50 {
				s.Exactly(fmt.Sprintf("4b%d", i))
			}
		}, needs(spec.FeatCommands))
	c.must("47", "a burst of five thousand messages", "Nothing of a large burst is lost or out of order.",
		func(t *probe.T) {
			s := t.WebSocket("/eio-cmd/")
			s.Send("4burst 5000")
			for i := range 5000 {
				s.Exactly(fmt.Sprintf("4b%d", i))
			}
		}, needs(spec.FeatCommands))
}

// wsProtocol: RFC 6455 below the packets.
func wsProtocol(c *chapter) {
	rfc := func(section string) change { return from(rfc6455 + section) }
	c.must("22", "text that is not UTF-8", "A text message that is not UTF-8 ends the connection with 1007.",
		wsFrames(1007, frame(wire.Text, "4\xff\xfe")), rfc("8.1"))
	c.must("23", "a message in two fragments", "A fragmented message is delivered whole.",
		func(t *probe.T) {
			s := t.WebSocket(calm(t))
			s.Frames(part(wire.Text, "4hel", false), part(wire.Continuation, "lo", true))
			s.Expect("4hello")
		}, rfc("5.4"))
	c.must("48", "a message in many fragments", "A message in fragments of one byte, cut inside characters, with an empty one among them, is delivered whole.",
		func(t *probe.T) {
			s := t.WebSocket(calm(t))
			text := "4é€😀"
			frames := []wire.Frame{part(wire.Text, "", false)}
			for i := range len(text) {
				frames = append(frames, part(wire.Continuation, text[i:i+1], i == len(text)-1))
			}
			s.Frames(frames...)
			s.Exactly(text)
		}, rfc("5.4"))
	c.must("49", "a ping between fragments", "A control frame may stand between the fragments of a message and is answered at once.",
		func(t *probe.T) {
			s := t.WebSocket(calm(t))
			s.Frames(part(wire.Text, "4hel", false), frame(wire.Ping, "p"))
			s.Expect("<pong p>")
			s.Frames(part(wire.Continuation, "lo", true))
			s.Expect("4hello")
		}, rfc("5.4"))
	c.must("26", "an unmasked frame", "A frame of the client that is not masked ends the connection with 1002.",
		wsFrames(1002, wire.Frame{Fin: true, Op: wire.Text, Payload: []byte("4x")}), rfc("5.1"))
	c.must("50", "reserved bits", "A frame with a reserved bit that was not negotiated ends the connection with 1002.",
		wsFrames(1002, wire.Frame{Fin: true, RSV: wire.RSV1, Op: wire.Text, Masked: true, Payload: []byte("4x")}), rfc("5.2"))
	c.must("51", "a reserved opcode", "A frame with an opcode that does not exist ends the connection with 1002.",
		wsFrames(1002, frame(3, "4x")), rfc("5.2"))
	c.must("52", "a continuation without a start", "A continuation frame with nothing to continue ends the connection with 1002.",
		wsFrames(1002, frame(wire.Continuation, "4x")), rfc("5.4"))
	c.must("53", "a new message inside a fragmented one", "A message that begins before the last one is complete ends the connection with 1002.",
		wsFrames(1002, part(wire.Text, "4a", false), frame(wire.Text, "4b")), rfc("5.4"))
	c.must("54", "a fragmented control frame", "A control frame in fragments ends the connection with 1002.",
		wsFrames(1002, part(wire.Ping, "a", false)), rfc("5.5"))
	c.must("55", "a control frame that is too long", "A control frame of more than 125 bytes ends the connection with 1002.",
		wsFrames(1002, frame(wire.Ping, strings.Repeat("x", 126))), rfc("5.5"))
	c.must("56", "a close frame with one byte", "A close frame whose payload is one byte ends the connection with 1002.",
		wsFrames(1002, frame(wire.Close, "x")), rfc("5.5.1"))
	c.must("57", "a close frame with a status that must not be sent", "A close frame with the status 1005 ends the connection with 1002.",
		wsFrames(1002, wire.Frame{Fin: true, Op: wire.Close, Masked: true, Payload: wire.ClosePayload(1005, "")}), rfc("7.4.1"))
	c.must("58", "UTF-8 that is broken between fragments", "A fragmented text that is not UTF-8 as a whole ends the connection with 1007.",
		wsFrames(1007, part(wire.Text, "4\xe2\x82", false), part(wire.Continuation, "x", true)), rfc("8.1"))
	c.ref("64", "the status of a protocol error", "The end of a connection that broke the protocol says so: status 1002, or no close frame at all.",
		func(t *probe.T) {
			s := t.WebSocket(calm(t))
			s.Frames(frame(wire.Close, "x"))
			end := s.Ended()
			t.Check(end.Code == 1002 || end.Code == 1006, "the status of the close frame is %d", end.Code)
		}, rfc("7.1.7"))
	c.ref("24", "a close frame with 1000", "The server answers a close frame with the same status.",
		func(t *probe.T) {
			s := t.WebSocket(calm(t))
			s.CloseWith(1000)
			s.Closed(1000)
		}, rfc("5.5.1"))
	c.ref("25", "a close frame without a status", "The server answers a close frame without a status in kind.",
		func(t *probe.T) {
			s := t.WebSocket(calm(t))
			s.CloseWith(0)
			s.Closed(1005, 1000)
		}, rfc("5.5.1"))
	c.must("59", "a close frame", "The server answers a close frame and the connection ends.",
		func(t *probe.T) {
			s := t.WebSocket(calm(t))
			s.CloseWith(1000)
			probe.Equal(t, "status of the close frame", 1000, s.Ended().Code)
		}, rfc("5.5.1"))
	c.must("60", "no message after our close frame", "What follows a close frame is not delivered.",
		func(t *probe.T) {
			s := t.WebSocket(calm(t))
			s.Frames(wire.Frame{Fin: true, Op: wire.Close, Masked: true, Payload: wire.ClosePayload(1000, "")}, frame(wire.Text, "4late"))
			s.Ended()
		}, rfc("5.5.1"))
}

// wsHandshake: the upgrade request, and requests beside a WebSocket session.
func wsHandshake(c *chapter) {
	ws := in(spec.WebSocket)
	poll := func(s *probe.Socket, path string) string { return path + "?EIO=4&transport=polling&sid=" + s.SID }
	c.ref("27", "a poll with the sid of a websocket session", "A poll on a session that began over WebSocket gets status 400.",
		func(t *probe.T) {
			path := calm(t)
			s := t.WebSocket(path)
			t.Get(poll(s, path)).Refused()
			s.Alive()
		}, ws, needs(spec.FeatPolling))
	c.ref("28", "a POST with the sid of a websocket session", "A POST on a session that began over WebSocket gets status 400.",
		func(t *probe.T) {
			path := calm(t)
			s := t.WebSocket(path)
			t.Post(poll(s, path), "4x").Refused()
			s.Alive()
		}, ws, needs(spec.FeatPolling))
	c.quirk("29", "a second websocket for a websocket session", "The second connection is accepted and gets nothing; the first goes on.",
		func(t *probe.T) {
			path := calm(t)
			s := t.WebSocket(path)
			second := t.Raw(path+"?EIO=4&transport=websocket&sid="+s.SID, probe.SocketOptions{})
			s.Send("4still")
			s.Expect("4still")
			second.Silent()
		}, ws)
	c.must("61", "a second websocket does not harm the first", "A second connection with the sid of a WebSocket session takes nothing from the first.",
		func(t *probe.T) {
			path := calm(t)
			s := t.WebSocket(path)
			second, _ := t.TryRaw(path+"?EIO=4&transport=websocket&sid="+s.SID, probe.SocketOptions{})
			if second != nil {
				second.Send("2probe")
			}
			s.Alive()
		})
	c.quirk("31", "the form of a refused version", "The refusal of EIO=3 is written into the upgraded stream.",
		func(t *probe.T) {
			conn := t.Dial()
			conn.WriteRequest(wire.UpgradeRequest(t.Target("/engine.io/?EIO=3&transport=websocket")))
			data, closed := conn.ReadRaw(deadline(t), 1<<16)
			text := string(data)
			t.Check(closed, "the connection stays open")
			t.Check(strings.HasPrefix(text, "HTTP/1.1 101 ") && strings.HasSuffix(text, "\r\n\r\nUnsupported protocol version"), "it is %q", text)
		}, ws)
	c.quirk("32", "version 7 of the WebSocket protocol", "The refusal has status 400 and names the versions that are spoken.",
		func(t *probe.T) {
			a := t.Do(upgradeWithout(t, "Sec-WebSocket-Version", "7"))
			a.Is(400, "Missing or invalid Sec-WebSocket-Version header").Field("Sec-WebSocket-Version", "13, 8")
		}, ws)
	c.quirk("33", "no Sec-WebSocket-Key", "The refusal has status 400 and says what is missing.",
		func(t *probe.T) {
			t.Do(upgradeWithout(t, "Sec-WebSocket-Key", "")).Is(400, "Missing or invalid Sec-WebSocket-Key header")
		}, ws)
	c.must("62", "handshakes that break RFC 6455", "An upgrade request without a key, or with a version that does not exist, gets no WebSocket.",
		func(t *probe.T) {
			for _, r := range []wire.Request{upgradeWithout(t, "Sec-WebSocket-Key", ""), upgradeWithout(t, "Sec-WebSocket-Version", "7")} {
				a := t.Do(r)
				t.Check(a.Response.Status >= 400, "the answer is %d", a.Response.Status)
			}
		}, from(rfc6455+"4.2.1"), proven(accepts))
	c.ref("34", "a frame right behind the 101", "A message that is sent before the open packet has come is not lost.",
		func(t *probe.T) {
			s := t.Raw(calm(t)+"?EIO=4&transport=websocket", probe.SocketOptions{})
			s.Send("4early")
			s.Expect(opened, "4early")
		})
	c.ref("35", "any origin where every origin is allowed", "A WebSocket from another origin is accepted where the configuration says so.",
		func(t *probe.T) {
			s := t.WebSocketWith("/engine.io/", probe.SocketOptions{Header: []wire.Field{{Name: "Origin", Value: "http://evil.example"}}})
			s.Send("4x")
			s.Expect("4x")
		})
	c.must("63", "spelling of the handshake headers", "Header names and the tokens websocket and upgrade are compared without regard to case; Connection may list more.",
		func(t *probe.T) {
			r := wire.UpgradeRequest(t.Target(calm(t) + "?EIO=4&transport=websocket"))
			r.Header[0] = wire.Field{Name: "UPGRADE", Value: "WebSocket"}
			r.Header[1] = wire.Field{Name: "connection", Value: "keep-alive, UPGRADE"}
			t.Adopt(t.Dial(), r.Bytes(t.Server().Addr)).Expect(opened)
		}, from(rfc6455+"4.2.1"))
}

// upgradeWithout is a handshake request with one header changed, or left out
// when the value is empty.
func upgradeWithout(t *probe.T, name, value string) wire.Request {
	r := wire.UpgradeRequest("/engine.io/?EIO=4&transport=websocket")
	var kept []wire.Field
	for _, f := range r.Header {
		if f.Name == name {
			if value == "" {
				continue
			}
			f.Value = value
		}
		kept = append(kept, f)
	}
	r.Header = kept
	return r
}
