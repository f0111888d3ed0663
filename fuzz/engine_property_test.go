package fuzz_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/commands"
	"github.com/leanovate/gopter/gen"

	"github.com/siokit/siokit/engineio"
)

// engineRun is a session and its client: the system under test.
type engineRun struct {
	e    *engine
	s    *engineio.Session
	sid  string
	ws   *websocket.Conn // nil while the session is on polling
	sent int             // by the server
	read int             // of those, by the client
	up   int             // sent by the client
}

// engineModel is what the session must be like. Messages are numbered, so the
// numbers that are due say everything.
type engineModel struct {
	onWS, over bool
	pending    int // sent by the server, not read by the client
}

// engineStep is a command: what it does to the model, when it may run, and
// what it does to the session, where an error is a failure.
type engineStep struct {
	name string
	may  func(engineModel) bool
	next func(engineModel) engineModel
	run  func(*engineRun) error
}

func (c *engineStep) Run(sut commands.SystemUnderTest) commands.Result {
	return c.run(sut.(*engineRun))
}
func (c *engineStep) NextState(s commands.State) commands.State { return c.next(s.(engineModel)) }
func (c *engineStep) PreCondition(s commands.State) bool        { return c.may(s.(engineModel)) }
func (c *engineStep) String() string                            { return c.name }
func (c *engineStep) PostCondition(_ commands.State, r commands.Result) *gopter.PropResult {
	if err, ok := r.(error); ok && err != nil {
		return &gopter.PropResult{Status: gopter.PropFalse, Labels: []string{c.name + ": " + err.Error()}}
	}
	return &gopter.PropResult{Status: gopter.PropTrue}
}

var engineSteps = []engineStep{
	{"send", func(m engineModel) bool { return !m.over }, func(m engineModel) engineModel { m.pending++; return m }, func(r *engineRun) error {
		err := r.s.Send(engineio.Text(fmt.Sprint(r.sent)))
		r.sent++
		return err
	}},
	{"poll", func(m engineModel) bool { return !m.over && !m.onWS && m.pending > 0 }, func(m engineModel) engineModel { m.pending = 0; return m }, func(r *engineRun) error {
		_, body, err := r.e.request("GET", "EIO=4&transport=polling&sid="+r.sid, "")
		if err != nil {
			return err
		}
		for p := range strings.SplitSeq(body, "\x1e") {
			if err := r.expect(p); err != nil {
				return err
			}
		}
		return r.caughtUp()
	}},
	{"post", func(m engineModel) bool { return !m.over && !m.onWS }, func(m engineModel) engineModel { return m }, func(r *engineRun) error {
		if _, body, err := r.e.request("POST", "EIO=4&transport=polling&sid="+r.sid, fmt.Sprintf("4%d\x1e4%d", r.up, r.up+1)); err != nil || body != "ok" {
			return fmt.Errorf("%q %v", body, err)
		}
		return r.arrived(2)
	}},
	{"give up an upgrade", func(m engineModel) bool { return !m.over && !m.onWS }, func(m engineModel) engineModel { return m }, func(r *engineRun) error {
		c, err := r.probe()
		if err != nil {
			return err
		}
		return c.Close()
	}},
	{"upgrade", func(m engineModel) bool { return !m.over && !m.onWS }, func(m engineModel) engineModel { m.onWS = true; return m }, func(r *engineRun) error {
		c, err := r.probe()
		if err != nil {
			return err
		}
		r.ws = c
		return c.WriteMessage(websocket.TextMessage, []byte("5"))
	}},
	{"speak over WebSocket", func(m engineModel) bool { return !m.over && m.onWS }, func(m engineModel) engineModel { return m }, func(r *engineRun) error {
		for i := range 3 {
			if err := r.ws.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, "4%d", r.up+i)); err != nil {
				return err
			}
		}
		return r.arrived(3)
	}},
	{"listen over WebSocket", func(m engineModel) bool { return !m.over && m.onWS && m.pending > 0 }, func(m engineModel) engineModel { m.pending = 0; return m }, func(r *engineRun) error {
		for r.read < r.sent {
			_, b, err := r.ws.ReadMessage()
			if err != nil {
				return err
			}
			if err := r.expect(string(b)); err != nil {
				return err
			}
		}
		return nil
	}},
	{"drop", func(m engineModel) bool { return !m.over }, func(m engineModel) engineModel { m.over = true; return m }, func(r *engineRun) error {
		if r.ws != nil {
			_ = r.ws.Close()
		} else if _, _, err := r.e.request("POST", "EIO=4&transport=polling&sid="+r.sid, "1"); err != nil {
			return err
		}
		select {
		case <-r.s.Context().Done():
			return nil
		case <-time.After(10 * time.Second):
			return fmt.Errorf("the session lives on")
		}
	}},
	{"use a session that is over", func(m engineModel) bool { return m.over }, func(m engineModel) engineModel { return m }, func(r *engineRun) error {
		if err := r.s.Send(engineio.Text("late")); err != engineio.ErrClosed {
			return fmt.Errorf("Send: %v", err)
		}
		if code, _, err := r.e.request("GET", "EIO=4&transport=polling&sid="+r.sid, ""); err != nil || code != 400 {
			return fmt.Errorf("%d %v", code, err)
		}
		return nil
	}},
}

// probe opens a candidate and has it answered. A second one may come while the
// server has not noticed the end of the first.
func (r *engineRun) probe() (*websocket.Conn, error) {
	var err error
	for range 100 {
		var c *websocket.Conn
		if c, err = r.e.candidate(r.sid); err != nil {
			return nil, err
		}
		if err = c.WriteMessage(websocket.TextMessage, []byte("2probe")); err == nil {
			var b []byte
			if _, b, err = c.ReadMessage(); err == nil && string(b) == "3probe" {
				return c, nil
			}
		}
		_ = c.Close()
	}
	return nil, fmt.Errorf("no answer to the probe: %v", err)
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
		case <-time.After(10 * time.Second):
			return fmt.Errorf("message %d never came", r.up)
		}
	}
	return nil
}

// TestEngineSessions: whatever a client does, in whatever order, nothing is
// lost, doubled or reordered, and every session ends once (startEngine counts).
func TestEngineSessions(t *testing.T) {
	e := startEngine(t, engineio.Config{}, make(chan string, 64))
	params := gopter.DefaultTestParameters()
	params.MinSuccessfulTests, params.MaxSize = 60, 40
	properties := gopter.NewProperties(params)
	steps := make([]any, len(engineSteps))
	for i, c := range engineSteps {
		steps[i] = &c
	}
	properties.Property("a session keeps its promises", commands.Prop(&commands.ProtoCommands{
		NewSystemUnderTestFunc: func(commands.State) commands.SystemUnderTest {
			sid, err := e.handshake()
			if err != nil {
				t.Fatal(err)
			}
			s, ok := e.srv.Session(sid)
			if !ok {
				t.Fatal("no session")
			}
			return &engineRun{e: e, s: s, sid: sid}
		},
		DestroySystemUnderTestFunc: func(sut commands.SystemUnderTest) {
			r := sut.(*engineRun)
			if r.ws != nil {
				_ = r.ws.Close()
			}
			r.s.Discard()
		},
		InitialStateGen: gen.Const(engineModel{}),
		GenCommandFunc: func(commands.State) gopter.Gen {
			return gen.OneConstOf(steps...)
		},
	}))
	properties.TestingRun(t)
}
