package mutant

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
)

// sio matches packets of the Socket.IO servers.
func sio(s *Session, _ Packet) bool { return !s.engine() }

// ignores is a server that ignores matching packets of the client.
func ignores(name, fault, expr string) Mutant {
	return Mutant{Name: name, Fault: fault, In: drop(and(sio, like(expr)))}
}

// closesAt is a server that closes at matching packets of the client.
func closesAt(name, fault, expr string) Mutant {
	return Mutant{Name: name, Fault: fault, In: kill(and(sio, like(expr)))}
}

// sends is a server whose packets differ.
func sends(name, fault, expr, replacement string) Mutant {
	change := rewrite(expr, replacement)
	return Mutant{Name: name, Fault: fault, Out: func(s *Session, p Packet) []Packet {
		if s.engine() {
			return []Packet{p}
		}
		return change(s, p)
	}}
}

// reads is a server that reads packets of the client as others.
func reads(name, fault, expr, replacement string) Mutant {
	change := rewrite(expr, replacement)
	return Mutant{Name: name, Fault: fault, In: func(s *Session, p Packet) []Packet {
		if s.engine() {
			return []Packet{p}
		}
		return change(s, p)
	}}
}

func connectFaults() []Mutant {
	return []Mutant{
		sends("connect-bare", "the answer to CONNECT has no payload", `^40\{.*`, `40`),
		sends("connect-extra", "the answer to CONNECT holds the session's id too", `^(40(?:/[^,]*,)?\{"sid":"[^"]+")\}`, `${1},"eio":"x"}`),
		{Name: "connect-session-id", Fault: "the socket's id is the session's", Patch: "sessionID"},
		{Name: "connect-same-id", Fault: "the socket has one id in all namespaces", Patch: "sameID"},
		sends("connect-id-length", "ids of sockets are longer", `^(40\{"sid":"[^"]+)`, `${1}x`),
		sends("connect-auth-lost", "the payload of a CONNECT is lost", `^(42(?:/[^,]*,)?\["auth"),\{.+?\}+(\]|,")`, `${1},{}${2}`),
		reads("connect-auth-null", "an empty payload is null to the application", `^40\{\}`, `40{"empty":true}`),
		sends("connect-first", "the first event comes before the answer to CONNECT", `^40\{`, `42["early"]`),
		{Name: "connect-twice", Fault: "a second CONNECT is ignored", In: connectTwice},
		ignores("connect-main-named", "a CONNECT that names the main namespace is ignored", `^40/,`),
		ignores("connect-no-comma", "a CONNECT without a comma is ignored", `^40/[a-z]+$`),
		{Name: "connect-custom-needs-main", Fault: "other namespaces need the main one", In: needsMain},
		sends("connect-error-text", "the refusal of an unknown namespace is a text", `^(44/[^,]+,)\{"message":"Invalid namespace"\}`, `${1}"Invalid namespace"`),
		sends("connect-error-message", "the refusal of an unknown namespace has another message", `Invalid namespace`, `unknown namespace`),
		sends("connect-error-no-data", "the data of a refusal are lost", `,"data":\{"code":401,"content":"please retry"\}`, ``),
		sends("connect-error-data", "a refusal without data has null data", `"message":"nope"\}`, `"message":"nope","data":null}`),
		{Name: "connect-error-closes", Fault: "a refused CONNECT closes the connection", Out: func(s *Session, p Packet) []Packet {
			if s.WebSocket && strings.HasPrefix(p.Text, "44/") {
				s.toClient(p)
				s.close(1000)
				return nil
			}
			return []Packet{p}
		}},
		{Name: "connect-error-once", Fault: "a namespace that refused once is not asked again", In: once(like(`^40/auth-fail,`))},
		{Name: "connect-error-stops-timeout", Patch: "refusalStopsTimeout", Fault: "a refused CONNECT stops the connect timeout"},
		{Name: "connect-timeout-never", Patch: "connectTimeoutNever", Fault: "a connection without a CONNECT stays for ever"},
		{Name: "connect-timeout-early", Patch: "connectTimeoutEarly", Fault: "a connection without a CONNECT is closed after half the time"},
		{Name: "connect-timeout-always", Patch: "connectTimeoutAlways", Fault: "CONNECT does not stop the connect timeout"},
		ignores("connect-array", "a CONNECT with an array is ignored", `^40\[`),
		ignores("connect-string", "a CONNECT with a string is ignored", `^40"`),
		ignores("connect-null", "a CONNECT with null is ignored", `^40(null|true)`),
		ignores("connect-broken", "a CONNECT with broken JSON is ignored", `^40\{$`),
		reads("connect-null-ok", "a CONNECT with null, true or a string is taken for one without a payload", `^40(null|true|"x"|\[\])`, `40`),
		ignores("connect-no-slash", "a namespace without its slash is ignored", `^40[a-z]+,`),
		reads("connect-query", "the query of a namespace's name is cut off", `^(40/custom)\?[^,]*,`, `${1},`),
		reads("connect-slash", "a slash at the end of a namespace's name is cut off", `^(40/custom)/,`, `${1},`),
		reads("connect-any-dynamic", "names that fit no pattern are made on demand", `^40/dyn-x,`, `40/dyn-7,`),
		sends("connect-dynamic-refused", "namespaces are not made on demand", `^40/dyn-\d+,.*`, `44/dyn-1,{"message":"Invalid namespace"}`),
		sends("connect-random-accepted", "an unknown namespace is accepted", `^44/random,.*`, `40/random,{"sid":"abcdefghijklmnopqrst"}`),
		sends("connect-wrong-namespace", "events of another namespace come without its name", `^42/custom,\["message-back"`, `42["message-back"`),
		ignores("early-event", "an EVENT before CONNECT is ignored", `^42.*"x"`),
		{Name: "early-disconnect", Fault: "a DISCONNECT before CONNECT is ignored", In: early("41")},
		{Name: "early-ack", Fault: "an ACK before CONNECT is ignored", In: early("43")},
		{Name: "early-event-ignored", Fault: "an EVENT before CONNECT is ignored, a binary one too", In: earlyIgnored},
		ignores("client-connect-error", "a CONNECT_ERROR of the client is ignored", `^44`),
		ignores("event-elsewhere", "an EVENT to a namespace that was not joined is ignored", `^42/custom,\["message","x"\]`),
		{Name: "connect-slow-lost", Fault: "a CONNECT that the application takes time for is not answered", Out: drop(like(`^40/auth-slow`))},
		{Name: "connect-slow-at-once", Fault: "a CONNECT is answered before the application has decided", In: func(s *Session, p Packet) []Packet {
			if strings.HasPrefix(p.Text, "40/auth-slow") && s.WebSocket {
				s.toClient(Packet{Text: `40/auth-slow,{"sid":"abcdefghijklmnopqrst"}`})
				s.toClient(Packet{Text: `42/auth-slow,["auth",{}]`})
				return nil
			}
			return []Packet{p}
		}},
		{Name: "connect-event-lost", Fault: "an EVENT right behind CONNECT is lost", In: func(s *Session, p Packet) []Packet {
			if strings.HasPrefix(p.Text, "40") {
				s.Seen["connect"] = "1"
			} else if s.Seen["connect"] != "" {
				delete(s.Seen, "connect")
				if p.Text == `42["message",1]` {
					return nil
				}
			}
			return []Packet{p}
		}},
		{Name: "connect-second-lost", Fault: "of two CONNECTs in one segment the second is lost", In: drop(func(s *Session, p Packet) bool {
			together := s.Seen["main"] != "" && p.Text == "40/custom,"
			s.Seen["main"] = ""
			if p.Text == "40" {
				s.Seen["main"] = "1"
			}
			return together
		})},
		{Name: "connect-across-upgrade", Fault: "an answer that crosses an upgrade is lost", Out: drop(and(func(s *Session, _ Packet) bool { return s.Upgraded }, like(`^40`)))},
		{Name: "upgrade-leaves-namespaces", Fault: "namespaces are left by the upgrade", In: drop(and(and(sio, func(s *Session, _ Packet) bool { return s.Upgraded }), like(`^42`)))},
		{Name: "polling-connect-lost", Fault: "a CONNECT over polling is lost", In: drop(and(and(sio, overPolling), like(`^40`)))},
		{Name: "polling-event-lost", Fault: "events over polling are lost", In: drop(and(and(sio, overPolling), like(`^42\["message"|^425`)))},
		{Name: "polling-timeout-silent", Fault: "a poll that is pending at the connect timeout is answered with a noop", Out: instead(and(and(sio, overPolling), is("1")), "6")},
		sends("handshake-query", "the query is not part of the handshake's details", `"query":\{[^}]*\}`, `"query":{}`),
		sends("handshake-extra", "the handshake's details hold one name more", `"xdomain":false`, `"xdomain":false,"more":1`),
		sends("handshake-auth", "the auth payload is not part of the handshake's details", `"auth":\{"token":"abc"\}\}\]`, `"auth":{}}]`),
		{Name: "version-3-sio", Fault: "a client of Socket.IO 2 is accepted", Request: func(r *http.Request) {
			if r.URL.Path == "/socket.io/" {
				r.URL.RawQuery = strings.Replace(r.URL.RawQuery, "EIO=3", "EIO=4", 1)
			}
		}},
		{Name: "several-namespaces", Fault: "a third namespace is not answered", Out: drop(like(`^4./custom2,`))},
	}
}

