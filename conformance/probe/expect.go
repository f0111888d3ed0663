package probe

import (
	"fmt"
	"strings"
	"time"

	"github.com/siokit/siokit/conformance/internal/match"
	"github.com/siokit/siokit/conformance/wire"
)

// This file is what cases expect of a Socket: frames, silence, an end.

// await waits until ready, called under the lock, is true; false means that d
// passed first.
func (s *Socket) await(d time.Duration, ready func() bool) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		s.mu.Lock()
		ok, changed := ready(), s.changed
		s.mu.Unlock()
		if ok {
			return true
		}
		select {
		case <-changed:
		case <-timer.C:
			return false
		case <-s.t.ctx.Done():
			s.t.Failf("the case was cancelled")
		}
	}
}

// Take returns the next frame, or nil when none comes within d or the
// connection has ended.
func (s *Socket) Take(d time.Duration) *Frame {
	var taken *Frame
	s.await(d, func() bool {
		for taken == nil && len(s.frames) > 0 {
			if s.noops || s.frames[0].Text != "6" {
				taken = &s.frames[0]
			}
			s.frames = s.frames[1:]
		}
		return taken != nil || s.end != nil
	})
	return taken
}

// Next returns the next frame; one must come.
func (s *Socket) Next() Frame {
	if f := s.Take(s.t.Patience); f != nil {
		return *f
	}
	s.missing(s.ws.Label+": another frame", "a frame")
	return Frame{}
}

// missing fails the case because what must come does not. An end that may have
// been a ping timeout, of a server that was too slow to see our answer, tells
// nothing.
func (s *Socket) missing(what, want string) {
	f := &Failure{Message: what, Want: want, Got: s.state()}
	s.mu.Lock()
	if n := len(s.pings); s.end != nil && n > 0 && s.end.At.Sub(s.pings[n-1]) < s.PingTimeout+s.t.Slack {
		f.Got += ", so soon after a ping that it may have been a ping timeout"
		f.Inconclusive = true
	}
	s.mu.Unlock()
	s.t.Fail(f)
}

// state says in words whether the connection has ended and how.
func (s *Socket) state() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.end == nil:
		return fmt.Sprintf("nothing within %v; the connection is open", s.t.Patience)
	case s.end.Err != nil:
		return s.end.Err.Error()
	case s.end.Code == 1006:
		return "the end of the connection, without a close frame"
	default:
		return fmt.Sprintf("close frame %d", s.end.Code)
	}
}

// TakePing waits for a ping on a socket that leaves pings unanswered; other
// frames before it fail the case.
func (s *Socket) TakePing(d time.Duration) time.Time {
	f := s.Take(d)
	if f == nil || f.Text != "2" {
		s.t.Fail(&Failure{Message: s.ws.Label + ": a ping is due", Want: "2", Got: s.state()})
	}
	return f.At
}

// Expect checks the next frames, in this order and nothing in between.
func (s *Socket) Expect(packets ...string) match.Captures {
	all := match.Captures{}
	for i, want := range packets {
		what := fmt.Sprintf("%s: frame %d of %d", s.ws.Label, i+1, len(packets))
		f := s.Take(s.t.Patience)
		if f == nil {
			s.missing(what, show(want))
		}
		for k, v := range s.t.Match(what, want, f.Text) {
			all[k] = v
		}
	}
	return all
}

// ExpectPrefix checks how the next frame begins.
func (s *Socket) ExpectPrefix(want string) {
	if got := s.Next().Text; !strings.HasPrefix(got, want) {
		s.t.Fail(&Failure{Message: s.ws.Label + ": another frame", Want: show(want) + "…", Got: show(got)})
	}
}

// ExpectAnyOrder checks that the next frames are these, in any order.
func (s *Socket) ExpectAnyOrder(packets ...string) {
	left := append([]string(nil), packets...)
	for len(left) > 0 {
		f := s.Take(s.t.Patience)
		if f == nil {
			s.missing(s.ws.Label+": a frame is missing", show(strings.Join(left, " , ")))
		}
		i := s.t.OneOf(s.ws.Label+": an unexpected frame", f.Text, left...)
		left = append(left[:i], left[i+1:]...)
	}
}

// Exactly checks that the next frame is this, byte for byte.
func (s *Socket) Exactly(want string) {
	if got := s.Next().Text; got != want {
		s.t.Fail(&Failure{Message: s.ws.Label + ": not the same bytes", Want: show(want), Got: show(got)})
	}
}

