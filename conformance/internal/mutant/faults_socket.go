package mutant

import (
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
