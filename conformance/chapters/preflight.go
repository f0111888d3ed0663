package chapters

import (
	"strings"

	"github.com/siokit/siokit/conformance/probe"
	"github.com/siokit/siokit/conformance/spec"
	"github.com/siokit/siokit/conformance/wire"
)

// Extra is a feature and how to find out whether a server has it: the probe
// fails when it has not.
type Extra struct {
	Feature spec.Feature
	// Unannounced marks features that the event features does not list.
	Unannounced bool
	Probe       func(*probe.T)
}

// Basis is what every run looks for first.
var Basis = []Extra{
	{Feature: spec.FeatHandshake, Probe: func(t *probe.T) {
		// A server of one transport answers one of the two.
		if s, _ := t.TryRaw("/engine.io/?EIO=4&transport=websocket", probe.SocketOptions{}); s == nil {
			t.Polling("/engine.io/")
		}
	}},
	{Feature: spec.FeatPolling, Probe: func(t *probe.T) { t.Polling("/engine.io/") }},
	{Feature: spec.FeatWebSocket, Probe: func(t *probe.T) { t.WebSocket("/engine.io/") }},
	{Feature: spec.FeatUpgrade, Probe: func(t *probe.T) {
		p := t.Polling("/engine.io/")
		t.Check(contains(p.Upgrades, "websocket"), "the handshake offers no upgrade to websocket")
	}},
	{Feature: spec.FeatEcho, Probe: echoes},
	{Feature: spec.FeatSockets, Probe: func(t *probe.T) {
		s := t.SocketIO()
		s.Send("40")
		for { // a server may have something to say before
			if f := s.Next(); strings.HasPrefix(f.Text, "40") {
				t.Match("the answer to CONNECT", `40{"sid":"<sid>"}`, f.Text)
				return
			}
		}
	}},
	{Feature: spec.FeatMirror, Probe: func(t *probe.T) { t.Join().Answers() }},
	{Feature: spec.FeatCustom, Probe: func(t *probe.T) { t.Join("/custom") }},
}

// echoes succeeds when the engine path echoes, over whichever transport it has.
func echoes(t *probe.T) {
	if s, _ := t.TryRaw("/engine.io/?EIO=4&transport=websocket", probe.SocketOptions{}); s != nil {
		s.Expect(`0{"sid":"<sid>","upgrades":"<any>","pingInterval":"<n>","pingTimeout":"<n>","maxPayload":"<n>"}`)
		s.Alive()
		return
	}
	t.Polling("/engine.io/").Alive()
}

// Extras is what is looked for when a server does not announce its features.
var Extras = []Extra{
	{Feature: spec.FeatLimits, Probe: func(t *probe.T) { probe.Equal(t, "maxPayload", 100, open(t, "/eio-small/").MaxPayload) }},
	{Feature: spec.FeatLongPing, Probe: func(t *probe.T) {
		t.Check(open(t, "/eio-slow/").PingInterval.Seconds() >= 20, "the ping interval is short")
	}},
	{Feature: spec.FeatOptions, Probe: func(t *probe.T) {
		probe.Equal(t, "upgrades", 0, len(open(t, "/eio-noup/").Upgrades))
		open(t, "/eio-init/")
	}},
	{Feature: spec.FeatCommands, Probe: func(t *probe.T) {
		s := t.WebSocket("/eio-cmd/")
		s.Send("4mixed")
		s.Expect("4t", "<bin 010203>")
	}},
	{Feature: spec.FeatEvents, Probe: func(t *probe.T) { t.Join().Call(1, `"id"`, `"<id>"`) }},
	{Feature: spec.FeatRooms, Probe: func(t *probe.T) { t.Join().Call(1, `"join","probe"`, `"<n>"`) }},
	{Feature: spec.FeatNsps, Probe: func(t *probe.T) {
		s := t.SocketIO()
		s.Send("40/auth-fail-nodata,")
		s.Expect(`44/auth-fail-nodata,{"message":"nope"}`)
	}},
	{Feature: spec.FeatRecovery, Probe: func(t *probe.T) {
		s := t.WebSocket("/sio-csr/")
		s.Send("40")
		s.Expect(`40{"sid":"<sid>","pid":"<pid>"}`)
	}},
	{Feature: spec.FeatMsgpack, Probe: func(t *probe.T) {
		s := t.WebSocket("/sio-msgpack/")
		s.SendBinary([]byte("\x82\xa4type\x00\xa3nsp\xa1/")...)
		s.Expect("<bin>")
	}},
	{Feature: spec.FeatEIO3, Probe: func(t *probe.T) {
		t.Raw("/eio-v3/?EIO=3&transport=websocket", probe.SocketOptions{}).Expect(
			`0{"sid":"<sid>","upgrades":"<any>","pingInterval":"<n>","pingTimeout":"<n>","maxPayload":"<n>"}`)
	}},
	{Feature: spec.FeatProbes, Unannounced: true, Probe: func(t *probe.T) { t.Join().Call(1, `"x:stat"`, `"<any>"`) }},
}

// open reads the open packet at a path, by polling or WebSocket.
func open(t *probe.T, path string) probe.Open {
	if a := t.Do(wire.Request{Target: path + "?EIO=4&transport=polling"}); a.Response.Status == 200 {
		return t.Polling(path).Open
	}
	return t.WebSocket(path).Open
}

func contains(list []string, s string) bool {
	for _, item := range list {
		if item == s {
			return true
		}
	}
	return false
}

// Describe says in words what a basic feature is.
func Describe(f spec.Feature) string {
	switch f {
	case spec.FeatHandshake:
		return "no Engine.IO handshake at /engine.io/"
	case spec.FeatEcho:
		return "no echo of messages at /engine.io/"
	case spec.FeatSockets:
		return "no Socket.IO server at /socket.io/ that accepts a CONNECT"
	case spec.FeatMirror:
		return "the main namespace at /socket.io/ does not emit auth at connection, or does not answer message with message-back"
	default:
		return "no " + string(f)
	}
}

// preflight proves that the contract is there: without it every other verdict
// would be worth nothing.
func preflight() []spec.Case {
	c := chapter{prefix: "P", source: "the suite's contract, level 0", profiles: []spec.Profile{spec.Engine, spec.SocketIO}}
	c.must("01", "the Engine.IO path echoes", "The server under test echoes messages at its Engine.IO path.",
		echoes, needs(spec.FeatEcho))
	c.must("02", "the Socket.IO path answers", "The server under test emits auth at connection and mirrors the event message.",
		func(t *probe.T) { t.Join().Answers() }, needs(spec.FeatMirror))
	c.must("03", "an acknowledgement comes back", "The server under test acknowledges message-with-ack with its arguments.",
		func(t *probe.T) { t.Join().Call(7, `"message-with-ack",1,"2"`, `1,"2"`) }, needs(spec.FeatMirror))
	c.must("04", "the namespace /custom answers", "The server under test emits auth to who joins /custom.",
		func(t *probe.T) { t.Join("/custom") }, needs(spec.FeatCustom))
	return c.cases
}