// connectTwice ignores a CONNECT that came before.
func connectTwice(s *Session, p Packet) []Packet {
	if strings.HasPrefix(p.Text, "40") && s.Path == "/socket.io/" {
		key := "joined" + p.Text
		if s.Seen[key] != "" {
			return nil
		}
		s.Seen[key] = "1"
	}
	if strings.HasPrefix(p.Text, "41") {
		clear(s.Seen)
	}
	return []Packet{p}
}

// needsMain ignores everything for /custom until the main namespace is joined.
func needsMain(s *Session, p Packet) []Packet {
	if strings.HasPrefix(p.Text, "40") && !strings.HasPrefix(p.Text, "40/") {
		s.Seen["main"] = "1"
	}
	if strings.Contains(p.Text, "/custom") && s.Seen["main"] == "" && s.Path == "/socket.io/" {
		return nil
	}
	return []Packet{p}
}

// once drops matching packets but the first.
func once(match func(*Session, Packet) bool) func(*Session, Packet) []Packet {
	return func(s *Session, p Packet) []Packet {
		if match(s, p) {
			if s.Seen["once"] != "" {
				return nil
			}
			s.Seen["once"] = "1"
		}
		return []Packet{p}
	}
}

// early drops packets of a type until the first CONNECT.
func early(kind string) func(*Session, Packet) []Packet {
	return func(s *Session, p Packet) []Packet {
		if strings.HasPrefix(p.Text, "40") {
			s.Seen["connect"] = "1"
		}
		if s.Seen["connect"] == "" && strings.HasPrefix(p.Text, kind) && s.Path == "/socket.io/" {
			return nil
		}
		return []Packet{p}
	}
}

