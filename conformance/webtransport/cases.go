package webtransport

import (
	"crypto/tls"
	"fmt"
	"strings"
	"time"

	"github.com/siokit/siokit/conformance/probe"
	"github.com/siokit/siokit/conformance/spec"
)

// Config says where the server under test speaks WebTransport.
type Config struct {
	// URL is the echo path: https://host:port/engine.io/.
	URL string
	// TLS is the configuration of the client; it has to trust the server.
	TLS *tls.Config
}

// Needs is what the cases need of the server beside WebTransport: long-polling,
// for the upgrades.
var Needs = []spec.Feature{spec.FeatHandshake, spec.FeatPolling, spec.FeatEcho}

const (
	document  = "engine.io-protocol v4: "
	reference = "ref engine.io 6.6.12"
)

// suite collects the cases of one server.
type suite struct {
	Config
	cases []spec.Case
}

// Cases returns the cases for a server, E-WT-01 and so on.
func Cases(c Config) []spec.Case {
	s := &suite{Config: c}
	s.handshakes()
	s.messages()
	s.framing()
	s.heartbeats()
	s.upgrades()
	return s.cases
}

func (s *suite) add(level spec.Level, source, number, title, requirement string, run func(*probe.T)) {
	s.cases = append(s.cases, spec.Case{
		ID: "E-WT-" + number, Title: title, Requirement: requirement, Source: source,
		Level: level, Profiles: []spec.Profile{spec.WebTransport}, Needs: Needs, Run: run,
	})
}

func (s *suite) must(chapter, number, title, requirement string, run func(*probe.T)) {
	s.add(spec.Must, document+chapter, number, title, requirement, run)
}

func (s *suite) ref(number, title, requirement string, run func(*probe.T)) {
	s.add(spec.Ref, reference, number, title, requirement, run)
}

// connect opens a session without a stream.
func (s *suite) connect(t *probe.T) *session { return connect(t, s.URL, s.TLS) }

// begin opens a session whose stream begins with a packet.
func (s *suite) begin(t *probe.T, packet string) *session {
	session := s.connect(t)
	session.open(text(packet))
	return session
}

// join begins an Engine.IO session over WebTransport.
func (s *suite) join(t *probe.T) (*session, opened) {
	session := s.begin(t, "0")
	return session, session.handshake()
}

func (s *suite) handshakes() {
	const chapter = "Handshake"
	s.must(chapter, "01", "the open packet", "An open packet on the stream is answered with an open packet that holds sid, intervals and limit.",
		func(t *probe.T) {
			_, o := s.join(t)
			t.Check(o.PingInterval > 0 && o.PingTimeout > 0 && o.MaxPayload > 0, "an interval or the limit is not positive: %+v", o)
		})
	s.ref("02", "no upgrades", "A session over WebTransport is offered no upgrade.",
		func(t *probe.T) {
			_, o := s.join(t)
			probe.Equal(t, "upgrades", 0, len(o.Upgrades))
		})
	s.must(chapter, "03", "two sessions", "Sessions have ids of their own, and what one sends is not seen by another.",
		func(t *probe.T) {
			a, first := s.join(t)
			b, second := s.join(t)
			t.Check(first.SID != second.SID, "both sessions are %s", first.SID)
			a.send("4for a")
			b.send("4for b")
			a.expect("4for a")
			b.expect("4for b")
		})
	s.ref("04", "a message first", "A stream that begins with anything but an open packet ends the session.",
		func(t *probe.T) { s.begin(t, "4hello").ended(t.Patience) })
	s.ref("05", "a session that does not exist", "An open packet with a sid that no session has ends the session.",
		func(t *probe.T) { s.begin(t, `0{"sid":"unknown"}`).ended(t.Patience) })
	s.ref("06", "an open packet that cannot be read", "An open packet with a payload that names no session ends the session.",
		func(t *probe.T) {
			s.begin(t, "0nonsense").ended(t.Patience)
			s.begin(t, `0{"sid":1}`).ended(t.Patience)
		})
	s.ref("07", "a poll with the sid of a WebTransport session", "A poll of a session that is not polling is refused with status 400.",
		func(t *probe.T) {
			session, o := s.join(t)
			t.Get("/engine.io/?EIO=4&transport=polling&sid=" + o.SID).Refused()
			session.alive()
		})
	s.ref("08", "a session that has ended", "When the client closes, the session is gone.",
		func(t *probe.T) {
			session, o := s.join(t)
			session.wt.CloseWithError(0, "")
			// A poll is refused either way; a new attempt with the sid must be, too.
			t.Wait(t.Quiet)
			s.begin(t, fmt.Sprintf(`0{"sid":%q}`, o.SID)).ended(t.Patience)
		})
}

