package chapters

import (
	"fmt"
	"strings"
	"time"

	"github.com/siokit/siokit/conformance/probe"
	"github.com/siokit/siokit/conformance/spec"
)

// recoverable is a socket of the server that keeps sessions for two seconds.
type recoverable struct {
	*probe.Socket
	id, pid string
	// offset is the last one that came.
	offset string
}

// dialCSR opens a connection there and sends CONNECT with a payload.
func dialCSR(t *probe.T, payload string) *probe.Socket {
	s := t.WebSocket("/sio-csr/")
	s.Send("40" + payload)
	return s
}

// newRecoverable joins with a new session.
func newRecoverable(t *probe.T) *recoverable {
	s := dialCSR(t, "")
	caps := s.Expect(`40{"sid":"<id>","pid":"<pid>"}`, `42["auth",{},"<offset>"]`)
	return &recoverable{s, caps["id"], caps["pid"], caps["offset"]}
}

// event takes an event and its offset.
func (r *recoverable) event(elements string) {
	r.offset = r.Expect(`42[` + elements + `,"<offset>"]`)["offset"]
}

// payload is what a client presents to get its session back.
func (r *recoverable) payload() string {
	return fmt.Sprintf(`{"pid":%q,"offset":%q}`, r.pid, r.offset)
}

// rejoin presents the session on a new connection and returns it with the
// answer to CONNECT. What was missed stands before the answer and is checked.
func (r *recoverable) rejoin(t *probe.T, missed ...string) (again *recoverable, recovered bool) {
	s := dialCSR(t, r.payload())
	again = &recoverable{Socket: s}
	for _, m := range missed {
		again.event(m)
	}
	caps := s.Expect(`40{"sid":"<id>","pid":"<pid>"}`)
	again.id, again.pid = caps["id"], caps["pid"]
	offset := s.Expect(`42["auth",{"pid":"<text>","offset":"<any>"},"<offset>"]`)["offset"]
	again.offset = offset
	s.Send(`429["recovered"]`)
	recovered = s.Expect(`439["<any>"]`) != nil && again.id == r.id
	return again, recovered
}

// lost expects the session not to be recovered.
func (r *recoverable) lost(t *probe.T) {
	again, recovered := r.rejoin(t)
	t.Check(!recovered && again.pid != r.pid, "the session was recovered")
	again.Send(`421["recovered"]`)
	again.Expect(`431[false]`)
}

// kept expects the session to be recovered.
func (r *recoverable) kept(t *probe.T, missed ...string) *recoverable {
	again, recovered := r.rejoin(t, missed...)
	t.Check(recovered, "the id is %s instead of %s: the session was not recovered", again.id, r.id)
	probe.Equal(t, "pid after the recovery", r.pid, again.pid)
	again.Send(`421["recovered"]`)
	again.Expect(`431[true]`)
	return again
}

// gone ends the connection as a network does, and waits until the server has
// noticed.
func (r *recoverable) gone(t *probe.T) {
	r.Hang()
	t.Wait(t.Quiet / 5)
}

// csrRoom joins a room and takes the answer.
func (r *recoverable) join(name string) {
	r.Call(3, `"join",`+name, `"<n>"`)
}

func recovery() []spec.Case {
	c := &chapter{
		prefix: "S-CR", source: "socket.io documentation, Connection state recovery",
		profiles: []spec.Profile{spec.Recovery, spec.SingleTransport},
		needs:    []spec.Feature{spec.FeatWebSocket, spec.FeatRecovery},
	}
	recoveryOffsets(c)
	recoveryKept(c)
	recoveryLost(c)
	return c.cases
}

// recoveryOffsets: what a server with recovery sends.
func recoveryOffsets(c *chapter) {
	c.must("01", "the private id", "The answer to CONNECT holds sid and pid, which differ.",
		func(t *probe.T) {
			r := newRecoverable(t)
			t.Check(r.id != r.pid && r.pid != r.SID, "pid %q, sid %q, session %q", r.pid, r.id, r.SID)
		})
	c.ref("18", "the length of the private id", "It is as long as a session id.",
		func(t *probe.T) { probe.Equal(t, "length", 20, len(newRecoverable(t).pid)) })
	c.must("02", "offsets", "Every broadcast event carries an offset, a string, as its last argument, each another.",
		func(t *probe.T) {
			r := newRecoverable(t)
			first := r.offset
			r.Event(`"all","x",1`)
			r.event(`"x",1`)
			t.Check(r.offset != first, "the offset %s came twice", first)
		}, alone)
	c.ref("03", "offsets of events to one socket", "An event to one socket carries an offset too.",
		func(t *probe.T) {
			r := newRecoverable(t)
			r.Event(`"message","hi"`)
			r.event(`"message-back","hi"`)
		})
	c.ref("04", "no offset on calls", "An event that asks for an acknowledgement carries no offset.",
		func(t *probe.T) {
			r := newRecoverable(t)
			r.Event(`"emit-with-ack","q"`)
			r.Expect(`42<n>["emit-with-ack","q"]`)
		}, needs(spec.FeatEvents))
	c.ref("05", "offsets of binary events", "A binary event carries its offset behind the placeholders.",
		func(t *probe.T) {
			r := newRecoverable(t)
			r.Event(`"emit-binary"`)
			r.Expect(`452-["bin",`+place(0)+`,{"a":`+place(1)+`},"<offset>"]`, probe.Bin(1, 2, 3), probe.Bin(4))
		}, needs(spec.FeatEvents))
	c.must("17", "a server without recovery", "Without recovery there is neither pid nor offset, whatever the client presents.",
		func(t *probe.T) {
			s := t.SocketIO()
			s.Send(`40{"pid":"a","offset":"b"}`)
			s.Expect(connected, `42["auth",{"pid":"a","offset":"b"}]`)
			s.Answers()
		}, needs(spec.FeatMirror))
}