// earlyIgnored drops events, with their attachments, until the first CONNECT.
func earlyIgnored(s *Session, p Packet) []Packet {
	if strings.HasPrefix(p.Text, "40") {
		s.Seen["connect"] = "1"
	}
	if s.Seen["connect"] == "" && s.Path == "/socket.io/" && (p.Binary || strings.HasPrefix(p.Text, "42") || strings.HasPrefix(p.Text, "45")) {
		return nil
	}
	return []Packet{p}
}

func disconnectFaults() []Mutant {
	return []Mutant{
		closesAt("disconnect-closes", "a DISCONNECT closes the connection", `^41$`),
		closesAt("disconnect-custom-closes", "a DISCONNECT from one namespace closes the connection", `^41/`),
		reads("disconnect-all", "a DISCONNECT from one namespace leaves the main one too", `^41/custom,?$`, `41`),
		ignores("disconnect-ignored", "a DISCONNECT is ignored", `^41$`),
		ignores("disconnect-no-comma", "a DISCONNECT without a comma is ignored", `^41/custom$`),
		ignores("disconnect-custom-ignored", "a DISCONNECT from a namespace is ignored", `^41/custom,`),
		reads("disconnect-payload", "the payload of a DISCONNECT is ignored", `^41\{\}`, `41`),
		{Name: "disconnect-same-id", Patch: "idAgain", Fault: "a socket that comes back has its old id"},
		{Name: "disconnect-no-ping", Patch: "noPingAfterDisconnect", Fault: "there are no pings after a DISCONNECT"},
		{Name: "disconnect-rejoin", Fault: "a namespace that was left cannot be joined again", In: rejoin},
		{Name: "server-disconnect-lost", Fault: "the server's DISCONNECT is not sent", Out: drop(and(sio, like(`^41`)))},
		sends("server-disconnect-main", "the server's DISCONNECT names no namespace", `^41/custom,`, `41`),
		{Name: "server-disconnect-closes", Fault: "the server's DISCONNECT closes the connection", Out: closesAfter("41")},
		{Name: "server-close-stays", Patch: "closeMeStays", Fault: "a client that the server disconnects keeps its connection"},
		{Name: "server-close-custom", Fault: "only the main namespace gets its DISCONNECT before the connection closes", Out: drop(is("41/custom,"))},
		{Name: "parse-error-disconnects", Patch: "parseErrorDisconnects", Fault: "a packet that cannot be read is answered with DISCONNECT"},
		ignores("left-event", "an EVENT to a namespace that was left is ignored", `^42(/custom,)?\["message",1\]`),
		{Name: "gone-stays", Patch: "goneStays", Fault: "a socket whose connection broke stays in its rooms"},
		{Name: "polling-disconnect", Fault: "the server's DISCONNECT is not sent over polling", Out: drop(and(and(sio, overPolling), is("41")))},
	}
}

