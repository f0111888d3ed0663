package chapters

import (
	"time"

	"github.com/siokit/siokit/conformance/probe"
	"github.com/siokit/siokit/conformance/spec"
	"github.com/siokit/siokit/conformance/wire"
)

// underway is how long a ping may be on its way to us: so much sooner than we saw
// it the server began to wait for the pong.
const underway = 50 * time.Millisecond

func heartbeat() []spec.Case {
	c := &chapter{
		prefix: "E-HB", source: engineDoc + "Heartbeat",
		profiles: []spec.Profile{spec.Heartbeat, spec.WebSocket, spec.SingleTransport},
		needs:    []spec.Feature{spec.FeatWebSocket, spec.FeatEcho},
	}
	deaf := probe.SocketOptions{Deaf: true}
	c.must("01", "the first ping", "The first ping comes at the latest pingInterval after the handshake, without a payload.",
		func(t *probe.T) {
			s := t.WebSocketWith("/engine.io/", deaf)
			at := s.TakePing(s.PingInterval + t.Slack)
			t.Between("the first ping", 0, s.Asked, s.Opened.Add(s.PingInterval), at)
		})
	c.ref("20", "no ping before its time", "The first ping does not come before pingInterval has passed.",
		func(t *probe.T) {
			s := t.WebSocketWith("/engine.io/", deaf)
			at := s.TakePing(s.PingInterval + t.Slack)
			t.Between("the first ping", s.PingInterval, s.Asked, s.Opened, at)
		})
	c.must("02", "no pong", "A client that answers no ping is closed pingTimeout after it.",
		func(t *probe.T) {
			s := t.WebSocketWith("/engine.io/", deaf)
			at := s.TakePing(s.PingInterval + t.Slack)
			t.Between("the end", s.PingTimeout, at.Add(-underway), at, s.Ended().At)
		}, official)
	c.must("11", "three pings in a row", "Each pong is followed by the next ping, one at a time.",
		func(t *probe.T) {
			s := t.WebSocketWith("/engine.io/", deaf)
			for range 3 {
				s.Expect("2")
				s.Send("3")
			}
			s.Expect("2")
		}, official)
	c.must("12", "messages don't take the place of a pong", "A client that sends messages all the time but no pong is closed all the same.",
		func(t *probe.T) {
			s := t.WebSocketWith("/engine.io/", deaf)
			limit := time.Now().Add(s.Heartbeat()*2 + t.Slack)
			for {
				s.Send("4x")
				if f := s.Take(s.PingTimeout / 4); f == nil && s.HasEnded() {
					return
				}
				t.Check(time.Now().Before(limit), "still open %v after the handshake", time.Since(s.Opened))
				t.Wait(s.PingTimeout / 8)
			}
		})
	c.quirk("03", "messages while a pong is due", "The first packet after a ping puts the timeout off once.",
		func(t *probe.T) {
			s := t.WebSocketWith("/engine.io/", deaf)
			s.Expect("2")
			t.Wait(s.PingTimeout / 2)
			s.Send("4a")
			s.Expect("4a")
			s.SilentFor(s.PingTimeout * 3 / 4)
			s.Send("4b")
			s.Expect("4b")
			s.EndedWithin(s.PingTimeout * 3 / 4)
		})
	c.ref("04", "a pong before any ping", "A pong that nobody asked for changes nothing.", wsIgnored("3"))
	c.quirk("05", "a pong with a payload", "The payload of a pong is ignored.", wsIgnored("3probe"))
	c.ref("06", "a ping from the client", "Pings go from the server to the client: one the other way ends the session.", wsCloses("2"))
	c.ref("07", "a probe on a session that began over websocket", "A ping from the client ends the session, whatever its payload.", wsCloses("2probe"))
	c.ref("08", "the ping after a pong", "The next ping comes pingInterval after the pong.",
		func(t *probe.T) {
			s := t.WebSocketWith("/engine.io/", deaf)
			first := s.Next()
			probe.Equal(t, "the first ping", "2", first.Text)
			t.Wait(s.PingTimeout / 3)
			before := time.Now()
			s.Send("3")
			after := time.Now()
			next := s.Next()
			probe.Equal(t, "the next ping", "2", next.Text)
			t.Between("the next ping", s.PingInterval, before, after, next.At)
		})
	c.must("13", "a client that answers stays", "A client that answers every ping and says nothing else stays connected.",
		func(t *probe.T) {
			s := t.WebSocket("/engine.io/")
			s.SilentFor(3 * s.Heartbeat())
			s.Alive()
		})
	c.must("14", "pings among messages", "Pings come in the rhythm of pingInterval while messages go both ways.",
		func(t *probe.T) {
			s := t.WebSocket("/engine.io/")
			until := time.Now().Add(3 * s.Heartbeat())
			for time.Now().Before(until) {
				s.Alive()
				t.Wait(s.PingInterval / 20)
			}
			n := len(s.Pings())
			t.Check(n >= 2 && n <= int(3*s.Heartbeat()/s.PingInterval)+1, "%d pings in %v", n, 3*s.Heartbeat())
		})
	c.must("09", "no pong over polling", "A polling client that answers no ping is closed: its pending poll is answered, and the session is gone.",
		func(t *probe.T) {
			p := t.Polling("/engine.io/")
			p.GetAll().Is(200, "2")
			pinged := time.Now()
			p.GetAll()
			t.Between("the end", p.PingTimeout, pinged.Add(-underway), pinged, time.Now())
			p.GetAll().Refused()
			p.Forget()
		}, in(spec.Heartbeat, spec.Polling), only(spec.FeatPolling, spec.FeatEcho))
	c.ref("21", "the poll of a client that is closed", "The poll that is pending when a client is closed for its silence gets a close packet.",
		func(t *probe.T) {
			p := t.Polling("/engine.io/")
			p.GetAll().Is(200, "2")
			p.GetAll().Is(200, "1")
			p.Forget()
		}, in(spec.Heartbeat, spec.Polling), only(spec.FeatPolling, spec.FeatEcho))
	c.must("15", "three pings in a row over polling", "Each ping of a polling client answers a poll of its own; a pong is a POST.",
		func(t *probe.T) {
			p := t.Polling("/engine.io/")
			for range 3 {
				p.GetAll().Is(200, "2")
				p.Post("3").Accepted()
			}
		}, in(spec.Heartbeat, spec.Polling), only(spec.FeatPolling, spec.FeatEcho), official)
	c.must("16", "a polling client that vanished", "A client that never polls is gone after pingInterval and pingTimeout.",
		func(t *probe.T) {
			p := t.Polling("/engine.io/")
			t.Wait(p.Heartbeat() + t.Slack)
			p.GetAll().Refused()
			p.Forget()
		}, in(spec.Heartbeat, spec.Polling), only(spec.FeatPolling, spec.FeatEcho), official)
	c.ref("17", "the first ping over polling", "The first ping of a polling client comes pingInterval after the handshake.",
		func(t *probe.T) {
			p := t.Polling("/engine.io/")
			p.GetAll().Is(200, "2")
			t.Between("the first ping", p.PingInterval, p.Asked, p.Opened, time.Now())
		}, in(spec.Heartbeat, spec.Polling), only(spec.FeatPolling, spec.FeatEcho))
	c.ref("10", "a ping frame of WebSocket", "A ping frame is answered with a pong frame of the same payload.",
		func(t *probe.T) {
			s := t.WebSocket(calm(t))
			s.Frames(frame(wire.Ping, "abc"))
			s.Expect("<pong abc>")
		}, from(rfc6455+"5.5.2"))
	c.ref("18", "a ping frame is no heartbeat", "Ping frames of WebSocket don't take the place of the protocol's pongs.",
		func(t *probe.T) {
			s := t.WebSocketWith("/engine.io/", deaf)
			s.Frames(frame(wire.Ping, "a"))
			s.ExpectAnyOrder("<pong a>", "2")
			s.Frames(frame(wire.Ping, "b"))
			s.Expect("<pong b>")
			s.EndedWithin(s.Heartbeat() + t.Slack)
		})
	c.must("19", "two clients, one of them silent", "The end of a client that answers no ping does not touch another.",
		func(t *probe.T) {
			silent, lively := t.WebSocketWith("/engine.io/", deaf), t.WebSocket("/engine.io/")
			silent.Expect("2")
			silent.EndedWithin(silent.Heartbeat() + t.Slack)
			lively.Alive()
		})
	return c.cases
}
