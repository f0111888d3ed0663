package chapters

import (
	"time"

	"github.com/siokit/siokit/conformance/probe"
	"github.com/siokit/siokit/conformance/spec"
)

func disconnect() []spec.Case {
	c := &chapter{
		prefix: "S-DC", source: socketDoc + "Disconnection from a namespace",
		profiles: []spec.Profile{spec.SocketIO, spec.SingleTransport},
		needs:    []spec.Feature{spec.FeatWebSocket, spec.FeatMirror},
	}
	disconnectByClient(c)
	disconnectByServer(c)
	return c.cases
}

// arrivedOn waits until the server has acted on what was sent over a connection
// that may have no namespace: it refuses one that nobody has. After a mere pause
// the server might still get what is sent next in the same go, which is another
// case.
func arrivedOn(s *probe.Socket) {
	s.Send("40/nobodys,")
	s.Expect(`44/nobodys,"<any>"`)
}

func disconnectByClient(c *chapter) {
	custom := needs(spec.FeatCustom)
	c.quirk("01", "EVENT right behind DISCONNECT", "An EVENT to a namespace that was just left is dropped or ends the connection.",
		func(t *probe.T) {
			s := t.Join()
			s.SendTogether("41", `42["message",1]`)
			if f := s.Take(t.Quiet); f != nil {
				t.Failf("the EVENT was answered with %s", f.Text)
			}
		})
	c.must("02", "DISCONNECT leaves the connection open", "After a DISCONNECT the connection stays, and pings go on.",
		func(t *probe.T) {
			s := t.Join()
			s.Deafen()
			s.Send("41")
			s.TakePing(s.PingInterval + t.Slack)
		}, official)
	c.must("15", "pings after DISCONNECT", "After a DISCONNECT the heartbeat goes on: ping after ping.",
		func(t *probe.T) {
			s := t.Join()
			s.Send("41")
			s.SilentFor(2*s.Heartbeat() + t.Slack)
			t.Check(len(s.Pings()) >= 2, "%d pings came", len(s.Pings()))
		})
	c.quirk("03", "CONNECT right behind DISCONNECT", "The namespace is joined anew, or the connection ends.",
		func(t *probe.T) {
			s := t.Join()
			s.SendTogether("41", "40")
			if f := s.Take(t.Patience); f != nil {
				t.Match("the answer to CONNECT", connected, f.Text)
			}
		})
	c.must("14", "CONNECT a while after DISCONNECT", "A namespace that was left may be joined again on the same connection.",
		func(t *probe.T) {
			s := t.SocketIO()
			s.Connect("/", "")
			s.Send("41")
			arrivedOn(s)
			s.Connect("/", "")
			s.Answers()
		})
	c.ref("20", "the id of who comes back", "A namespace that is joined again gives another id.",
		func(t *probe.T) {
			s := t.SocketIO()
			id := s.Connect("/", "")
			s.Send("41")
			arrivedOn(s)
			again := s.Connect("/", "")
			t.Check(again != id, "the id %s is used again", id)
		})
	c.must("04", "DISCONNECT from one of two namespaces", "The other namespace goes on.",
		func(t *probe.T) {
			s := t.Join("/", "/custom")
			s.Send("41/custom,")
			s.Answers()
		}, custom, official)
	c.must("17", "DISCONNECT without a comma", "The comma behind the namespace may be left out.",
		func(t *probe.T) {
			s := t.Join("/", "/custom")
			s.Send("41/custom")
			s.Answers()
			s.Connect("/custom", "")
		}, custom, official)
	c.ref("05", "EVENT to a namespace that was left", "An EVENT to a namespace that was left ends the connection.",
		func(t *probe.T) {
			s := t.Join("/", "/custom")
			s.Send("41/custom,")
			s.Answers()
			s.Send(`42/custom,["message",1]`)
			s.Closed()
		}, custom)
	c.ref("13", "EVENT a while after DISCONNECT", "An EVENT to the main namespace that was left ends the connection.",
		func(t *probe.T) {
			s := t.Join()
			s.Send("41")
			arrivedOn(s)
			s.Send(`42["message",1]`)
			s.Closed()
		})
	c.ref("06", "DISCONNECT with a payload", "A DISCONNECT has no payload: one that has ends the connection.", joinedCloses("41{}"))
	c.quirk("11", "the connect timeout after DISCONNECT", "It is not started again: the connection stays without a namespace.",
		func(t *probe.T) {
			s := t.Join()
			s.Send("41")
			s.SilentFor(time.Second + t.Slack)
		})
	c.quirk("12", "a close packet of Engine.IO with a namespace joined", "It changes nothing by itself.",
		func(t *probe.T) {
			s := t.Join()
			s.Send("1")
			s.Silent()
		})
	c.ref("16", "a packet that cannot be read", "It ends the connection without a DISCONNECT to any namespace.",
		func(t *probe.T) {
			s := t.Join("/", "/custom")
			s.Send("4abc")
			s.Closed() // any frame before the end would fail here
		}, custom)
	c.must("18", "the client is gone", "When the connection breaks, the socket leaves: a broadcast to its rooms reaches nobody else's connection twice.",
		func(t *probe.T) {
			room := `"dc18-` + t.SocketIO().SID + `"`
			a, b := t.Join(), t.Join()
			a.Call(1, `"join",`+room, `"<n>"`)
			b.Call(1, `"join",`+room, `"<n>"`)
			a.Hang()
			t.Wait(50 * time.Millisecond)
			b.Event(`"in",` + room + `,"x"`)
			b.Expect(`42["x"]`)
			b.Answers()
		}, needs(spec.FeatRooms))
}

func disconnectByServer(c *chapter) {
	c.must("07", "the server disconnects a socket", "The client gets a DISCONNECT; the connection stays.",
		func(t *probe.T) {
			s := t.Join()
			s.Event(`"disconnect-me"`)
			s.Expect("41")
			s.Silent()
			s.Connect("/", "")
			s.Answers()
		}, needs(spec.FeatEvents))
	c.must("08", "the server disconnects a client", "The client gets a DISCONNECT, then the connection closes.",
		func(t *probe.T) {
			s := t.Join()
			s.Event(`"close-me"`)
			s.Expect("41")
			s.Closed()
		}, needs(spec.FeatClosing))
	c.must("09", "the server disconnects a socket of a namespace", "The DISCONNECT names the namespace.",
		func(t *probe.T) {
			s := t.Join("/", "/custom")
			s.Send(`42/custom,["disconnect-me"]`)
			s.Expect("41/custom,")
			s.Answers()
		}, needs(spec.FeatNsps))
	c.ref("10", "the server disconnects a client with two namespaces", "Each namespace gets its DISCONNECT before the connection closes.",
		func(t *probe.T) {
			s := t.Join("/", "/custom")
			s.Event(`"close-me"`)
			s.ExpectAnyOrder("41", "41/custom,")
			s.Closed()
		}, needs(spec.FeatClosing, spec.FeatCustom))
	c.ref("19", "the server disconnects a client over polling", "The client gets the DISCONNECT, and the session is gone.",
		func(t *probe.T) {
			p := t.Polling("/socket.io/")
			p.Send("40")
			p.Expect(connected, noAuth)
			p.Send(`42["close-me"]`)
			packets := p.NextNot("6")
			probe.Equal(t, "the packet", "41", packets)
			p.Gone() // at once, or with a close packet
		}, in(spec.SocketIO, spec.Polling), needs(spec.FeatClosing, spec.FeatPolling))
}
