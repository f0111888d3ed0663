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
	c.quirk("03", "the intervals of the default options", "The contract's long intervals are the defaults of the reference.",
		func(t *probe.T) {
			p := t.Polling("/eio-slow/")
			t.Match("open packet", `0{"sid":"<sid>","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}`, p.Raw)
		}, needs(spec.FeatLongPing))
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
