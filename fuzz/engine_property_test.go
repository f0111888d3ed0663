package fuzz_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/commands"
	"github.com/leanovate/gopter/gen"

	"github.com/siokit/siokit/engineio"
)

// engineRun is a session and its client: the system under test.
type engineRun struct {
	e         *engine
	s         *engineio.Session
	sid       string
	ws        *websocket.Conn // nil while the session is on polling
	candidate *websocket.Conn // probed, and not upgraded to
	sent      int             // by the server
	read      int             // of those, by the client
	up        int             // sent by the client
}

// engineModel is what the session must be like. Messages are numbered, so the
// numbers that are due say everything.
type engineModel struct {
	begun, probing, onWS, over bool

	pending int           // sent by the server, not read by the client
	idle    time.Duration // since the last heartbeat, as far as steps let time pass
}

func (m engineModel) open() bool    { return m.begun && !m.over }
func (m engineModel) polling() bool { return m.open() && !m.onWS }

// engineStep is a command: when it may run, what it does to the model, and
// what it does to the session, where an error is a failure.
type engineStep struct {
	name string
	may  func(engineModel) bool
	next func(*engineModel)
	run  func(*engineRun) error
}

func (c *engineStep) Run(sut commands.SystemUnderTest) commands.Result {
	return c.run(sut.(*engineRun))
}

func (c *engineStep) NextState(s commands.State) commands.State {
	m := s.(engineModel)
	c.next(&m)
	return m
}
func (c *engineStep) PreCondition(s commands.State) bool { return c.may(s.(engineModel)) }
func (c *engineStep) String() string                     { return c.name }
func (c *engineStep) PostCondition(_ commands.State, r commands.Result) *gopter.PropResult {
	if err, ok := r.(error); ok && err != nil {
		return &gopter.PropResult{Status: gopter.PropFalse, Labels: []string{c.name + ": " + err.Error()}}
	}
	return &gopter.PropResult{Status: gopter.PropTrue}
}

func nothing(*engineModel) {}
func ends(m *engineModel)  { m.over, m.probing = true, false }

// pause is how long an idle client waits. Several pauses are shorter than the
// time between two pings, so that only the steps for them meet a ping.
const pause = 3 * time.Second