// recoveryKept: sessions that come back.
func recoveryKept(c *chapter) {
	c.must("06", "missed events", "A client that comes back gets its ids and what it missed, once and in order.",
		func(t *probe.T) {
			q := room(t, "cr06")
			r, other := newRecoverable(t), newRecoverable(t)
			r.join(q)
			r.gone(t)
			other.Event(`"to",` + q + `,"missed",1`)
			other.Event(`"to",` + q + `,"missed",2`)
			other.Event(`"message","sent"`)
			other.event(`"message-back","sent"`)
			r.kept(t, `"missed",1`, `"missed",2`)
		}, needs(spec.FeatRooms, spec.FeatEvents))
	c.must("19", "nothing missed", "A client that missed nothing gets its ids back, and nothing else.",
		func(t *probe.T) {
			r := newRecoverable(t)
			r.gone(t)
			r.kept(t).Silent()
		}, needs(spec.FeatEvents))
	c.must("20", "events of other rooms", "What was sent to rooms that the client was not in is not replayed.",
		func(t *probe.T) {
			r, other := newRecoverable(t), newRecoverable(t)
			q := room(t, "cr20")
			other.join(q)
			r.gone(t)
			other.Event(`"in",` + q + `,"x"`)
			other.event(`"x"`)
			r.kept(t).Silent()
		}, needs(spec.FeatRooms, spec.FeatEvents))
	c.ref("16", "rooms come back", "A recovered socket is in its rooms again.",
		func(t *probe.T) {
			q := room(t, "cr16")
			r, other := newRecoverable(t), newRecoverable(t)
			r.join(q)
			r.gone(t)
			again := r.kept(t)
			other.Event(`"to",` + q + `,"y"`)
			again.event(`"y"`)
		}, needs(spec.FeatRooms, spec.FeatEvents))
	c.must("21", "two outages", "A session can be recovered again after the next outage, with what was missed since.",
		func(t *probe.T) {
			q := room(t, "cr21")
			r, other := newRecoverable(t), newRecoverable(t)
			r.join(q)
			for i := range 2 {
				r.gone(t)
				other.Event(fmt.Sprintf(`"to",%s,"missed",%d`, q, i))
				other.Event(`"message","sent"`)
				other.event(`"message-back","sent"`)
				r = r.kept(t, fmt.Sprintf(`"missed",%d`, i))
			}
		}, needs(spec.FeatRooms, spec.FeatEvents))
	c.must("22", "binary events that were missed", "Missed events are replayed with their attachments.",
		func(t *probe.T) {
			q := room(t, "cr22")
			r, other := newRecoverable(t), newRecoverable(t)
			r.join(q)
			r.gone(t)
			attach(other.Socket, `451-["to",`+q+`,"missed",`+place(0)+`]`, 9)
			other.Event(`"message","sent"`)
			other.event(`"message-back","sent"`)
			s := dialCSR(t, r.payload())
			s.Expect(`451-["missed",`+place(0)+`,"<offset>"]`, probe.Bin(9), `40{"sid":"`+r.id+`","pid":"`+r.pid+`"}`)
		}, needs(spec.FeatRooms), also(spec.Binary))
	c.ref("23", "a hundred missed events", "Many missed events are replayed in their order.",
		func(t *probe.T) {
			q := room(t, "cr23")
			r, other := newRecoverable(t), newRecoverable(t)
			r.join(q)
			r.gone(t)
			var missed []string
			for i := range 100 {
				missed = append(missed, fmt.Sprintf(`"missed",%d`, i))
				other.Event(`"to",` + q + `,` + missed[i])
			}
			other.Event(`"message","sent"`)
			other.event(`"message-back","sent"`)
			r.kept(t, missed...)
		}, needs(spec.FeatRooms, spec.FeatEvents))
	c.ref("24", "recovery over polling", "A session that began over WebSocket is recovered over polling.",
		func(t *probe.T) {
			r := newRecoverable(t)
			r.gone(t)
			p := t.Polling("/sio-csr/")
			p.Send("40" + r.payload())
			caps := p.Expect(`40{"sid":"<id>","pid":"<pid>"}`)
			probe.Equal(t, "the socket's id", r.id, caps["id"])
			probe.Equal(t, "pid", r.pid, caps["pid"])
		}, needs(spec.FeatPolling), in(spec.Recovery, spec.Polling))
	c.ref("25", "recovery of a polling session", "A session whose polling client gave up is recovered over WebSocket, with what it missed.",
		func(t *probe.T) {
			q := room(t, "cr25")
			other := newRecoverable(t)
			p := t.Polling("/sio-csr/")
			p.Send("40")
			caps := p.Expect(`40{"sid":"<id>","pid":"<pid>"}`, `42["auth",{},"<offset>"]`)
			p.Send(`421["join",` + q + `]`)
			p.Expect(`431[2]`)
			poll := p.Poll()
			arrived(t)
			poll.Abort()
			t.Wait(t.Quiet / 5)
			p.Forget()
			other.Event(`"to",` + q + `,"missed"`)
			other.Event(`"message","sent"`)
			other.event(`"message-back","sent"`)
			(&recoverable{id: caps["id"], pid: caps["pid"], offset: caps["offset"]}).kept(t, `"missed"`)
		}, needs(spec.FeatPolling, spec.FeatRooms, spec.FeatEvents), in(spec.Recovery, spec.Polling))
	c.quirk("13", "after a packet that could not be read", "A session that ended with a broken packet is recovered.",
		func(t *probe.T) {
			r := newRecoverable(t)
			r.Send("4abc")
			r.Closed()
			r.kept(t)
		}, needs(spec.FeatEvents))
	c.quirk("14", "a session presented twice", "A session can be recovered a second time while the first recovery is connected.",
		func(t *probe.T) {
			r := newRecoverable(t)
			r.gone(t)
			first, offset := r.kept(t), r.offset
			r.offset = offset
			s := dialCSR(t, r.payload())
			s.Expect(`42["auth",{"pid":"<text>","offset":"<any>"},"<offset>"]`, `40{"sid":"`+first.id+`","pid":"`+r.pid+`"}`)
		}, needs(spec.FeatEvents))
}

