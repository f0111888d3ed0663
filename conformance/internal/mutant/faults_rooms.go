package mutant

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
)

func roomFaults() []Mutant {
	patch := func(name, fault, patch string) Mutant { return Mutant{Name: name, Fault: fault, Patch: patch} }
	return []Mutant{
		patch("room-sender", "a broadcast of a socket reaches the sender", "roomSender"),
		patch("room-all-but-sender", "a broadcast of the server leaves the sender out", "roomNotSender"),
		patch("room-everybody", "a broadcast to a room reaches everybody", "roomEverybody"),
		patch("room-twice", "who is in a room by two ways gets a broadcast twice", "roomTwice"),
		patch("room-no-own", "a socket is not in the room of its id", "roomNoOwn"),
		patch("room-stays", "leaving a room does nothing", "roomStays"),
		patch("room-survives", "rooms survive a DISCONNECT", "roomSurvives"),
		patch("room-namespaces", "rooms of all namespaces are the same", "roomNamespaces"),
		patch("room-except", "except leaves nobody out", "roomExcept"),
		patch("room-empty", "a broadcast to an empty room reaches everybody", "roomEmpty"),
		patch("room-polling", "members over polling are left out", "roomPolling"),
		patch("room-limit", "a broadcast reaches forty members at most", "roomLimit"),
		patch("room-names", "rooms whose names are empty cannot be joined", "roomNames"),
		patch("room-early", "a broadcast reaches connections before their CONNECT", "roomEarly"),
		{Name: "room-binary", Fault: "broadcasts lose their attachments", Out: func(s *Session, p Packet) []Packet {
			if strings.HasPrefix(p.Text, `451-["x"`) {
				s.Seen["broadcast"] = "1"
			} else if p.Binary && s.Seen["broadcast"] != "" {
				delete(s.Seen, "broadcast")
				return nil
			}
			return []Packet{p}
		}},
		{Name: "room-order", Fault: "broadcasts come out of order", Out: swaps(like(`^42\["x",7\]$`))},
		{Name: "room-lost", Fault: "the last of many broadcasts is lost", Out: drop(is(`42["x",49]`))},
		{Name: "broadcast-ack-partial", Fault: "a broadcast that asks everyone returns one reply", Out: rewrite(`^439\[null,\["(.)","."\]\]`, `439[null,["$1"]]`)},
		{Name: "broadcast-ack-error", Fault: "a broadcast that is not answered by all has no error", Out: rewrite(`^439\["operation has timed out"`, `439[null`)},
		{Name: "broadcast-ack-lost", Fault: "a broadcast that times out loses the replies that came", Out: rewrite(`^(439\["operation has timed out",)\["A"\]`, `${1}[]`)},
		{Name: "broadcast-late-closes", Fault: "a reply after the timeout of a broadcast closes the connection", In: kill(like(`^43\d+\["late"\]`))},
		patch("join-twice-counts", "a room that is joined twice counts twice", "joinTwice"),
	}
}

