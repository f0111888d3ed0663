package probe

import (
	"encoding/json"
	"strings"
	"time"
)

// Open is what the open packet announces.
type Open struct {
	SID          string
	Upgrades     []string
	PingInterval time.Duration
	PingTimeout  time.Duration
	MaxPayload   int64
	// Raw is the packet as it came.
	Raw string
}

// Heartbeat is the time after which a silent session is closed.
func (o Open) Heartbeat() time.Duration { return o.PingInterval + o.PingTimeout }

// parseOpen reads an open packet. It insists only on what the session needs;
// the handshake's cases check the rest.
func (t *T) parseOpen(packet string) Open {
	if !strings.HasPrefix(packet, "0{") {
		t.Fail(&Failure{Message: "the first packet is no open packet", Want: `0{"sid":…}`, Got: show(packet)})
	}
	var fields struct {
		SID          string   `json:"sid"`
		Upgrades     []string `json:"upgrades"`
		PingInterval int64    `json:"pingInterval"`
		PingTimeout  int64    `json:"pingTimeout"`
		MaxPayload   int64    `json:"maxPayload"`
	}
	if err := json.Unmarshal([]byte(packet[1:]), &fields); err != nil {
		t.Fail(&Failure{Message: "the open packet cannot be read: " + err.Error(), Want: `0{"sid":…}`, Got: show(packet)})
	}
	t.Check(fields.SID != "", "the open packet has no sid: %s", show(packet))
	return Open{
		SID:          fields.SID,
		Upgrades:     fields.Upgrades,
		PingInterval: time.Duration(fields.PingInterval) * time.Millisecond,
		PingTimeout:  time.Duration(fields.PingTimeout) * time.Millisecond,
		MaxPayload:   fields.MaxPayload,
		Raw:          packet,
	}
}