// rejoin drops a CONNECT after a DISCONNECT.
func rejoin(s *Session, p Packet) []Packet {
	if p.Text == "41" || p.Text == "41/custom" {
		s.Seen["left"] = "1"
	}
	if s.Seen["left"] != "" && strings.HasPrefix(p.Text, "40") && s.Path == "/socket.io/" {
		return nil
	}
	return []Packet{p}
}

// closesAfter closes behind a packet of the server's.
func closesAfter(packet string) func(*Session, Packet) []Packet {
	return func(s *Session, p Packet) []Packet {
		if p.Text == packet && s.WebSocket && s.Path == "/socket.io/" {
			s.toClient(p)
			s.close(1000)
			return nil
		}
		return []Packet{p}
	}
}

func eventFaults() []Mutant {
	mirror := func(name, fault string, change func(string) string) Mutant {
		return Mutant{Name: name, Fault: fault, Out: func(s *Session, p Packet) []Packet {
			if strings.HasPrefix(p.Text, `42["message-back"`) {
				p.Text = change(p.Text)
			}
			return []Packet{p}
		}}
	}
	return []Mutant{
		mirror("event-no-args", "an event without arguments has one", func(s string) string {
			return strings.Replace(s, `["message-back"]`, `["message-back",null]`, 1)
		}),
		mirror("event-null-lost", "null becomes an empty object", func(s string) string { return strings.Replace(s, "null", "{}", 1) }),
		mirror("event-floats", "fractions are cut off", func(s string) string { return regexp.MustCompile(`(\d)\.\d+`).ReplaceAllString(s, "$1") }),
		mirror("event-ascii", "text beyond ASCII becomes question marks", ascii),
		mirror("event-surrogates", "lone surrogates become replacement characters", func(s string) string { return strings.Replace(s, `\ud83d`, `\ufffd`, 1) }),
		mirror("event-escapes", "escapes of control characters are lost", func(s string) string { return regexp.MustCompile(`\\u00(00|01|1e)`).ReplaceAllString(s, "") }),
		mirror("event-del", "DEL and line separators are lost", func(s string) string { return strings.NewReplacer("\x7f", "", "\u2028", "").Replace(s) }),
		mirror("event-brackets", "brackets inside strings are lost", func(s string) string { return strings.Replace(s, `"[],{}`, `"`, 1) }),
		mirror("event-flat", "nesting is cut at a hundred levels", func(s string) string {
			return regexp.MustCompile(`\[{120,}\]{120,}`).ReplaceAllString(s, "[]")
		}),
		mirror("event-long", "strings are cut at sixty thousand characters", func(s string) string {
			if len(s) > 60000 {
				return s[:60000] + `"]`
			}
			return s
		}),
		mirror("event-many", "arguments beyond the hundredth are lost", func(s string) string {
			if i := strings.Index(s, ",100,101,"); i > 0 {
				return s[:i] + "]"
			}
			return s
		}),
		mirror("event-several", "only the first argument is delivered", func(s string) string {
			return strings.Replace(s, `1,"2",{"3":[true]}`, `1`, 1)
		}),
		mirror("event-empty-key", "empty keys are lost", func(s string) string { return strings.Replace(s, `,"":""`, ``, 1) }),
		mirror("event-exponent", "numbers with exponents are strings", func(s string) string {
			return regexp.MustCompile(`100000\b|-0\.0005`).ReplaceAllString(s, `"$0"`)
		}),
		{Name: "event-white-space", Fault: "white space in JSON is not read", In: kill(and(sio, like(`^42\[ `)))},
		{Name: "event-doubled", Fault: "events come twice", Out: double(like(`^42\["message-back"`))},
		{Name: "event-order", Fault: "the answers to a burst come out of order", Out: swaps(like(`^42\["(b|message-back)",5\]$`))},
		{Name: "event-burst-lost", Fault: "the last event of a burst is lost", Out: drop(is(`42["b",99]`))},
		{Name: "event-broadcasts", Patch: "mirrorBroadcasts", Fault: "an event to one client goes to all"},
		closesAt("event-unknown-closes", "an unknown event closes the connection", `^42\["unknown"`),
		closesAt("event-error-reserved", "the name error is reserved", `^42\["error"`),
		closesAt("event-emoji", "a name beyond ASCII closes the connection", `^42\["😀"`),
		closesAt("event-empty-name", "an empty name closes the connection", `^42\[""\]`),
		ignores("event-name-null", "an event whose name is null is ignored", `^42\[null\]`),
		ignores("event-name-object", "an event whose name is an object is ignored", `^42\[\{\}\]`),
		ignores("event-reserved", "an event with a reserved name is ignored", `^42\["(connect|connect_error|disconnect|disconnecting)"`),
		ignores("event-empty-array", "an event that is an empty array is ignored", `^42\[\]$`),
		ignores("event-object", "an event that is an object is ignored", `^42\{\}`),
		ignores("event-string", "an event that is a string is ignored", `^42"`),
		reads("event-trailing", "bytes after the payload are ignored", `\]x$`, `]`),
		reads("event-comma", "a trailing comma is ignored", `,\]$`, `]`),
		reads("event-quotes", "single quotes are read as double ones", `'`, `"`),
		ignores("event-cut-off", "a payload that ends early is ignored", `^42\["message",\{"a":1\}$`),
		ignores("event-control", "a raw control character is ignored", "\n"),
		reads("event-control-ok", "a raw control character in a string is accepted", "a\nb", `a`),
		ignores("type-unknown", "packets of unknown types are ignored", `^4([7a]|abc)?$`),
		ignores("event-id-namespace", "an id before the namespace is ignored", `^421/`),
		ignores("event-space-namespace", "a namespace that was not joined is ignored", `^42/a b`),
		{Name: "event-kills-others", Patch: "parseErrorKillsAll", Fault: "a packet that cannot be read ends other connections too"},
		sends("event-main-named", "events of the main namespace name it", `^42\["message-back",1\]`, `42/,["message-back",1]`),
		sends("event-undefined", "undefined arguments are left out", `42\["u",null,null\]`, `42["u",null]`),
		ignores("event-second-namespace", "of events to two namespaces only the main one's are handled", `^42/custom,\["message",2\]`),
		{Name: "event-named-main", Fault: "an event that names the main namespace is ignored", In: drop(like(`^42/,`))},
	}
}

