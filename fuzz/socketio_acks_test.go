package fuzz_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"

	"github.com/siokit/siokit/socketio"
)

// ackStep is a step in a conversation in which the server asks.
type ackStep struct {
	Act int
	ID  int // of the acknowledgement that the client sends
}

const (
	ackAsk    = iota // the server asks
	ackAnswer        // the client answers some id, asked for or not, perhaps once more
	ackEvent         // the client sends an event
	ackLeave         // the client leaves the namespace; nothing is asked after that
	ackActs
)

// ackModel is what must be heard on the server, said simply: each question is
// answered by the first acknowledgement of its id, in turn with the events; those
// that are open when the client leaves fail, in no order.
type ackModel struct {
	asked    int
	answered map[int]bool
	heard    []string
	failed   map[string]bool
	left     bool
}

func (m *ackModel) take(n int, s ackStep) {
	switch {
	case m.left:
	case s.Act == ackAsk:
		m.asked++
	case s.Act == ackAnswer && s.ID < m.asked && !m.answered[s.ID]:
		m.answered[s.ID] = true
		m.heard = append(m.heard, fmt.Sprintf("answer %d: %d", s.ID, n))
	case s.Act == ackEvent:
		m.heard = append(m.heard, fmt.Sprintf("event %d", n))
	case s.Act == ackLeave:
		m.left = true
	}
}

// end is the end of every conversation.
func (m *ackModel) end() {
	for id := range m.asked {
		if !m.answered[id] {
			m.failed[fmt.Sprintf("question %d failed", id)] = true
		}
	}
}

// ackServer asks, and notes what it hears.
type ackServer struct {
	socket *socketio.Socket

	mu    sync.Mutex
	heard []string
	gone  chan struct{}
}

func (a *ackServer) note(text string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.heard = append(a.heard, text)
}

func (a *ackServer) ask(id int) error {
	return a.socket.EmitFunc("question", func(_ context.Context, ack *socketio.Ack, err error) {
		var n int
		switch {
		case errors.Is(err, socketio.ErrDisconnected):
			a.note(fmt.Sprintf("question %d failed", id))
		case err != nil || ack.Bind(&n) != nil:
			a.note(fmt.Sprint("question ", id, ": ", err))
		default:
			a.note(fmt.Sprintf("answer %d: %d", id, n))
		}
	})
}

// Whatever a client answers, in which order, how often, and whenever it leaves:
// each question is answered or fails once, and answers keep their place among the
// events.
func TestSocketIOAcknowledgementsFollowTheModel(t *testing.T) {
	steps := gen.SliceOf(gopter.CombineGens(gen.Weighted([]gen.WeightedGen{
		{Weight: 4, Gen: gen.Const(ackAsk)},
		{Weight: 6, Gen: gen.Const(ackAnswer)},
		{Weight: 3, Gen: gen.Const(ackEvent)},
		{Weight: 1, Gen: gen.IntRange(0, ackActs-1)},
	}), gen.IntRange(0, 5)).Map(func(v []any) ackStep { return ackStep{v[0].(int), v[1].(int)} }))

	check := func(steps []ackStep) (string, error) {
		a := &ackServer{gone: make(chan struct{})}
		srv := socketioServer(t, socketio.Config{})
		joined := make(chan struct{})
		srv.OnConnection(func(_ context.Context, s *socketio.Socket) { a.socket = s; close(joined) })
		srv.OnDisconnect(func(context.Context, *socketio.Socket, *socketio.DisconnectError) { close(a.gone) })
		srv.On("event", func(_ context.Context, ev *socketio.Event) error {
			var n int
			err := ev.Bind(&n)
			a.note(fmt.Sprintf("event %d", n))
			return err
		})
		c := linkTo(t, srv)
		c.send([]byte("0"), false)
		<-joined
		m := ackModel{answered: map[int]bool{}, failed: map[string]bool{}}
		for n, s := range steps {
			if !m.left {
				switch s.Act {
				case ackAsk:
					if err := a.ask(m.asked); err != nil {
						return "", err
					}
				case ackAnswer:
					c.send(fmt.Appendf(nil, "3%d[%d]", s.ID, n), false)
				case ackEvent:
					c.send(fmt.Appendf(nil, `2["event",%d]`, n), false)
				case ackLeave:
					c.send([]byte("1"), false)
				}
			}
			m.take(n, s)
		}
		m.end()
		c.hangUp()
		<-a.gone // the last that is heard
		failed := map[string]bool{}
		var heard []string
		for _, text := range a.heard {
			if strings.HasSuffix(text, "failed") && !failed[text] {
				failed[text] = true
				continue
			}
			heard = append(heard, text)
		}
		return cmp.Diff(m.heard, heard) + cmp.Diff(m.failed, failed), srv.Shutdown(t.Context())
	}
	parameters := gopter.DefaultTestParameters()
	parameters.MinSuccessfulTests = 300
	properties := gopter.NewProperties(parameters)
	properties.Property("each question ends once, in its place", prop.ForAll(func(steps []ackStep) (bool, error) {
		difference, err := check(steps)
		if difference != "" {
			return false, fmt.Errorf("what was heard (-want +got):\n%s", difference)
		}
		return true, err
	}, steps))
	properties.TestingRun(t)
}