// recoveryLost: sessions that don't come back.
func recoveryLost(c *chapter) {
	c.must("07", "an unknown private id", "A private id that the server does not have gives a new session.",
		func(t *probe.T) {
			(&recoverable{pid: "nope", offset: "x"}).lost(t)
		}, needs(spec.FeatEvents))
	c.quirk("08", "no offset", "A private id without an offset gives a new session.",
		func(t *probe.T) {
			r := newRecoverable(t)
			r.gone(t)
			id := dialCSR(t, fmt.Sprintf(`{"pid":%q}`, r.pid)).Expect(`40{"sid":"<id>","pid":"<pid>"}`)["id"]
			t.Check(id != r.id, "the session was recovered")
		})
	c.ref("09", "an unknown offset", "An offset that the server does not have gives a new session.",
		func(t *probe.T) {
			r := newRecoverable(t)
			r.gone(t)
			r.offset = "nope"
			r.lost(t)
		}, needs(spec.FeatEvents))
	c.must("10", "a client that said goodbye", "A session that the client left with DISCONNECT is not recovered.",
		func(t *probe.T) {
			r := newRecoverable(t)
			r.Send("41")
			r.gone(t)
			r.lost(t)
		}, needs(spec.FeatEvents))
	c.ref("11", "a client that the server disconnected", "A session that the server ended is not recovered.",
		func(t *probe.T) {
			r := newRecoverable(t)
			r.Event(`"disconnect-me"`)
			r.Expect("41")
			r.gone(t)
			r.lost(t)
		}, needs(spec.FeatEvents))
	c.quirk("12", "a close packet of Engine.IO", "A session that ended with a close packet over WebSocket is not recovered while its connection lives.",
		func(t *probe.T) {
			r := newRecoverable(t)
			r.Send("1")
			s := dialCSR(t, r.payload())
			id := s.Expect(`40{"sid":"<id>","pid":"<pid>"}`)["id"]
			t.Check(id != r.id, "the session was recovered")
		})
	c.must("15", "too late", "A session is kept for the time that the server was configured with, here two seconds, and no longer.",
		func(t *probe.T) {
			r := newRecoverable(t)
			r.gone(t)
			t.Wait(2*time.Second + t.Slack)
			r.lost(t)
		}, needs(spec.FeatEvents))
	c.must("26", "in time", "A session is still there when most of the time has passed.",
		func(t *probe.T) {
			r := newRecoverable(t)
			r.gone(t)
			t.Wait(time.Second)
			r.kept(t)
		}, needs(spec.FeatEvents))
	c.ref("27", "a session of another namespace", "A session belongs to its namespace: another does not recover it.",
		func(t *probe.T) {
			r := newRecoverable(t)
			r.gone(t)
			s := t.WebSocket("/sio-csr/")
			s.Send("40/custom," + r.payload())
			caps := s.Expect(`40/custom,{"sid":"<id>","pid":"<pid>"}`)
			t.Check(caps["id"] != r.id && !strings.Contains(caps["pid"], r.pid), "the session was recovered in /custom")
		}, needs(spec.FeatCustom))
}
