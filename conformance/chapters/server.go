package chapters

import (
	"time"

	"github.com/siokit/siokit/conformance/probe"
	"github.com/siokit/siokit/conformance/spec"
	"github.com/siokit/siokit/conformance/wire"
)

// server holds the cases about the process around the protocol.
func server() []spec.Case {
	c := &chapter{prefix: "X", source: reference, profiles: []spec.Profile{spec.Engine}, needs: []spec.Feature{spec.FeatHandshake}}
	c.quirk("01", "an upgrade that nobody handles", "An upgrade request to a path of nobody's is ended after a second without an answer.",
		func(t *probe.T) {
			conn := t.Dial()
			conn.WriteRequest(wire.UpgradeRequest("/nobody/?EIO=4&transport=websocket"))
			start := time.Now()
			data, closed := conn.ReadRaw(deadline(t), 4096)
			t.Check(closed && len(data) == 0, "it was answered with %q", data)
			t.Between("the end", time.Second, start, start, time.Now())
		}, needs(spec.FeatWebSocket))
	c.quirk("02", "the end of the server", "A server that is closed sends its clients no DISCONNECT: their connections end.",
		func(t *probe.T) {
			s := t.WebSocket("/sio-end/")
			s.Send("40")
			s.Expect(connected)
			s.Event(`"end"`)
			s.Closed() // any frame before the end would fail here
		}, only(spec.FeatWebSocket, spec.FeatProbes), also(spec.SocketIO))
	c.quirk("03", "the intervals of the default options", "The contract's long intervals are the defaults of the reference.",
		func(t *probe.T) {
			p := t.Polling("/eio-slow/")
			t.Match("open packet", `0{"sid":"<sid>","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}`, p.Raw)
		}, needs(spec.FeatLongPing))
	c.quirk("04", "the client's code", "Beside its endpoint the reference serves the code of its client, for ever the same under a version.",
		func(t *probe.T) {
			a := t.Get("/socket.io/socket.io.js").Status(200).Media("application/javascript").Field("Cache-Control", "public, max-age=0")
			t.Get("/socket.io/socket.io.js", field{Name: "If-None-Match", Value: a.Header.Get("ETag")}).Status(304)
		}, only(spec.FeatSockets), in(spec.SocketIO))
	c.must("05", "many clients at once", "A hundred sessions opened at once all work.",
		func(t *probe.T) {
			var all []*probe.Socket
			for range 100 {
				all = append(all, t.WebSocket(calm(t)))
			}
			for _, s := range all {
				s.Send("4hello")
			}
			for _, s := range all {
				s.Expect("4hello")
			}
		}, needs(spec.FeatWebSocket, spec.FeatEcho), from(engineDoc+"Handshake"), also(spec.WebSocket))
	return c.cases
}