func (s *suite) messages() {
	const chapter = "Packet encoding, WebTransport"
	echoes := func(send []byte, want string) func(*probe.T) {
		return func(t *probe.T) {
			session, _ := s.join(t)
			session.write(send)
			session.expect(want)
		}
	}
	s.must(chapter, "09", "a text message", "A text message is a frame whose payload begins with 4.", echoes(text("4hello"), "4hello"))
	s.must(chapter, "10", "a binary message", "A binary message is a frame with the top bit set and the bytes as they are.",
		echoes(binaryMessage(1, 2, 3, 4), "<bin 01020304>"))
	s.must(chapter, "11", "an empty message", "A message may be empty.", echoes(text("4"), "4"))
	s.must(chapter, "12", "text beyond ASCII", "Lengths count bytes of UTF-8.", echoes(text("4é€😀"), "4é€😀"))
	s.must(chapter, "13", "order", "Two hundred messages, text and binary, come back in their order.",
		func(t *probe.T) {
			session, _ := s.join(t)
			for i := range 100 {
				session.write(append(text(fmt.Sprintf("4%d", i)), binaryMessage(byte(i))...))
			}
			for i := range 100 {
				session.expect(fmt.Sprintf("4%d", i), fmt.Sprintf("<bin %02x>", i))
			}
		})
}

func (s *suite) framing() {
	const chapter = "Packet encoding, WebTransport"
	for i, length := range []int{125, 126, 65535, 65536} {
		want := len(head(length, 0))
		s.must(chapter, fmt.Sprint(14+i), fmt.Sprintf("a payload of %d bytes", length),
			fmt.Sprintf("The header of a payload of %d bytes is %d bytes long, both ways, for text and binary.", length, want),
			func(t *probe.T) {
				session, _ := s.join(t)
				packet := "4" + strings.Repeat("x", length-1)
				session.send(packet)
				f := session.next()
				probe.Equal(t, "the text", packet, f.String())
				probe.Equal(t, "bytes of its header", want, f.header)
				session.write(binaryMessage([]byte(packet)...))
				f = session.next()
				t.Check(f.binary && f.text == packet, "another binary message came, of %d bytes", len(f.text))
				probe.Equal(t, "bytes of its header", want, f.header)
			})
	}
	s.must(chapter, "18", "a stream in pieces", "Where the stream is cut does not matter.",
		func(t *probe.T) {
			session, _ := s.join(t)
			long := "4" + strings.Repeat("y", 200)
			for _, b := range append(text("4é"), text(long)...) {
				session.write([]byte{b})
			}
			session.expect("4é", long)
		})
	s.must(chapter, "19", "many packets at once", "Packets that arrive together are read one by one.",
		func(t *probe.T) {
			session, _ := s.join(t)
			session.write(append(append(text("4a"), binaryMessage(1)...), text("4b")...))
			session.expect("4a", "<bin 01>", "4b")
		})
	s.must(chapter, "20", "a message of half a million bytes", "A large message within the limit comes back whole.",
		func(t *probe.T) {
			session, o := s.join(t)
			length := int(min(o.MaxPayload, 500_000))
			packet := "4" + strings.Repeat("z", length-1)
			session.send(packet)
			probe.Equal(t, "length of the answer", length, len(session.next().text))
		})
	closes := func(data ...byte) func(*probe.T) {
		return func(t *probe.T) {
			session, o := s.join(t)
			session.write(data)
			session.ended(min(o.interval()*2/3, t.Patience))
		}
	}
	s.ref("21", "a header that announces too much", "A length beyond maxPayload ends the session before the payload comes.",
		func(t *probe.T) {
			session, o := s.join(t)
			session.write(head(int(o.MaxPayload)+1, 0))
			session.ended(min(o.interval()*2/3, t.Patience))
		})
	s.ref("22", "a length of 64 bits", "A length that no number can hold ends the session.",
		closes(127, 255, 255, 255, 255, 255, 255, 255, 255))
	s.ref("23", "an empty frame", "A frame without a packet type ends the session.", closes(0))
	s.ref("24", "packet type 7", "A packet type that does not exist ends the session.", closes(text("7x")...))
	s.ref("25", "a ping from the client", "Pings go from the server to the client: one the other way ends the session.", closes(text("2")...))
}

