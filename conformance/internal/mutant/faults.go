package mutant

import (
	"bytes"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// All returns every mutant, in the order of the table.
func All() []Mutant {
	return slices.Concat(
		aimed(handshakeFaults(), "E-HS", "E-UP-19", "E-UP-20", "E-WS-35", "E-WS-62", "E-WS-63", "S-CN-39", "S-CN-40"),
		aimed(openFaults(), "E-HS"),
		aimed(headerFaults(), "E-HS", "E-PD-48", "E-PD-69", "E-PD-70", "E-PD-71"),
		aimed(pollingFaults(), "E-PD", "P"),
		aimed(webSocketFaults(), "E-WS", "E-HB", "X", "P"),
		aimed(frameFaults(), "E-WS", "E-HB"),
		aimed(heartbeatFaults(), "E-HB", "E-WS-44"),
		aimed(upgradeFaults(), "E-UP"),
		aimed(connectFaults(), "S-CN", "P"),
		aimed(disconnectFaults(), "S-DC"),
		aimed(eventFaults(), "S-EV", "S-CN-52"),
		aimed(ackFaults(), "S-EV", "P"),
		aimed(binaryFaults(), "S-BN"),
		aimed(roomFaults(), "S-RM"),
		aimed(recoveryFaults(), "S-CR"),
		aimed(msgpackFaults(), "M"),
		aimed(revision3Faults(), "E-V3", "E-HS-66", "E-HS-67", "E-HS-68", "S-CN-41"),
	)
}

// aimed tells which cases the mutants are run with: the chapters that are about
// what is wrong with them.
func aimed(mutants []Mutant, cases ...string) []Mutant {
	for i := range mutants {
		mutants[i].Cases = cases
	}
	return mutants
}

// The constructors of hooks.

// query changes the query of matching requests, which are told by a part of
// their path and query.
func query(part, old, replacement string) func(*http.Request) {
	return func(r *http.Request) {
		if strings.Contains(r.RequestURI, part) {
			r.URL.RawQuery = strings.Replace(r.URL.RawQuery, old, replacement, 1)
		}
	}
}

// body replaces a part of every answer's body.
func body(old, replacement string) func(*http.Request, *Answer) {
	return func(_ *http.Request, a *Answer) { a.Body = bytes.ReplaceAll(a.Body, []byte(old), []byte(replacement)) }
}

// status changes the status of answers whose body holds a text.
func status(from int, holding string, to int) func(*http.Request, *Answer) {
	return func(_ *http.Request, a *Answer) {
		if a.Status == from && bytes.Contains(a.Body, []byte(holding)) {
			a.Status = to
		}
	}
}

// header sets a header of the answers to matching requests; an empty value
// takes it away.
func header(part, name, value string) func(*http.Request, *Answer) {
	return func(r *http.Request, a *Answer) {
		switch {
		case !strings.Contains(r.RequestURI, part) || a.Status == http.StatusSwitchingProtocols:
		case value == "":
			a.Header.Del(name)
		default:
			a.Header.Set(name, value)
		}
	}
}

// only restricts a change of answers to those of a method and status.
func only(method string, status int, change func(*http.Request, *Answer)) func(*http.Request, *Answer) {
	return func(r *http.Request, a *Answer) {
		if r.Method == method && a.Status == status {
			change(r, a)
		}
	}
}

// is matches packets by their whole text.
func is(texts ...string) func(*Session, Packet) bool {
	return func(_ *Session, p Packet) bool { return !p.Binary && slices.Contains(texts, p.Text) }
}

// like matches packets by a regular expression.
func like(expr string) func(*Session, Packet) bool {
	re := regexp.MustCompile(expr)
	return func(_ *Session, p Packet) bool { return !p.Binary && re.MatchString(p.Text) }
}

// binary matches binary messages.
func binaryPacket(_ *Session, p Packet) bool { return p.Binary }

// and matches what both match.
func and(a, b func(*Session, Packet) bool) func(*Session, Packet) bool {
	return func(s *Session, p Packet) bool { return a(s, p) && b(s, p) }
}

func overWebSocket(s *Session, _ Packet) bool { return s.WebSocket }

func overPolling(s *Session, _ Packet) bool { return !s.WebSocket }

// drop loses matching packets: a server that ignores them, or never sends them.
func drop(match func(*Session, Packet) bool) func(*Session, Packet) []Packet {
	return func(s *Session, p Packet) []Packet {
		if match(s, p) {
			return nil
		}
		return []Packet{p}
	}
}

// instead replaces matching packets.
func instead(match func(*Session, Packet) bool, with ...string) func(*Session, Packet) []Packet {
	return func(s *Session, p Packet) []Packet {
		if match(s, p) {
			return text(with...)
		}
		return []Packet{p}
	}
}

// rewrite replaces a part of every text packet.
func rewrite(expr, replacement string) func(*Session, Packet) []Packet {
	re := regexp.MustCompile(expr)
	return func(_ *Session, p Packet) []Packet {
		if !p.Binary {
			p.Text = re.ReplaceAllString(p.Text, replacement)
		}
		return []Packet{p}
	}
}

// double sends matching packets twice.
func double(match func(*Session, Packet) bool) func(*Session, Packet) []Packet {
	return func(s *Session, p Packet) []Packet {
		if match(s, p) {
			return []Packet{p, p}
		}
		return []Packet{p}
	}
}

// kill ends the session at matching packets: a server that does not stand them.
func kill(match func(*Session, Packet) bool) func(*Session, Packet) []Packet {
	return func(s *Session, p Packet) []Packet {
		if !match(s, p) {
			return []Packet{p}
		}
		s.close(1000)
		return text("1")
	}
}

// closeWith ends the WebSocket connection with a wrong status at matching
// packets.
func closeWith(code int, match func(*Session, Packet) bool) func(*Session, Packet) []Packet {
	return func(s *Session, p Packet) []Packet {
		if match(s, p) {
			s.close(code)
			return nil
		}
		return []Packet{p}
	}
}