var engineSteps = []engineStep{
	{"handshake", func(m engineModel) bool { return !m.begun }, func(m *engineModel) { m.begun = true }, (*engineRun).handshake},
	{"send", engineModel.open, func(m *engineModel) { m.pending++ }, func(r *engineRun) error {
		err := r.s.Send(engineio.Text(fmt.Sprint(r.sent)))
		r.sent++
		return err
	}},
	{"poll", func(m engineModel) bool { return m.polling() && m.pending > 0 }, func(m *engineModel) { m.pending = 0 }, func(r *engineRun) error {
		return r.poll("")
	}},
	{"post", engineModel.polling, nothing, func(r *engineRun) error {
		if err := r.post(fmt.Sprintf("4%d\x1e4%d", r.up, r.up+1)); err != nil {
			return err
		}
		return r.arrived(2)
	}},
	{"probe", func(m engineModel) bool { return m.polling() && !m.probing }, func(m *engineModel) { m.probing = true }, func(r *engineRun) (err error) {
		r.candidate, err = r.probe()
		return err
	}},
	{"leave the probe", func(m engineModel) bool { return m.probing }, func(m *engineModel) { m.probing = false }, func(r *engineRun) error {
		err := r.candidate.Close()
		synctest.Wait() // the server has noticed
		return err
	}},
	{"forget the probe", func(m engineModel) bool { return m.probing && m.idle < 4*pause }, func(m *engineModel) { m.probing, m.idle = false, m.idle+4*pause }, func(r *engineRun) error {
		<-time.After(4 * pause) // Config.UpgradeTimeout is 10 s
		if _, b, err := r.candidate.ReadMessage(); err == nil {
			return fmt.Errorf("a candidate that was given up reads %q", b)
		}
		return r.candidate.Close()
	}},
	{"upgrade", func(m engineModel) bool { return m.probing }, func(m *engineModel) { m.probing, m.onWS = false, true }, func(r *engineRun) error {
		r.ws, r.candidate = r.candidate, nil
		return r.ws.WriteMessage(websocket.TextMessage, []byte("5"))
	}},
	{"speak over WebSocket", func(m engineModel) bool { return m.open() && m.onWS }, nothing, func(r *engineRun) error {
		for i := range 3 {
			if err := r.ws.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, "4%d", r.up+i)); err != nil {
				return err
			}
		}
		return r.arrived(3)
	}},
	{"listen over WebSocket", func(m engineModel) bool { return m.open() && m.onWS && m.pending > 0 }, func(m *engineModel) { m.pending = 0 }, func(r *engineRun) error {
		return r.listen("")
	}},
	{"pause", func(m engineModel) bool { return m.open() && !m.probing && m.idle < 5*pause }, func(m *engineModel) { m.idle += pause }, func(r *engineRun) error {
		<-time.After(pause)
		return nil
	}},
	{"heartbeat", func(m engineModel) bool { return m.open() && !m.probing }, func(m *engineModel) { m.idle, m.pending = 0, 0 }, func(r *engineRun) error {
		if r.ws != nil {
			return errors.Join(r.listen("2"), r.ws.WriteMessage(websocket.TextMessage, []byte("3")))
		}
		return errors.Join(r.poll("2"), r.post("3"))
	}},
	{"say nothing for too long", func(m engineModel) bool { return m.open() && !m.probing }, ends, func(r *engineRun) error {
		if r.ws != nil { // a pipe holds nothing: the ping has to be read
			if err := r.listen("2"); err != nil {
				return err
			}
		}
		<-time.After(46 * time.Second) // 25 s until a ping, 20 s for its answer
		return r.ended(engineio.PingTimeout)
	}},
	{"ping the server", func(m engineModel) bool { return m.open() && m.onWS }, ends, func(r *engineRun) error {
		if err := r.ws.WriteMessage(websocket.TextMessage, []byte("2")); err != nil {
			return err
		}
		return r.ended(engineio.TransportError)
	}},
	{"close", func(m engineModel) bool { return m.open() && !m.probing }, ends, func(r *engineRun) error {
		r.s.Close()
		if r.ws == nil {
			return errors.Join(r.poll("1"), r.ended(engineio.ForcedClose))
		}
		if err := r.listen(""); err != nil {
			return err
		}
		_, b, err := r.ws.ReadMessage()
		if string(b) == "6" { // the upgrade packet and Close met: it was for the poll
			_, b, err = r.ws.ReadMessage()
		}
		if !websocket.IsCloseError(err, websocket.CloseNoStatusReceived) {
			return fmt.Errorf("instead of the end came %q, %v", b, err)
		}
		return r.ended(engineio.ForcedClose)
	}},
	{"drop", engineModel.open, ends, func(r *engineRun) error {
		if r.ws != nil {
			_ = r.ws.Close()
			// A write that was under way may fail before the reader sees the end.
			return r.ended(engineio.TransportClose, engineio.TransportError)
		}
		return errors.Join(r.post("1"), r.ended(engineio.TransportClose))
	}},
	{"use a session that is over", func(m engineModel) bool { return m.over }, nothing, func(r *engineRun) error {
		if err := r.s.Send(engineio.Text("late")); err != engineio.ErrClosed {
			return fmt.Errorf("Send: %v", err)
		}
		if code, _, err := r.e.request("GET", "EIO=4&transport=polling&sid="+r.sid, ""); err != nil || code != 400 {
			return fmt.Errorf("%d %v", code, err)
		}
		return nil
	}},
}

func (r *engineRun) handshake() (err error) {
	if r.sid, err = r.e.handshake(); err != nil {
		return err
	}
	s, ok := r.e.srv.Session(r.sid)
	if !ok {
		return errors.New("no session")
	}
	r.s = s
	return nil
}

// poll reads what is due, and then last, which may be empty.
func (r *engineRun) poll(last string) error {
	for {
		code, body, err := r.e.request("GET", "EIO=4&transport=polling&sid="+r.sid, "")
		if err != nil || code != 200 {
			return fmt.Errorf("poll: %d %q %v", code, body, err)
		}
		packets := strings.Split(body, "\x1e")
		done := last == ""
		if n := len(packets) - 1; packets[n] == last {
			packets, done = packets[:n], true
		}
		for _, p := range packets {
			if err := r.expect(p); err != nil {
				return err
			}
		}
		if done {
			return r.caughtUp()
		}
	}
}

func (r *engineRun) post(body string) error {
	if code, got, err := r.e.request("POST", "EIO=4&transport=polling&sid="+r.sid, body); err != nil || got != "ok" {
		return fmt.Errorf("post: %d %q %v", code, got, err)
	}
	return nil
}

// listen reads what is due over WebSocket, and then last, which may be empty.
func (r *engineRun) listen(last string) error {
	for r.read < r.sent || last != "" {
		_, b, err := r.ws.ReadMessage()
		if err != nil {
			return err
		}
		if last != "" && string(b) == last {
			return r.caughtUp()
		}
		if err := r.expect(string(b)); err != nil {
			return err
		}
	}
	return nil
}