func ackFaults() []Mutant {
	return []Mutant{
		sends("ack-id", "acknowledgements have the id of the next call", `^43(/custom,)?0\[`, `43${1}1[`),
		sends("ack-id-large", "large ids are rounded", `^439007199254740991`, `439007199254740992`),
		sends("ack-null", "an acknowledgement without arguments holds null", `^(43\d+)\[\]$`, `${1}[null]`),
		{Name: "ack-lost", Fault: "acknowledgements with several arguments are lost", Out: drop(like(`^43456`))},
		{Name: "ack-twice", Fault: "an acknowledgement is sent twice", Out: double(like(`^431\[`))},
		sends("ack-namespace", "acknowledgements do not name their namespace", `^43/custom,`, `43`),
		sends("ack-as-event", "acknowledgements are events", `^43(\d+)\["x"\]`, `42$1["x"]`),
		{Name: "ack-unknown-event", Fault: "a call of an unknown event is acknowledged", In: func(s *Session, p Packet) []Packet {
			if p.Text == `429["unknown"]` {
				s.toClient(Packet{Text: "439[]"})
			}
			return []Packet{p}
		}},
		{Name: "ack-order", Fault: "the answers to calls come out of order", Out: swaps(like(`^435\[5\]$`))},
		{Name: "ack-mixed", Fault: "the answers to calls are mixed up", Out: rewrite(`^43950\[.*`, `43950["wrong"]`)},
		reads("ack-id-letters", "letters in an id are ignored", `^42abc`, `42`),
		reads("ack-id-negative", "a negative id is read as positive", `^42-1`, `421`),
		reads("ack-id-fraction", "a fraction is read as its integer", `^421\.5`, `421`),
		closesAt("ack-unknown-closes", "an ACK that nobody waits for closes the connection", `^43999`),
		ignores("ack-object", "an ACK with an object is ignored", `^431\{\}`),
		{Name: "ack-client-lost", Fault: "acknowledgements of the client are lost", In: drop(and(sio, like(`^43\d+\[`)))},
		{Name: "ack-client-bare", Fault: "an ACK without a payload is ignored", In: drop(and(sio, like(`^43\d+$`)))},
		{Name: "ack-client-twice", Patch: "ackTwice", Fault: "a call may be answered many times"},
		{Name: "ack-client-twice-closes", Fault: "a second answer to a call closes the connection", In: killSecondAck},
		{Name: "ack-stolen", Patch: "ackStolen", Fault: "a call may be answered by another client"},
		{Name: "ack-elsewhere", Fault: "a call may be answered in another namespace", In: rewrite(`^43/custom,(\d+\["elsewhere"\])`, `43$1`)},
		ignores("ack-not-joined", "an ACK to a namespace that was not joined is ignored", `^43/custom,1\["x"\]`),
		sends("ack-request-no-id", "the server's calls have no id", `^42\d+\["(emit-with-ack|no-ack)"`, `42["$1"`),
		{Name: "ack-request-same-id", Patch: "sameAckID", Fault: "all calls of the server have the same id"},
		{Name: "ack-timeout-never", Fault: "a call of the server never times out", Out: drop(like(`"operation has timed out"`))},
		sends("ack-timeout-message", "the error of a timeout has another text", `operation has timed out`, `timeout`),
		sends("ack-timeout-always", "a call that is answered in time has an error too", `\["emit-timeout-result",null\]`, `["emit-timeout-result","operation has timed out"]`),
		{Name: "ack-late-closes", Fault: "an answer that comes too late closes the connection", In: kill(like(`\["late"\]`))},
		{Name: "ack-late-counts", Patch: "ackTimeoutTwice", Fault: "an answer in time is followed by the timeout's error"},
		{Name: "ack-polling", Fault: "acknowledgements are lost over polling", Out: drop(and(overPolling, like(`^43`)))},
	}
}

