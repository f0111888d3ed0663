package chapters

import (
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/siokit/siokit/conformance/probe"
	"github.com/siokit/siokit/conformance/spec"
	"github.com/siokit/siokit/conformance/wire"
)

// promptly is how soon a well-behaved client sees its answers while another
// misbehaves, the slack of a busy machine not counted.
const promptly = 250 * time.Millisecond

// robustChapter is the frame of the chapters about what a server exposed to the
// world has to withstand. All of them run alone: they measure the server as a
// whole.
func robustChapter(prefix string) *chapter {
	return &chapter{
		prefix: prefix, source: "robustness of a server exposed to the world",
		profiles: []spec.Profile{spec.Robustness},
		needs:    []spec.Feature{spec.FeatWebSocket, spec.FeatMirror},
	}
}

// withstand adds a case that runs an attack beside a well-behaved client: that
// one must see its answers promptly, and afterwards a new client must get in.
func (c *chapter) withstand(number, title, requirement string, attack func(*probe.T), change ...change) {
	c.robust(number, title, requirement, func(t *probe.T) {
		witness := t.Join()
		attack(t)
		isPrompt(t, witness)
		t.Join().Answers()
	}, append(change, alone)...)
}

// isPrompt checks that a client is answered soon.
func isPrompt(t *probe.T, witness *probe.Socket) {
	start := time.Now()
	witness.Answers()
	took := time.Since(start)
	t.Check(took <= promptly+t.Slack, "a well-behaved client waited %v for its answer", took)
}

// closesOrAnswers checks that a connection is closed; it may also be answered in
// the ways that are given.
func closesOrAnswers(t *probe.T, s *probe.Socket, allowed ...string) {
	f := s.Take(t.Patience)
	if f == nil {
		t.Check(s.HasEnded(), "neither an answer nor the end of the connection")
		return
	}
	t.OneOf("the answer", f.Text, allowed...)
}

// counts asks the server what lives inside it.
func counts(t *probe.T, s *probe.Socket) map[string]int {
	s.Send(`4299["x:stat"]`)
	var n map[string]int
	if err := json.Unmarshal(s.Reply(99)[0], &n); err != nil {
		t.Failf("x:stat: %v", err)
	}
	return n
}

// comesBack adds a case that needs the server's counts: when what it does is
// over, they must return to what they were, within a heartbeat and a second.
func (c *chapter) comesBack(number, title, requirement string, attack func(*probe.T), change ...change) {
	c.robust(number, title, requirement, func(t *probe.T) {
		witness := t.Join()
		before := steady(t, witness)
		attack(t)
		isPrompt(t, witness)
		limit := time.Now().Add(witness.Heartbeat() + time.Second + t.Slack)
		for {
			now := counts(t, witness)
			if !exceeds(now, before) {
				return
			}
			if time.Now().After(limit) {
				t.Fail(&probe.Failure{Message: "something is left in the server", Want: fmt.Sprint(before), Got: fmt.Sprint(now)})
			}
			t.Wait(20 * time.Millisecond)
		}
	}, append(change, alone, needs(spec.FeatProbes))...)
}

// steady waits until the counts stand still: what earlier cases left is gone.
func steady(t *probe.T, s *probe.Socket) map[string]int {
	last := counts(t, s)
	for range 20 {
		t.Wait(50 * time.Millisecond)
		now := counts(t, s)
		if maps.Equal(now, last) {
			break
		}
		last = now
	}
	return last
}

// exceeds reports whether something has become more.
func exceeds(now, before map[string]int) bool {
	for name, n := range now {
		if n > before[name] {
			return true
		}
	}
	return false
}

