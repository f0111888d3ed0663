package chapters

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/siokit/siokit/conformance/probe"
	"github.com/siokit/siokit/conformance/spec"
)

// robustSockets: namespaces, handlers and acknowledgements under pressure.
func robustSockets() []spec.Case {
	c := robustChapter("R-SO")
	robustOrder(c)
	robustHandlers(c)
	robustLimits(c)
	robustRecovery(c)
	return c.cases
}

// robustOrder: packets that arrive together.
func robustOrder(c *chapter) {
	c.robust("01", "EVENT in the segment of its CONNECT", "An event that arrives with the CONNECT is delivered, behind the answer.",
		func(t *probe.T) {
			s := t.SocketIO()
			s.SendTogether("40", `42["message",1]`, `42["message",2]`)
			s.Connected("/", "")
			s.Expect(`42["message-back",1]`, `42["message-back",2]`)
		})
	c.robust("02", "CONNECT and EVENT in one payload", "An event in the payload of its CONNECT is delivered, behind the answer.",
		func(t *probe.T) {
			p := t.Polling("/socket.io/")
			p.Send("40", `42["message",1]`)
			p.Expect(connected, noAuth, `42["message-back",1]`)
		}, needs(spec.FeatPolling))
	c.robust("03", "DISCONNECT right behind an event", "An event before a DISCONNECT is still handled.",
		func(t *probe.T) {
			watch, s := t.Join(), t.Join()
			mark := room(t, "so03")
			watch.Call(1, `"x:marks"`, `"<any>"`)
			s.SendTogether(`42["x:mark",`+mark+`]`, "41")
			limit := time.Now().Add(t.Patience)
			for {
				watch.Send(`422["x:marks"]`)
				if strings.Contains(string(watch.Reply(2)[0]), mark) {
					return
				}
				t.Check(time.Now().Before(limit), "the event was never handled")
				t.Wait(10 * time.Millisecond)
			}
		}, needs(spec.FeatProbes), alone)
	c.robust("04", "DISCONNECT and CONNECT in one segment", "A namespace can be left and joined in one go.",
		func(t *probe.T) {
			s := t.SocketIO()
			first := s.Connect("/", "")
			s.SendTogether("41", "40")
			again := s.Connected("/", "")
			t.Check(again != first, "the id %s is used again", first)
			s.Answers()
		})
	c.robust("05", "twenty namespaces in one segment", "CONNECTs to many namespaces that arrive together are all answered, and each namespace works.",
		func(t *probe.T) {
			s := t.SocketIO()
			var send, want []string
			for i := range 20 {
				send = append(send, fmt.Sprintf("40/dyn-%d,", i))
				want = append(want, fmt.Sprintf(`40/dyn-%d,{"sid":"<sid>"}`, i), fmt.Sprintf(`42/dyn-%d,["auth",{}]`, i))
			}
			s.SendTogether(send...)
			s.ExpectAnyOrder(want...)
			for i := range 20 {
				s.Send(fmt.Sprintf(`42/dyn-%d,1["id"]`, i))
				s.Expect(fmt.Sprintf(`43/dyn-%d,1["<id>"]`, i))
			}
		}, needs(spec.FeatNsps))
	c.robust("06", "CONNECT twice while the application decides", "Two CONNECTs to one namespace never make two sockets: one is answered, or the connection closes.",
		func(t *probe.T) {
			s := t.SocketIO()
			s.SendTogether("40/auth-slow,", "40/auth-slow,")
			answers := 0
			for f := s.Take(3 * t.Quiet); f != nil; f = s.Take(t.Quiet) {
				if strings.HasPrefix(f.Text, "40/auth-slow,") {
					answers++
				}
			}
			t.Check(answers <= 1, "%d sockets were made", answers)
			t.Check(answers == 1 || s.HasEnded(), "neither an answer nor the end of the connection")
		}, needs(spec.FeatNsps))
	c.robust("07", "EVENT while the application decides", "An event to a namespace that is being joined waits, or ends the connection; it is never handled before the answer.",
		func(t *probe.T) {
			s := t.SocketIO()
			s.SendTogether("40/auth-slow,", `42/auth-slow,["message",1]`)
			f := s.Take(t.Patience)
			if f == nil {
				t.Check(s.HasEnded(), "neither an answer nor the end of the connection")
				return
			}
			t.Match("the answer", `40/auth-slow,{"sid":"<sid>"}`, f.Text)
			s.Expect(`42/auth-slow,["auth",{}]`)
			s.Silent()
		}, needs(spec.FeatNsps))
}