// killSecondAck ends the connection at the second ACK with one id.
func killSecondAck(s *Session, p Packet) []Packet {
	if strings.HasPrefix(p.Text, "43") && !s.engine() {
		id, _, _ := strings.Cut(p.Text, "[")
		if s.Seen[id] != "" {
			s.close(1000)
			return nil
		}
		s.Seen[id] = "1"
	}
	return []Packet{p}
}

func binaryFaults() []Mutant {
	return []Mutant{
		{Name: "binary-swapped", Fault: "two attachments come in the other order", Out: swapsBinary},
		{Name: "binary-lost", Fault: "attachments are lost", Out: drop(and(sio, binaryPacket))},
		{Name: "binary-first-only", Fault: "only the first attachment of a packet is sent", Out: func(s *Session, p Packet) []Packet {
			if !p.Binary {
				delete(s.Seen, "attachment")
				return []Packet{p}
			}
			if s.Seen["attachment"] != "" && !s.engine() {
				return nil
			}
			s.Seen["attachment"] = "1"
			return []Packet{p}
		}},
		{Name: "binary-before-head", Fault: "attachments come before their head", Out: binaryFirst},
		{Name: "binary-empty", Fault: "an empty attachment becomes a zero byte", Out: func(s *Session, p Packet) []Packet {
			if p.Binary && len(p.Data) == 0 && !s.engine() {
				p.Data = []byte{0}
			}
			return []Packet{p}
		}},
		{Name: "binary-cut", Fault: "attachments are cut at sixty thousand bytes", Out: func(s *Session, p Packet) []Packet {
			if p.Binary {
				p.Data = p.Data[:min(len(p.Data), 60000)]
			}
			return []Packet{p}
		}},
		sends("binary-count", "the count of attachments is one too high", `^451-`, `452-`),
		sends("binary-ack-type", "a binary acknowledgement is a plain one", `^46(\d+)-`, `43`),
		sends("binary-namespace", "the head of a binary event does not name its namespace", `^451-/custom,`, `451-`),
		sends("binary-other-args", "values beside attachments are lost", `,\{"b":(\{[^}]*\}),"c":\[1\]\},null\]`, `,{"b":$1}]`),
		sends("binary-depth", "an attachment inside an array is sent beside it", `\{"a":\[(\{[^}]*\})\]\}`, `{"a":$1}`),
		sends("binary-false-placeholder", "_placeholder that is false is a placeholder", `^42\["message-back",\{"_placeholder":false,"num":0\}\]`, `42["message-back",null]`),
		sends("binary-plain-placeholder", "a placeholder in a plain event is lost", `^42\["message-back",\{"_placeholder":true,"num":0\}\]`, `42["message-back",null]`),
		{Name: "binary-num", Fault: "numbers of placeholders are not checked", In: dropBinary(`"num":(-1|1|"splice")\}\]$|"_placeholder":true\}`)},
		{Name: "binary-zero", Fault: "a binary event without attachments is ignored", In: drop(like(`^450-`))},
		{Name: "binary-no-count", Fault: "a binary event without a count is ignored", In: drop(like(`^45-?\[`))},
		{Name: "binary-no-dash", Fault: "a binary event without a dash is ignored", In: drop(like(`^451\[`))},
		{Name: "binary-negative", Fault: "a negative count is ignored", In: drop(like(`^45-1-`))},
		{Name: "binary-fraction", Fault: "a fraction as a count is ignored", In: drop(like(`^451\.5-`))},
		closesAt("binary-ten", "ten attachments are too many", `^4510-`),
		{Name: "binary-eleven", Fault: "eleven attachments are awaited", In: drop(like(`^4511-`))},
		{Name: "binary-interrupted", Fault: "a packet between a head and its attachments is ignored", In: interrupted},
		{Name: "binary-unannounced", Fault: "a binary frame without a head is ignored", In: unannounced},
		closesAt("binary-unknown", "an unknown binary event closes the connection", `^451-\["unknown"`),
		{Name: "binary-reserved", Fault: "a binary event with a reserved name is ignored", In: dropBinary(`^451-\["connect"`)},
		{Name: "binary-object", Fault: "a binary event that is an object is ignored", In: dropBinary(`^451-\{`)},
		{Name: "binary-early", Patch: "binaryEarly", Fault: "a binary event is delivered before its last attachment has come"},
		{Name: "binary-pings", Patch: "noPingWhileAttachments", Fault: "there are no pings while attachments are due"},
		{Name: "binary-polling", Fault: "attachments are lost over polling", In: drop(and(and(sio, overPolling), binaryPacket))},
		{Name: "binary-two-payloads", Fault: "an attachment in the next payload is lost", In: laterAttachment},
		{Name: "binary-across-upgrade", Fault: "an attachment after an upgrade is lost", In: drop(and(and(sio, binaryPacket), func(s *Session, _ Packet) bool { return s.Upgraded }))},
		{Name: "binary-many", Fault: "the thirtieth binary event loses its attachment", Out: func(s *Session, p Packet) []Packet {
			if p.Binary && len(p.Data) == 1 && p.Data[0] == 30 {
				return nil
			}
			return []Packet{p}
		}},
		{Name: "binary-ack-client", Fault: "a binary acknowledgement of the client is ignored", In: dropBinary(`^461-`)},
		sends("binary-call", "a call of the server with attachments has no id", `^451-\d+\["emit-with-ack"`, `451-["emit-with-ack"`),
	}
}

