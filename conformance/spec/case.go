// Package spec is the vocabulary of the suite: what a case is, how binding it
// is, which part of the protocol it belongs to and what it needs of a server.
package spec

import (
	"fmt"
	"strings"

	"github.com/siokit/siokit/conformance/probe"
)

// Level says how binding a case is.
type Level string

// The levels.
const (
	// Must follows from the protocol documents; every server owes it.
	Must Level = "MUST"
	// Ref is what the reference server does where the documents are silent.
	// Clients in the field have only met this.
	Ref Level = "REF"
	// Quirk is what the reference happens to do. It is reported and never held
	// against a server.
	Quirk Level = "QUIRK"
	// Robust is what a server exposed to the world should withstand, beyond what
	// the protocol says. It is run only when its profile is asked for.
	Robust Level = "ROBUST"
)

// Profile is a part of the protocol that a server may offer or not.
type Profile string

// The profiles. A case belongs to one or more.
const (
	SingleTransport Profile = "single-transport"
	Engine          Profile = "engine"
	Polling         Profile = "polling"
	WebSocket       Profile = "websocket"
	Upgrade         Profile = "upgrade"
	Heartbeat       Profile = "heartbeat"
	SocketIO        Profile = "socketio"
	Binary          Profile = "binary"
	Acks            Profile = "acks"
	Rooms           Profile = "rooms"
	Recovery        Profile = "recovery"
	Msgpack         Profile = "msgpack"
	EIO3            Profile = "eio3"
	WebTransport    Profile = "webtransport"
	Robustness      Profile = "robustness"
	Official        Profile = "official"
)

// Profiles lists all profiles in the order of reports.
var Profiles = []Profile{
	Engine, Polling, WebSocket, Upgrade, Heartbeat, SocketIO, Binary, Acks, Rooms,
	Recovery, Msgpack, EIO3, WebTransport, Robustness, SingleTransport, Official,
}

// Feature is something of the server under test that a case needs.
type Feature string

// The features of level 0 are found by the preflight; those of level 1 are
// announced by the server or found one by one; see fixtures/CONTRACT.md.
const (
	// Handshake: an Engine.IO endpoint answers at the engine path.
	FeatHandshake Feature = "handshake"
	// Poll, WS, Up: the transports that the engine path offers.
	FeatPolling   Feature = "polling"
	FeatWebSocket Feature = "websocket"
	FeatUpgrade   Feature = "upgrade"
	// Echo: the engine path echoes messages.
	FeatEcho Feature = "echo"
	// Sockets: a Socket.IO server answers CONNECT at the socket path.
	FeatSockets Feature = "socketio"
	// Mirror: the main namespace emits auth, mirrors message and message-with-ack.
	FeatMirror Feature = "mirror"
	// Custom: the namespace /custom emits auth.
	FeatCustom Feature = "custom"
	// Binary: the mirror relays binary; Closing: a socket can close its
	// connection. Each comes with another feature unless the server takes it
	// back; see Implied.
	FeatBinary  Feature = "binary"
	FeatClosing Feature = "closing"

	FeatLimits   Feature = "limits"
	FeatLongPing Feature = "longping"
	FeatOptions  Feature = "options"
	FeatCommands Feature = "servercmd"
	FeatEvents   Feature = "events"
	FeatRooms    Feature = "rooms"
	FeatNsps     Feature = "nsps"
	FeatRecovery Feature = "recovery"
	FeatMsgpack  Feature = "msgpack"
	FeatEIO3     Feature = "eio3"
	// Probes: level 2, the events x:stat and so on that look inside the server.
	FeatProbes Feature = "probes"
)

// Implied lists the features that come with another. A program whose library
// cannot do such a part announces the name with a minus: "-binary".
var Implied = map[Feature]Feature{FeatBinary: FeatMirror, FeatClosing: FeatEvents}

// Features lists all features in the order of reports.
var Features = []Feature{
	FeatHandshake, FeatPolling, FeatWebSocket, FeatUpgrade, FeatEcho, FeatSockets, FeatMirror, FeatBinary, FeatCustom,
	FeatLimits, FeatLongPing, FeatOptions, FeatCommands, FeatEvents, FeatClosing, FeatRooms, FeatNsps, FeatRecovery, FeatMsgpack, FeatEIO3, FeatProbes,
}

// Case is one requirement and the function that checks it.
type Case struct {
	// ID names the case for ever: E-HS-02. Ids are never reused.
	ID string
	// Title says what is done.
	Title string
	// Requirement says what a server has to do, in one sentence.
	Requirement string
	// Source is the chapter of the protocol document, or "ref" and the version of the
	// reference server when it is only that one's behaviour.
	Source string
	// Level says how binding the requirement is.
	Level    Level
	Profiles []Profile
	// Needs lists what the server must offer; otherwise the case is skipped.
	Needs []Feature
	// Alone marks a case that touches every client of the server (a broadcast)
	// or measures it as a whole: no other case runs at the same time.
	Alone bool
	// Run checks the requirement.
	Run func(*probe.T)
}

// In reports whether the case belongs to a profile.
func (c Case) In(p Profile) bool {
	for _, own := range c.Profiles {
		if own == p {
			return true
		}
	}
	return false
}

// Chapter returns the first part of the id: "E-HS" for E-HS-02.
func (c Case) Chapter() string {
	if i := strings.LastIndexByte(c.ID, '-'); i > 0 {
		return c.ID[:i]
	}
	return c.ID
}

// Validate checks that a list of cases is well formed: ids present and unique,
// everything that a reader needs filled in.
func Validate(cases []Case) error {
	seen := map[string]bool{}
	for _, c := range cases {
		switch {
		case c.ID == "" || seen[c.ID]:
			return fmt.Errorf("conformance: the id %q is empty or used twice", c.ID)
		case c.Title == "" || c.Requirement == "" || c.Source == "":
			return fmt.Errorf("conformance: %s lacks a title, a requirement or a source", c.ID)
		case c.Level != Must && c.Level != Ref && c.Level != Quirk && c.Level != Robust:
			return fmt.Errorf("conformance: %s has the level %q", c.ID, c.Level)
		case len(c.Profiles) == 0 || c.Run == nil:
			return fmt.Errorf("conformance: %s has no profile or no function", c.ID)
		}
		seen[c.ID] = true
	}
	return nil
}