// robustHandlers: what handlers of the application may do.
func robustHandlers(c *chapter) {
	probes := needs(spec.FeatProbes)
	c.robust("08", "a handler that waits for its client", "An acknowledgement reaches a handler that waits for it, though the handler has not returned.",
		func(t *probe.T) {
			s := t.Join()
			s.Send(`425["x:ask"]`)
			s.Send(`43` + s.Expect(`42<n>["x:question",7]`)["n"] + `["yes"]`)
			s.Expect(`435["yes"]`)
		}, probes)
	c.robust("09", "heartbeat while a handler waits", "Pings and pongs go on while a handler waits.",
		func(t *probe.T) {
			s := t.Join()
			s.Send(`425["x:ask"]`)
			n := s.Expect(`42<n>["x:question",7]`)["n"]
			s.SilentFor(s.Heartbeat() + t.Slack)
			t.Check(len(s.Pings()) > 0, "no ping came")
			s.Send(`43` + n + `["yes"]`)
			s.Expect(`435["yes"]`)
		}, probes)
	c.robust("10", "a handler that waits in vain", "A handler that waits for an acknowledgement gets its timeout, and the connection stays.",
		func(t *probe.T) {
			s := t.Join()
			s.Send(`425["x:ask"]`)
			s.Expect(`42<n>["x:question",7]`, `435["timeout"]`)
			s.Answers()
		}, probes)
	c.robust("11", "an acknowledgement given many times", "An acknowledgement counts once, however often it is sent.",
		func(t *probe.T) {
			s := t.Join()
			before := number(t, s, `"x:answers"`)
			s.Send(`425["x:ask"]`)
			n := s.Expect(`42<n>["x:question",7]`)["n"]
			s.SendTogether(`43`+n+`["yes"]`, `43`+n+`["no"]`, `43`+n+`["no"]`)
			s.Expect(`435["yes"]`)
			probe.Equal(t, "acknowledgements counted", before+1, number(t, s, `"x:answers"`))
		}, probes, alone)
	c.robust("12", "a disconnect inside a handler", "After a handler has disconnected its socket nothing of it is sent and no room is joined.",
		func(t *probe.T) {
			s, other := t.Join(), t.Join()
			s.Event(`"x:bye"`)
			s.Expect("41")
			s.Closed()
			other.Event(`"in","late","x"`)
			other.Answers()
		}, probes)
	c.comesBack("13", "a handler that panics", "A handler that fails ends at most its own socket; the process and the others go on.",
		func(t *probe.T) {
			s := t.Join()
			s.Event(`"x:boom"`)
			closesOrAnswers(t, s, "41")
			s.Hang()
		}, probes)
	c.comesBack("14", "middleware that hangs", "A CONNECT that the application never decides ends with the connect timeout.",
		func(t *probe.T) {
			s := t.SocketIO()
			s.Send("40/hang,")
			if f := s.Take(t.Patience); f != nil {
				t.Match("a refusal before the end", `44/hang,{"message":"<text>"}`, f.Text)
			}
			end := s.Ended()
			t.Check(end.At.Sub(s.Opened) < 2*time.Second+t.Slack, "it took %v", end.At.Sub(s.Opened))
		}, probes)
	c.comesBack("15", "refused CONNECTs", "A hundred refused CONNECTs leave nothing behind.",
		func(t *probe.T) {
			s := t.SocketIO()
			for range 100 {
				s.Send("40/deny,")
				s.Expect(`44/deny,{"message":"denied"}`)
			}
			s.CloseWith(1000)
		}, probes)
}

// number asks for a number.
func number(t *probe.T, s *probe.Socket, elements string) int {
	s.Send(`4298[` + elements + `]`)
	var n int
	if err := json.Unmarshal(s.Reply(98)[0], &n); err != nil {
		t.Failf("%s: %v", elements, err)
	}
	return n
}