// swapsBinary holds the first attachment of a packet with two back.
func swapsBinary(s *Session, p Packet) []Packet {
	switch {
	case strings.HasPrefix(p.Text, "452-") || strings.HasPrefix(p.Text, "462-"):
		s.Seen["swap"] = "1"
	case p.Binary && s.Seen["swap"] == "1":
		s.Seen["swap"], s.Seen["held"] = "2", string(p.Data)
		return nil
	case p.Binary && s.Seen["swap"] == "2":
		delete(s.Seen, "swap")
		return []Packet{p, {Binary: true, Data: []byte(s.Seen["held"])}}
	}
	return []Packet{p}
}

// binaryFirst sends the head behind its first attachment.
func binaryFirst(s *Session, p Packet) []Packet {
	switch {
	case strings.HasPrefix(p.Text, "451-"):
		s.Seen["head"] = p.Text
		return nil
	case p.Binary && s.Seen["head"] != "":
		head := s.Seen["head"]
		delete(s.Seen, "head")
		return []Packet{p, {Text: head}}
	}
	return []Packet{p}
}

// dropBinary drops matching heads and the attachments behind them.
func dropBinary(expr string) func(*Session, Packet) []Packet {
	re := regexp.MustCompile(expr)
	return func(s *Session, p Packet) []Packet {
		switch {
		case p.Binary && s.Seen["dropping"] != "":
			return nil
		case !p.Binary && re.MatchString(p.Text):
			s.Seen["dropping"] = "1"
			return nil
		case !p.Binary:
			delete(s.Seen, "dropping")
		}
		return []Packet{p}
	}
}