func (s *suite) heartbeats() {
	s.must("Heartbeat", "26", "the first ping", "The first ping comes pingInterval after the handshake.",
		func(t *probe.T) {
			session := s.connect(t)
			session.deaf = true
			before := time.Now()
			session.open(text("0"))
			o := session.handshake()
			after := time.Now()
			session.expect("2")
			t.Between("the first ping", o.interval(), before, after, time.Now())
		})
	s.must("Heartbeat", "27", "no pong", "A client that answers no ping is closed.",
		func(t *probe.T) {
			session, o := s.join(t)
			session.deaf = true
			session.expect("2")
			session.ended(o.timeout() + t.Slack)
		})
	s.must("Heartbeat", "28", "a client that answers stays", "A client that answers every ping stays connected.",
		func(t *probe.T) {
			session, o := s.join(t)
			session.silent(3 * (o.interval() + o.timeout()))
			session.alive()
		})
}

// upgraded takes a polling session over to WebTransport.
func (s *suite) upgraded(t *probe.T) (*probe.Polling, *session) {
	p := t.Polling("/engine.io/")
	session := s.begin(t, fmt.Sprintf(`0{"sid":%q}`, p.SID))
	session.send("2probe")
	session.expect("3probe")
	session.send("5")
	p.Forget()
	session.alive()
	return p, session
}

func (s *suite) upgrades() {
	const chapter = "Upgrade"
	s.must(chapter, "29", "the probe", "A stream that names a polling session is probed with 2probe, and answers 3probe.",
		func(t *probe.T) {
			p := t.Polling("/engine.io/")
			session := s.begin(t, fmt.Sprintf(`0{"sid":%q}`, p.SID))
			session.send("2probe")
			session.expect("3probe")
		})
	s.must(chapter, "30", "a complete upgrade", "After the upgrade packet messages go over WebTransport; what was still to be sent comes there.",
		func(t *probe.T) {
			p := t.Polling("/engine.io/")
			session := s.begin(t, fmt.Sprintf(`0{"sid":%q}`, p.SID))
			session.send("2probe")
			session.expect("3probe")
			p.Send("4buffered")
			session.send("5")
			p.Forget()
			session.expect("4buffered")
			session.alive()
			session.write(binaryMessage(9))
			session.expect("<bin 09>")
		})
	s.must(chapter, "31", "the pending poll is released", "After the probe a pending poll is answered with a noop soon.",
		func(t *probe.T) {
			p := t.Polling("/engine.io/")
			poll := p.Poll()
			session := s.begin(t, fmt.Sprintf(`0{"sid":%q}`, p.SID))
			session.send("2probe")
			session.expect("3probe")
			poll.Answer().Is(200, "6")
		})
	s.must(chapter, "32", "a poll after the upgrade", "A poll of a session that has moved is refused with status 400.",
		func(t *probe.T) {
			p, session := s.upgraded(t)
			p.GetAll().Refused()
			session.alive()
		})
	s.must(chapter, "33", "heartbeat after the upgrade", "An upgraded client is pinged, and closed when it does not answer.",
		func(t *probe.T) {
			p, session := s.upgraded(t)
			session.deaf = true
			session.expect("2")
			session.ended(p.PingTimeout + t.Slack)
		})
	s.ref("34", "a second stream for an upgraded session", "A further WebTransport session for one that has moved is ended; the first goes on.",
		func(t *probe.T) {
			p, session := s.upgraded(t)
			s.begin(t, fmt.Sprintf(`0{"sid":%q}`, p.SID)).ended(t.Patience)
			session.alive()
		})
	s.ref("35", "a message before the probe", "Anything but the probe ends the attempt; polling goes on.",
		func(t *probe.T) {
			p := t.Polling("/engine.io/")
			session := s.begin(t, fmt.Sprintf(`0{"sid":%q}`, p.SID))
			session.send("4x")
			session.ended(t.Patience)
			p.Send("4y")
			p.ExpectAfterNoops("4y")
		})
	s.must(chapter, "36", "the client drops the attempt", "Polling goes on after an upgrade that broke off.",
		func(t *probe.T) {
			p := t.Polling("/engine.io/")
			session := s.begin(t, fmt.Sprintf(`0{"sid":%q}`, p.SID))
			session.send("2probe")
			session.expect("3probe")
			session.wt.CloseWithError(0, "")
			p.Send("4y")
			p.ExpectAfterNoops("4y")
		})
}