// probe opens a candidate and has it answered.
func (r *engineRun) probe() (*websocket.Conn, error) {
	c, err := r.e.candidate(r.sid)
	if err != nil {
		return nil, err
	}
	if err := c.WriteMessage(websocket.TextMessage, []byte("2probe")); err != nil {
		return nil, err
	}
	if _, b, err := c.ReadMessage(); err != nil || string(b) != "3probe" {
		return nil, fmt.Errorf("the probe's answer is %q, %v", b, err)
	}
	return c, nil
}

// expect checks a packet from the server.
func (r *engineRun) expect(p string) error {
	if p == "6" {
		return nil
	}
	if want := fmt.Sprintf("4%d", r.read); p != want {
		return fmt.Errorf("got %q, want %q", p, want)
	}
	r.read++
	return nil
}

func (r *engineRun) caughtUp() error {
	if r.read != r.sent {
		return fmt.Errorf("%d of %d messages came", r.read, r.sent)
	}
	return nil
}

// arrived checks that the client's next n messages reached the handler.
func (r *engineRun) arrived(n int) error {
	for range n {
		select {
		case m := <-r.e.got:
			if want := fmt.Sprintf("false:%d", r.up); m != want {
				return fmt.Errorf("the server got %q, want %q", m, want)
			}
			r.up++
		case <-time.After(time.Second):
			return fmt.Errorf("message %d never came", r.up)
		}
	}
	return nil
}

// ended checks that the session has ended, and for one of the reasons.
func (r *engineRun) ended(want ...engineio.Reason) error {
	ctx := r.s.Context()
	select {
	case <-ctx.Done():
	case <-time.After(time.Second):
		return errors.New("the session lives on")
	}
	var why *engineio.DisconnectError
	if !errors.As(context.Cause(ctx), &why) || !slices.Contains(want, why.Reason) {
		return fmt.Errorf("it ended with %v, want %q", why, want)
	}
	return nil
}

func (r *engineRun) stop() {
	for _, c := range []*websocket.Conn{r.ws, r.candidate} {
		if c != nil {
			_ = c.Close()
		}
	}
	if r.s != nil {
		r.s.Discard()
	}
}

// TestEngineSessions: whatever a client does, in whatever order, and however
// long it waits, nothing is lost, doubled or reordered, and every session ends
// once (startPipedEngine counts).
func TestEngineSessions(t *testing.T) {
	params := gopter.DefaultTestParameters() // outside: the bubble's clock always says the same
	params.MinSuccessfulTests, params.MaxSize = 150, 60
	steps := make([]any, len(engineSteps))
	for i := range engineSteps {
		steps[i] = &engineSteps[i]
	}
	synctest.Test(t, func(t *testing.T) {
		e := startPipedEngine(t, engineio.Config{}, make(chan string, 64))
		properties := gopter.NewProperties(params)
		properties.Property("a session keeps its promises", commands.Prop(&commands.ProtoCommands{
			NewSystemUnderTestFunc: func(commands.State) commands.SystemUnderTest { return &engineRun{e: e} },
			DestroySystemUnderTestFunc: func(sut commands.SystemUnderTest) {
				sut.(*engineRun).stop()
			},
			InitialStateGen: gen.Const(engineModel{}),
			GenCommandFunc: func(s commands.State) gopter.Gen {
				return gen.OneConstOf(steps...).SuchThat(func(c commands.Command) bool { return c.PreCondition(s) })
			},
		}))
		properties.TestingRun(t)
	})
}

// FuzzEngineLife lets the fuzzer choose the steps: each byte is the next one,
// among those that are possible then.
func FuzzEngineLife(f *testing.F) {
	f.Add([]byte("\x00\x01\x02\x03\x04\x07\x08\x09\x0b\x0e\x10"))
	f.Add([]byte("\x00\x04\x05\x04\x06\x01\x0a\x0b\x0c\x10"))
	f.Fuzz(func(t *testing.T, choices []byte) {
		synctest.Test(t, func(t *testing.T) {
			r := &engineRun{e: startPipedEngine(t, engineio.Config{}, make(chan string, 64))}
			defer r.stop()
			var m engineModel
			var done []string
			for _, b := range choices[:min(len(choices), 100)] {
				c := &engineSteps[int(b)%len(engineSteps)]
				if !c.may(m) {
					continue
				}
				done = append(done, c.name)
				if err := c.run(r); err != nil {
					t.Fatalf("%s: %v", strings.Join(done, ", "), err)
				}
				c.next(&m)
			}
		})
	})
}