// stuck opens a WebSocket session whose client never reads: its buffers are as
// small as they can be made. What it sends are frames of the caller's.
func stuck(t *probe.T, path string, frames ...wire.Frame) *wire.Conn {
	conn := t.Dial()
	if tcp, ok := conn.Conn.(interface{ SetReadBuffer(int) error }); ok {
		tcp.SetReadBuffer(4096)
	}
	conn.WriteRequest(wire.UpgradeRequest(t.Target(path) + "?EIO=4&transport=websocket"))
	if a := t.Read(conn, "GET"); a.Response.Status != 101 {
		t.Failf("the handshake got %d", a.Response.Status)
	}
	var b []byte
	for _, f := range frames {
		b = f.Append(b)
	}
	conn.WriteRaw(b)
	return conn
}

// robustParsers: packets that are no packets.
func robustParsers() []spec.Case {
	c := robustChapter("R-PA")
	reject := func(packets ...string) func(*probe.T) {
		return func(t *probe.T) {
			for _, packet := range packets {
				s := t.Join()
				s.Send(packet)
				s.Closed()
			}
		}
	}
	one := `["message",` + place(0) + `]`
	c.withstand("01", "counts that are no numbers", "An attachment count is digits and nothing else: signs, exponents, spaces, hexadecimal and other scripts end the connection.",
		reject(`45+1-`+one, `451e0-`+one, `451e1-`+one, `45 1-`+one, `451 -`+one, `450x1-`+one, `45１-`+one, `45NaN-`+one, `45Infinity-`+one))
	c.withstand("02", "ids that are no numbers", "An acknowledgement id is digits and nothing else.",
		reject(`42+1["message"]`, `421e0["message"]`, `42 ["message"]`, `42 1["message"]`, `421 ["message"]`, `420x1["message"]`, `42１["message"]`, `421.0["message"]`))
	c.withstand("03", "ids that cannot be answered", "An id beyond 2^53-1 could not be answered with the same digits: it ends the connection.",
		reject(`429007199254740992["message-with-ack"]`, `4212345678901234567890["message-with-ack"]`))
	c.withstand("04", "an enormous count", "A count beyond the limit is refused before the first attachment is awaited.",
		reject(`4511-`+one, `454294967297-`+one, `4599999999999999999999-`+one))
	c.robust("05", "numbers of placeholders that are no integers", "The number of a placeholder is an integer within the count.",
		func(t *probe.T) {
			for _, num := range []string{"0.5", "1", "-1", `"0"`, "true", "null", "[0]", "1e3", "4294967296"} {
				s := t.Join()
				attach(s, `451-["message",{"_placeholder":true,"num":`+num+`}]`, 1)
				s.Closed()
			}
		}, alone)
	c.withstand("06", "JSON of five thousand levels", "Nesting beyond the limit ends the connection and nothing else.",
		func(t *probe.T) {
			s := t.Join()
			s.Send(`42["message",` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `]`)
			f := s.Take(t.Patience)
			t.Check(f != nil || s.HasEnded(), "neither an answer nor the end of the connection")
		})
	c.withstand("07", "JSON of a hundred thousand levels", "Nesting costs neither the stack nor time: closed or not, the others go on.",
		func(t *probe.T) {
			for _, open := range []string{"[", `{"a":`} {
				s := t.Join()
				s.Send(`42["message",` + strings.Repeat(open, 100000))
				s.Closed()
			}
		})
	c.withstand("08", "msgpack of a hundred thousand levels", "Nesting costs neither the stack nor time in msgpack either.",
		func(t *probe.T) {
			s := joinPacked(t)
			s.SendBinary([]byte("\x83\xa4type\x02\xa3nsp\xa1/\xa4data\x92\xa7message" + strings.Repeat("\x91", 100000) + "\xc0")...)
			s.Ended()
		}, needs(spec.FeatMsgpack))
	c.withstand("09", "msgpack that announces more than it holds", "A length beyond the input allocates nothing and ends the connection.",
		func(t *probe.T) {
			for _, head := range []string{"\xdd\xff\xff\xff\xff", "\xdf\xff\xff\xff\xff", "\xdb\xff\xff\xff\xff", "\xc6\xff\xff\xff\xff"} {
				s := joinPacked(t)
				s.SendBinary([]byte("\x83\xa4type\x02\xa3nsp\xa1/\xa4data\x92\xa7message" + head)...)
				s.Ended()
			}
		}, needs(spec.FeatMsgpack))
	c.withstand("10", "a name of six hundred bytes", "A namespace name that long is refused and never sent back.",
		func(t *probe.T) {
			name := "/" + strings.Repeat("n", 600)
			s := t.SocketIO()
			s.Send("40" + name + ",")
			if f := s.Take(t.Patience); f != nil {
				t.Check(!strings.Contains(f.Text, name), "the name came back")
			}
		})
	c.withstand("11", "half a million packets in one body", "A payload of half a million tiny packets does not cost the others their time.",
		func(t *probe.T) {
			p := t.Polling(calm(t))
			p.Post(strings.Repeat("3\x1e", 499999) + "3").Accepted()
			p.Alive()
		}, needs(spec.FeatPolling, spec.FeatEcho))
	c.robust("12", "base64 that is none", "Base64 is read strictly: other alphabets, white space and wrong padding end the session.",
		func(t *probe.T) {
			for _, body := range []string{"b!!!!", "bAQID_-8=", "bAQID\nBA==", "bAQ=", "bA", "bAQIDBA=A"} {
				p := t.Polling(calm(t))
				p.Post(body)
				p.Gone()
			}
		}, alone, needs(spec.FeatPolling, spec.FeatEcho))
	c.robust("13", "invalid UTF-8 over polling", "What is not UTF-8 is never sent back: it is replaced, or ends the session.",
		func(t *probe.T) {
			p := t.Polling(calm(t))
			p.Post("4\xff\xfe")
			a := p.Get()
			if a.Response.Status == 200 {
				t.Check(!strings.Contains(string(a.Body), "\xff"), "the bytes came back: %q", a.Body)
			}
		}, needs(spec.FeatPolling, spec.FeatEcho), proven(accepts))
	c.robust("14", "payloads of the wrong shape", "Each packet type has one shape of payload; every other ends the connection.",
		func(t *probe.T) {
			for _, packet := range []string{`41{}`, `41[]`, `41"x"`, `421`, `42null`, `42true`, `42{"0":"message","length":1}`, `431"x"`, `431null`, `44"x"`, `42[["message"]]`, `42[true]`} {
				s := t.Join()
				s.Send(packet)
				s.Closed()
			}
		}, alone)
	c.robust("15", "reserved names in every packet that has a name", "The names of the library's own events never reach a handler.",
		func(t *probe.T) {
			for _, name := range []string{"connect", "connect_error", "disconnect", "disconnecting"} {
				for _, packet := range []string{`42["` + name + `"]`, `421["` + name + `",1]`} {
					s := t.Join()
					s.Send(packet)
					s.Closed()
				}
			}
		}, alone)
	c.withstand("16", "a prototype's names", "Names of language internals as keys, events, namespaces and rooms are names like others.",
		func(t *probe.T) {
			s := t.Join()
			for _, name := range []string{"__proto__", "constructor", "prototype", "toString", "hasOwnProperty"} {
				s.Send(`42["` + name + `",{"` + name + `":{"polluted":true}}]`)
				s.Event(`"message",{"` + name + `":1}`)
				s.Expect(`42["message-back",{"` + name + `":1}]`)
			}
		})
	c.withstand("17", "many keys", "An object of a hundred thousand keys takes linear time.",
		func(t *probe.T) {
			var b strings.Builder
			b.WriteString(`42["unknown",{`)
			for i := range 60000 {
				b.WriteString(`"k` + strconv.Itoa(i) + `":0,`)
			}
			b.WriteString(`"z":0}]`)
			s := t.Join()
			s.Send(b.String())
			s.Answers()
		})
	return c.cases
}