// robustLimits: clients that take as much as they can.
func robustLimits(c *chapter) {
	c.comesBack("16", "namespaces made on demand", "Two hundred namespaces that were made on demand vanish with their clients.",
		func(t *probe.T) {
			s := t.SocketIO()
			for i := range 200 {
				s.Connect(fmt.Sprintf("/dyn-%d", i), "")
			}
			s.CloseWith(1000)
		}, needs(spec.FeatNsps))
	c.withstand("17", "five thousand namespaces on one connection", "A client that joins without end is cut off or served, and the others go on.",
		func(t *probe.T) {
			s := t.SocketIO()
			var send []string
			for i := range 5000 {
				send = append(send, fmt.Sprintf("40/dyn-%d,", i))
			}
			s.SendTogether(send...)
			for s.Take(t.Quiet) != nil {
			}
			s.Hang()
		}, needs(spec.FeatNsps))
	c.comesBack("18", "seventy thousand rooms", "A socket that joins rooms without end is limited or served; its rooms vanish with it.",
		func(t *probe.T) {
			s := t.Join()
			s.Event(`"x:join",70000`)
			for s.Take(t.Quiet) != nil {
			}
			s.Hang()
			t.Wait(t.Quiet)
		})
	c.withstand("19", "events while a handler waits", "A client that sends events faster than they are handled is bounded: it is cut off or served, and the others go on.",
		func(t *probe.T) {
			s := t.Join()
			s.Send(`425["x:ask"]`)
			s.Expect(`42<n>["x:question",7]`)
			send := make([]string, 1000)
			for i := range send {
				send[i] = `42["unknown","` + strings.Repeat("e", 100) + `"]`
			}
			for range 80 {
				s.SendTogether(send...)
			}
			s.Hang()
		}, needs(spec.FeatProbes))
	c.comesBack("20", "calls that are never answered", "Acknowledgements that never come are freed with their socket.",
		func(t *probe.T) {
			s := t.Join()
			for range 500 {
				s.Event(`"emit-with-ack","q"`)
			}
			for range 500 {
				s.Expect(`42<n>["emit-with-ack","q"]`)
			}
			s.CloseWith(1000)
		}, needs(spec.FeatEvents))
	c.comesBack("21", "attachments that never come", "Heads whose attachments never come are freed with their connections.",
		func(t *probe.T) {
			for range 50 {
				s := t.Join()
				s.Send(`4510-["message",` + place(0) + `]`)
				s.SendBinary(make([]byte, 10000)...)
				s.Hang()
			}
		})
}

// robustRecovery: sessions that are presented in the wrong way.
func robustRecovery(c *chapter) {
	recovery := needs(spec.FeatRecovery)
	c.robust("22", "a session presented while it lives", "Two connections never share a socket's id: the first is closed, or the second gets a new session.",
		func(t *probe.T) {
			r := newRecoverable(t)
			s := dialCSR(t, r.payload())
			for {
				f := s.Next()
				if !strings.HasPrefix(f.Text, "40{") {
					continue // what was missed stands before the answer
				}
				if strings.Contains(f.Text, r.id) {
					r.Ended()
				}
				return
			}
		}, recovery)
	c.robust("23", "a session presented by two at once", "A stored session is recovered once.",
		func(t *probe.T) {
			r := newRecoverable(t)
			r.gone(t)
			a, b := t.WebSocket("/sio-csr/"), t.WebSocket("/sio-csr/")
			a.Send("40" + r.payload())
			b.Send("40" + r.payload())
			kept := 0
			for _, s := range []*probe.Socket{a, b} {
				for f := s.Take(t.Patience); f != nil; f = s.Take(t.Patience) {
					if strings.HasPrefix(f.Text, "40{") {
						if strings.Contains(f.Text, r.id) && !s.HasEnded() {
							kept++
						}
						break
					}
				}
			}
			if kept == 2 {
				// The second may have taken the session from the first, which then ends.
				t.Wait(t.Quiet)
				t.Check(a.HasEnded() || b.HasEnded(), "both connections have the id %s", r.id)
			}
		}, recovery)
	c.robust("24", "private ids that are no ids", "Whatever is presented as a private id or an offset, the answer is a new session or the end of the connection.",
		func(t *probe.T) {
			for _, payload := range []string{`{"pid":1,"offset":2}`, `{"pid":{},"offset":[]}`, `{"pid":"` + strings.Repeat("p", 10000) + `","offset":"x"}`, `{"pid":"__proto__","offset":"__proto__"}`} {
				s := dialCSR(t, payload)
				if f := s.Take(t.Patience); f != nil {
					t.Match("the answer", `40{"sid":"<sid>","pid":"<pid>"}`, f.Text)
				} else {
					t.Check(s.HasEnded(), "neither an answer nor the end of the connection")
				}
			}
		}, recovery)
}