func recoveryFaults() []Mutant {
	patch := func(name, fault, patch string) Mutant { return Mutant{Name: name, Fault: fault, Patch: patch} }
	offset := `(42\["[^"]+".*),"[^"]+"\]$`
	recovery := func(s *Session) bool { return s.Path == "/sio-csr/" }
	out := func(name, fault string, change func(*Session, Packet) []Packet) Mutant {
		return Mutant{Name: name, Fault: fault, Out: func(s *Session, p Packet) []Packet {
			if !recovery(s) {
				return []Packet{p}
			}
			return change(s, p)
		}}
	}
	return []Mutant{
		out("recovery-no-pid", "there is no private id", rewrite(`,"pid":"[^"]+"`, ``)),
		out("recovery-pid-length", "private ids are short", rewrite(`"pid":"[^"]{10}`, `"pid":"`)),
		out("recovery-pid-is-sid", "the private id is the public one", rewrite(`"sid":"([^"]+)","pid":"[^"]+"`, `"sid":"$1","pid":"$1"`)),
		out("recovery-no-offset", "events carry no offset", rewrite(`^`+offset, `$1]`)),
		out("recovery-same-offset", "all events carry the same offset", rewrite(`^(42\["(?:auth|x)".*),"[^"]+"\]$`, `$1,"o"]`)),
		out("recovery-socket-offset", "events to one socket carry no offset", rewrite(`^(42\["message-back".*),"[^"]+"\]$`, `$1]`)),
		out("recovery-call-offset", "calls carry an offset", rewrite(`^(42\d+\["emit-with-ack","q")\]$`, `$1,"abc"]`)),
		out("recovery-binary-offset", "binary events carry no offset", rewrite(`^(452-\["bin".*),"[^"]+"\]$`, `$1]`)),
		{Name: "recovery-always", Fault: "there is a private id without recovery too", Out: func(s *Session, p Packet) []Packet {
			if s.Path == "/socket.io/" {
				return rewrite(`^(40\{"sid":"[^"]+")\}`, `${1},"pid":"x"}`)(s, p)
			}
			return []Packet{p}
		}},
		out("recovery-replay-lost", "missed events are lost", drop(like(`^42\["missed"`))),
		out("recovery-replay-twice", "missed events come twice", double(like(`^42\["missed"`))),
		out("recovery-replay-order", "missed events come in the other order", swaps(like(`^42\["missed",(1|0|5),`))),
		out("recovery-replay-after", "missed events come behind the answer to CONNECT", replayAfter),
		out("recovery-replay-binary", "missed binary events lose their attachments", drop(binaryPacket)),
		patch("recovery-never", "sessions are never recovered", "recoveryNever"),
		patch("recovery-new-pid", "a recovered session has a new private id", "recoveryNewPid"),
		patch("recovery-no-rooms", "a recovered socket is in no room", "recoveryNoRooms"),
		patch("recovery-other-rooms", "events of other rooms are replayed", "recoveryOtherRooms"),
		patch("recovery-once", "a session is recovered once only", "recoveryOnce"),
		patch("recovery-goodbye", "a session that was left with DISCONNECT is recovered", "recoveryGoodbye"),
		patch("recovery-kicked", "a session that the server ended is recovered", "recoveryKicked"),
		patch("recovery-for-ever", "sessions are kept for ever", "recoveryForEver"),
		patch("recovery-short", "sessions are kept for half a second", "recoveryShort"),
		patch("recovery-any-offset", "an unknown offset recovers the session", "recoveryAnyOffset"),
		patch("recovery-unknown-pid", "an unknown private id recovers some session", "recoveryUnknownPid"),
		patch("recovery-namespaces", "a session is recovered in any namespace", "recoveryNamespaces"),
		out("recovery-flag", "the application is not told about the recovery", rewrite(`^43(\d+)\[true\]`, `43$1[false]`)),
		out("recovery-extra", "a recovered client gets an event more", func(s *Session, p Packet) []Packet {
			if p.Text == "431[true]" {
				return append([]Packet{p}, text(`42["extra","o"]`)...)
			}
			return []Packet{p}
		}),
		{Name: "recovery-polling", Fault: "sessions are not recovered over polling", In: func(s *Session, p Packet) []Packet {
			if recovery(s) && !s.WebSocket && strings.HasPrefix(p.Text, "40{") {
				return text("40")
			}
			return []Packet{p}
		}},
	}
}

// replayAfter holds missed events back until the answer to CONNECT has gone out.
func replayAfter(s *Session, p Packet) []Packet {
	if strings.HasPrefix(p.Text, `42["missed"`) && s.Seen["connected"] == "" {
		var held []string
		json.Unmarshal([]byte(s.Seen["held"]), &held)
		all, _ := json.Marshal(append(held, p.Text))
		s.Seen["held"] = string(all)
		return nil
	}
	if strings.HasPrefix(p.Text, "40{") {
		s.Seen["connected"] = "1"
		var held []string
		json.Unmarshal([]byte(s.Seen["held"]), &held)
		return append([]Packet{p}, text(held...)...)
	}
	return []Packet{p}
}

