package mutant

import (
	"fmt"
	"regexp"
	"strings"
)

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
		{Name: "ack-namespace-asked", Fault: "an event with a namespace and an id is lost", In: drop(like(`^42/[^,]+,\d+\[`))},
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