// Silent checks that nothing but pings comes for a while and the connection
// stays.
func (s *Socket) Silent() { s.SilentFor(s.t.Quiet) }

// SilentFor is [Socket.Silent] with a time.
func (s *Socket) SilentFor(d time.Duration) {
	if f := s.Take(d); f != nil {
		s.t.Fail(&Failure{Message: s.ws.Label + ": nothing may come here", Want: "(nothing)", Got: show(f.Text)})
	}
	if s.HasEnded() {
		s.missing(s.ws.Label+": the connection must stay", "(nothing)")
	}
}

// HasEnded reports whether the connection has ended.
func (s *Socket) HasEnded() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.end != nil
}

// Alive checks on an echo server that the session works and nothing else was
// sent before.
func (s *Socket) Alive() {
	s.Send("4alive")
	s.Expect("4alive")
}

// Ended waits for the end of the connection and returns it; frames before it
// fail the case.
func (s *Socket) Ended() End {
	return s.EndedWithin(s.t.Patience)
}

// EndedWithin is [Socket.Ended] with a time. A server may say goodbye with a
// close packet first: the session has ended with it, and we close the
// connection as clients do.
func (s *Socket) EndedWithin(d time.Duration) End {
	f := s.Take(d)
	if f != nil && f.Text == "1" {
		s.ws.WriteFrames(wire.Frame{Fin: true, Op: wire.Close, Masked: true, Payload: wire.ClosePayload(1000, "")})
		end := s.EndedSilently(s.t.Patience)
		return End{Code: 1005, At: f.At, Err: end.Err}
	}
	return s.ended(f, d)
}

// EndedSilently is [Socket.EndedWithin] for an end without a close packet.
func (s *Socket) EndedSilently(d time.Duration) End { return s.ended(s.Take(d), d) }

// ended expects the end in place of the frame f.
func (s *Socket) ended(f *Frame, d time.Duration) End {
	if f != nil {
		s.t.Fail(&Failure{Message: s.ws.Label + ": the connection must close", Want: "CLOSE", Got: show(f.Text)})
	}
	s.mu.Lock()
	end := s.end
	s.mu.Unlock()
	if end == nil {
		s.t.Fail(&Failure{Message: s.ws.Label + ": the connection must close", Want: "CLOSE", Got: fmt.Sprintf("nothing within %v; the connection is open", d)})
	}
	if end.Err != nil {
		s.t.Fail(&Failure{Message: s.ws.Label + ": the server broke the WebSocket protocol", Want: "CLOSE", Got: end.Err.Error()})
	}
	return *end
}

// Closed checks that the server closes because of what was sent last: soon, and
// not by a ping timeout. When codes are given and a close frame with a status
// comes, it must be one of them: RFC 6455 only asks for the close.
func (s *Socket) Closed(codes ...int) {
	end := s.Ended()
	s.mu.Lock()
	var ping time.Time
	if n := len(s.pings); n > 0 {
		ping = s.pings[n-1]
	}
	sent, proved := s.lastSent, s.proved == len(s.pings)
	s.mu.Unlock()
	// A ping timeout comes PingTimeout after a ping. One that came after the offence
	// may have waited for us, if we stood still, and so may the end. One that came
	// before was answered; a server that is slow, or stood still, may not have seen
	// the answer, which a prompt end has nothing to do with.
	age, after := end.At.Sub(ping), end.At.Sub(sent)
	most, timely := s.PingTimeout*3/4, s.PingTimeout/4
	timeout := ping.After(sent) && after > most || !ping.After(sent) && after > timely && age > most
	if !proved && s.PingTimeout > 0 && timeout {
		s.t.Fail(&Failure{
			Message:      fmt.Sprintf("%s: closed %v after a ping, as a ping timeout would (%v): no evidence that it was closed for this", s.ws.Label, age.Round(time.Millisecond), s.PingTimeout),
			Inconclusive: true,
		})
	}
	if len(codes) == 0 || end.Code == 1005 || end.Code == 1006 {
		return
	}
	for _, code := range codes {
		if end.Code == code {
			return
		}
	}
	s.t.Fail(&Failure{Message: s.ws.Label + ": status of the close frame", Want: fmt.Sprint("CLOSE ", codes), Got: fmt.Sprintf("CLOSE [%d]", end.Code)})
}