func msgpackFaults() []Mutant {
	patch := func(name, fault, patch string) Mutant { return Mutant{Name: name, Fault: fault, Patch: patch} }
	return []Mutant{
		patch("msgpack-text", "packets are text frames", "msgpackText"),
		patch("msgpack-binary-string", "binary becomes a string", "msgpackBinaryString"),
		patch("msgpack-type", "an event with binary has the type 5", "msgpackType"),
		patch("msgpack-ack-id", "acknowledgements lose their id", "msgpackAckID"),
		patch("msgpack-unchecked", "packets are not checked", "msgpackUnchecked"),
		patch("msgpack-lenient", "what cannot be read is ignored", "msgpackLenient"),
		patch("msgpack-auth", "the payload of a CONNECT is lost", "msgpackAuth"),
		patch("msgpack-error", "the refusal of a namespace is a text", "msgpackError"),
		patch("msgpack-disconnect", "a DISCONNECT closes the connection", "msgpackDisconnect"),
		patch("msgpack-integers", "integers of eight bytes are read wrong", "msgpackIntegers"),
	}
}

func revision3Faults() []Mutant {
	v3 := func(r *http.Request) bool {
		return strings.Contains(r.URL.Path, "v3") && r.URL.Query().Get("EIO") != "4"
	}
	polled := func(change func(string) string) func(*http.Request, *Answer) {
		return func(r *http.Request, a *Answer) {
			if v3(r) && r.Method == "GET" && a.Status == 200 {
				a.Body = []byte(change(string(a.Body)))
			}
		}
	}
	out := func(name, fault, expr, replacement string) Mutant {
		change := rewrite(expr, replacement)
		return Mutant{Name: name, Fault: fault, Out: func(s *Session, p Packet) []Packet {
			if !strings.Contains(s.Path, "v3") {
				return []Packet{p}
			}
			return change(s, p)
		}}
	}
	return []Mutant{
		{Name: "v3-no-length", Fault: "payloads of revision 3 have no lengths", Response: polled(func(s string) string {
			return regexp.MustCompile(`^\d+:`).ReplaceAllString(s, "")
		})},
		{Name: "v3-bytes", Fault: "lengths of revision 3 count bytes", Response: polled(func(s string) string { return strings.Replace(s, "5:4é€😀", "10:4é€😀", 1) })},
		{Name: "v3-separator", Fault: "payloads of revision 3 are separated as in revision 4", Response: polled(func(s string) string { return strings.Replace(s, "6:4test16:4test2", "6:4test1\x1e6:4test2", 1) })},
		{Name: "v3-base64", Fault: "base64 of revision 3 lacks the packet type", Response: polled(func(s string) string { return strings.Replace(s, "10:b4AQID", "9:bAQID", 1) })},
		{Name: "v3-no-binary", Fault: "there are no binary payloads in revision 3", Response: polled(func(s string) string {
			return strings.Replace(s, "\x00\x06\xff4hello\x01\x05\xff\x04\x01\x02\x03\x04", "6:4hello10:b4AQIDBA==", 1)
		})},
		{Name: "v3-octets", Fault: "binary payloads of the client are refused", Answer: func(r *http.Request) *Answer {
			if v3(r) && r.Header.Get("Content-Type") == "application/octet-stream" {
				return &Answer{Status: 400, Header: http.Header{"Connection": {"close"}}}
			}
			return nil
		}},
		{Name: "v3-needs-version", Fault: "a handshake without a version is refused where revision 3 is allowed", Answer: func(r *http.Request) *Answer {
			if r.URL.Path == "/eio-v3/" && r.URL.Query().Get("EIO") == "" {
				return &Answer{Status: 400, Header: http.Header{}, Body: []byte(`{"code":5}`)}
			}
			return nil
		}},
		out("v3-text", "text messages are lost over WebSocket", `^4hello$`, `6`),
		out("v3-pong", "a ping of revision 3 is not answered", `^3$`, `6`),
		out("v3-only", "a server that allows revision 3 speaks revision 4 no more", `^4alive`, `4dead`),
		{Name: "v3-mixed", Fault: "a session of revision 3 answers to revision 4", Response: func(r *http.Request, a *Answer) {
			if r.URL.Path == "/eio-v3/" && a.Status == 400 && strings.Contains(string(a.Body), `"code":3`) {
				a.Status, a.Body = 200, []byte("6")
			}
		}},
		{Name: "v3-poll-pong", Fault: "a ping over polling is not answered", Response: polled(func(s string) string { return strings.Replace(s, "1:3", "1:6", 1) })},
		{Name: "v3-release", Fault: "a pending poll is released with a close packet", Response: polled(func(s string) string { return strings.Replace(s, "1:6", "1:1", 1) })},
		{Name: "v3-broken", Patch: "v3Broken", Fault: "a payload that cannot be read is ignored"},
		{Name: "v3-direction", Patch: "v3Direction", Fault: "a pong of the client is ignored"},
		{Name: "v3-silence", Patch: "v3Silence", Fault: "a client that does not ping stays"},
		{Name: "v3-pings", Patch: "v3Pings", Fault: "the server pings"},
		{Name: "v3-binary-bare", Fault: "binary frames lack the packet type", Out: func(s *Session, p Packet) []Packet {
			if p.Binary && strings.Contains(s.Path, "v3") {
				p.Data = p.Data[1:]
			}
			return []Packet{p}
		}},
		{Name: "v3-unknown-type", Fault: "packets of unknown types are ignored", In: drop(and(func(s *Session, _ Packet) bool { return s.Path == "/eio-v3/" }, like(`^[a-z]`)))},
		{Name: "v3-method", Fault: "POST opens a session of revision 3", Request: func(r *http.Request) {
			if r.URL.Path == "/eio-v3/" && r.URL.Query().Get("sid") == "" {
				r.Method = "GET"
			}
		}},
		{Name: "v3-transport", Fault: "an unknown transport of revision 3 is polling", Request: func(r *http.Request) {
			if r.URL.Path == "/eio-v3/" {
				r.URL.RawQuery = strings.Replace(r.URL.RawQuery, "transport=abc", "transport=polling", 1)
			}
		}},
		out("v3-connect", "there is no implicit CONNECT", `^40$`, `6`),
		out("v3-connect-payload", "the implicit CONNECT has a payload", `^40$`, `40{"sid":"x"}`),
		out("v3-message", "events of Socket.IO 2 are lost", `^42\["message-back".*`, `6`),
		out("v3-ack", "acknowledgements of Socket.IO 2 are lost", `^43.*`, `6`),
		out("v3-attachment", "binary events of Socket.IO 2 lose their head", `^451-.*`, `6`),
		out("v3-namespace", "another namespace is answered with a payload", `^40/custom,?$`, `40/custom,{"sid":"x"}`),
		out("v3-refusal", "a refusal is an object", `^44/auth-fail-nodata,"nope"`, `44/auth-fail-nodata,{"message":"nope"}`),
		out("v3-probe", "the probe of revision 3 is not answered", `^3probe$`, `6`),
		{Name: "v3-upgrade-polls", Patch: "v3UpgradePolls", Fault: "the poll is not released by the probe in revision 3"},
		{Name: "v3-polling-sio", Fault: "events of Socket.IO 2 are lost over polling", Response: polled(func(s string) string { return strings.Replace(s, `message-back`, `message-lost`, 1) })},
	}
}