// interrupted drops a text between a head and its attachment.
func interrupted(s *Session, p Packet) []Packet {
	switch {
	case strings.HasPrefix(p.Text, "451-"):
		s.Seen["due"] = "1"
	case p.Binary:
		delete(s.Seen, "due")
	case s.Seen["due"] != "" && strings.HasPrefix(p.Text, "42"):
		return nil
	}
	return []Packet{p}
}

// unannounced drops binary frames that no head announced.
func unannounced(s *Session, p Packet) []Packet {
	if s.engine() || s.Path == "/sio-msgpack/" || s.Path == "/sio-v3/" {
		return []Packet{p}
	}
	if m := regexp.MustCompile(`^4[56](\d+)-`).FindStringSubmatch(p.Text); m != nil {
		s.Seen["due"] = m[1]
	}
	if p.Binary {
		var due int
		fmt.Sscan(s.Seen["due"], &due)
		if due == 0 {
			return nil
		}
		s.Seen["due"] = fmt.Sprint(due - 1)
	}
	return []Packet{p}
}

// laterAttachment drops an attachment that does not follow its head at once.
func laterAttachment(s *Session, p Packet) []Packet {
	if p.Binary && !s.WebSocket && s.Path == "/socket.io/" && s.Seen["polling head"] == "" {
		return nil
	}
	delete(s.Seen, "polling head")
	if strings.HasPrefix(p.Text, "4451-") || strings.HasPrefix(p.Text, "451-") {
		s.Seen["polling head"] = ""
	}
	return []Packet{p}
}

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
