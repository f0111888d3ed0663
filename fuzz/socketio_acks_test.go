package fuzz_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/commands"
	"github.com/leanovate/gopter/gen"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/socketio"
)

// ackOp is a step in a conversation in which the server asks. Each takes a
// millisecond, so that no two deadlines meet.
type ackOp struct {
	Kind     int
	Question int // which one is answered, or no longer waited for, among those asked
	Limit    int // how long the server waits
	Value    int // in the answer
}

const (
	ackFunc     = iota // the server asks, by EmitFunc
	ackWait            // it asks, by EmitWithAck
	ackHandler         // a handler asks, by EmitWithAck
	ackBroken          // it asks with an argument that can't be encoded
	ackAnswer          // the client answers a question, perhaps once more, or too late
	ackUnknown         // it answers what was never asked
	ackEvent           // it sends an event
	ackGiveUp          // one who waits goes away
	ackPass            // seconds pass
	ackLeave           // the client leaves the namespace
	ackHangUp          // it is cut off
	ackEject           // the server takes it out of the namespace
	ackShutDoor        // the server closes the connection
)

// ackWeights make a conversation have much of what there is, and a late end.
var ackWeights = [...]int{ackFunc: 8, ackWait: 8, ackHandler: 4, ackBroken: 1, ackAnswer: 20, ackUnknown: 2,
	ackEvent: 6, ackGiveUp: 3, ackPass: 6, ackLeave: 1, ackHangUp: 1, ackEject: 1, ackShutDoor: 1}

// ackLimits are the ways to bound the waiting; the one by context is for those who
// wait.
var ackLimits = [...]struct {
	name  string
	limit time.Duration
}{{"timeout", 3 * time.Second}, {"context", 10 * time.Second}, {"default", 8 * time.Second}}

func ackOps() gopter.Gen {
	var kinds []any
	for kind, weight := range ackWeights {
		for range weight {
			kinds = append(kinds, kind)
		}
	}
	return gopter.CombineGens(gen.OneConstOf(kinds...), gen.IntRange(0, 7), gen.IntRange(0, len(ackLimits)-1), gen.IntRange(1, 9)).
		Map(func(v []any) commands.Command {
			return &ackOp{Kind: v[0].(int), Question: v[1].(int), Limit: v[2].(int), Value: v[3].(int)}
		})
}

func (op *ackOp) String() string {
	name := [...]string{"ask by EmitFunc", "ask by EmitWithAck", "ask in a handler", "ask what can't be", "answer", "answer what was not asked",
		"event", "give up", "pass", "leave", "hang up", "eject", "shut the door"}[op.Kind]
	return fmt.Sprintf("%s(%d, %s, %d)", name, op.Question, ackLimits[op.Limit].name, op.Value)
}

// ackView is what can be seen of a conversation.
type ackView struct {
	Heard []string // by handlers and by callbacks, in turn
	Ends  []string // what became of each question, for those who wait; "" if they still do
}

// ackModel is what must be heard on the server, said simply: each question is
// answered by the first acknowledgement of its id, or fails at its deadline, or when
// the client goes. Callbacks and events wait for a handler that waits; answers don't.
type ackModel struct {
	ackView
	now       time.Duration
	questions []ackQuestion
	handler   int      // the question that a handler waits for; -1: none
	behind    []string // what waits for the handler
	over      bool
}

type ackQuestion struct {
	kind     int
	deadline time.Duration
	open     bool
}

func (op *ackOp) NextState(state commands.State) commands.State {
	m := state.(ackModel)
	m.Heard, m.Ends = slices.Clone(m.Heard), slices.Clone(m.Ends)
	m.questions, m.behind = slices.Clone(m.questions), slices.Clone(m.behind)
	switch op.Kind {
	case ackFunc, ackWait, ackHandler, ackBroken:
		m.ask(op)
	case ackAnswer:
		if i, ok := op.which(len(m.questions)); ok && !m.over {
			m.end(i, fmt.Sprint("answer ", op.Value))
		}
	case ackEvent:
		if !m.over {
			m.hear(fmt.Sprint("event ", op.Value))
		}
	case ackGiveUp:
		if i, ok := op.which(len(m.questions)); ok && m.questions[i].kind != ackFunc {
			m.end(i, "given up")
		}
	case ackPass:
		m.pass(time.Duration(op.Value) * time.Second)
	case ackLeave, ackHangUp, ackEject, ackShutDoor:
		m.leave()
	}
	m.now += time.Millisecond
	return m
}

// which is the question that is meant: one of the last.
func (op *ackOp) which(asked int) (int, bool) { return asked - 1 - op.Question, op.Question < asked }

// limit is how long the waiting may take.
func (op *ackOp) limit() time.Duration {
	if op.Kind == ackFunc && ackLimits[op.Limit].name == "context" {
		return ackLimits[0].limit
	}
	return ackLimits[op.Limit].limit
}

func (m *ackModel) ask(op *ackOp) {
	number := len(m.questions)
	switch {
	case op.Kind == ackHandler && (m.over || m.handler >= 0):
		return
	case m.over:
		m.Ends = append(m.Ends, "disconnected")
	case op.Kind == ackBroken:
		m.Ends = append(m.Ends, "argument")
	default:
		m.Ends = append(m.Ends, "")
	}
	if op.Kind == ackHandler {
		m.handler = number
	}
	m.questions = append(m.questions, ackQuestion{op.Kind, m.now + op.limit(), m.Ends[number] == ""})
}

// end is the end of a question that is still open.
func (m *ackModel) end(i int, how string) {
	if !m.questions[i].open {
		return
	}
	m.questions[i].open = false
	switch m.questions[i].kind {
	case ackFunc:
		m.hear(fmt.Sprint(i, ": ", how))
	case ackHandler:
		m.handler = -1
		m.Heard = append(append(m.Heard, fmt.Sprint(i, " in a handler: ", how)), m.behind...)
		m.behind = nil
	default:
		m.Ends[i] = how
	}
}

func (m *ackModel) hear(text string) {
	if m.handler >= 0 {
		m.behind = append(m.behind, text)
	} else {
		m.Heard = append(m.Heard, text)
	}
}

func (m *ackModel) pass(d time.Duration) {
	m.now += d
	var late []int
	for i, q := range m.questions {
		if q.open && q.deadline < m.now {
			late = append(late, i)
		}
	}
	slices.SortFunc(late, func(a, b int) int { return int(m.questions[a].deadline - m.questions[b].deadline) })
	for _, i := range late {
		m.end(i, "timeout")
	}
}

func (m *ackModel) leave() {
	if m.over {
		return
	}
	m.over = true
	if m.handler >= 0 {
		m.end(m.handler, "disconnected")
	}
	for i := range m.questions {
		m.end(i, "disconnected")
	}
	m.hear("the end")
}

func (op *ackOp) PreCondition(commands.State) bool { return true }

func (op *ackOp) PostCondition(state commands.State, result commands.Result) *gopter.PropResult {
	want, got := state.(ackModel).ackView, result.(ackView)
	want.sort()
	got.sort()
	if diff := cmp.Diff(want, got, cmp.Comparer(slices.Equal[[]string])); diff != "" {
		return &gopter.PropResult{Status: gopter.PropFalse, Labels: []string{fmt.Sprintf("after %v (-want +got):\n%s", op, diff)}}
	}
	return &gopter.PropResult{Status: gopter.PropTrue}
}

// sort sorts the callbacks that are told of the end: they are so in no order.
func (v *ackView) sort() {
	failed := func(text string) bool {
		return strings.HasSuffix(text, ": disconnected") && !strings.Contains(text, "handler")
	}
	v.Heard = slices.Clone(v.Heard)
	if from := slices.IndexFunc(v.Heard, failed); from >= 0 {
		to := from
		for to < len(v.Heard) && failed(v.Heard[to]) {
			to++
		}
		slices.Sort(v.Heard[from:to])
	}
}

// ackRun is the system under test.
type ackRun struct {
	srv    *socketio.Server
	socket *socketio.Socket
	client *socketioLink
	buffer []byte // of what the client sends, again and again

	mu      sync.Mutex
	heard   []func() string      // as ackView.Heard: what is kept must stay as it was
	ends    []func() string      // as ackView.Ends
	cancels []context.CancelFunc // of those who wait, by question
	busy    bool                 // a handler waits
	asks    *ackOp               // what it asks
}

func newAckRun(t *testing.T) *ackRun {
	r := &ackRun{}
	config := socketio.Config{AckTimeout: ackLimits[2].limit}
	config.EngineConfig = engineio.Config{PingInterval: time.Hour} // which no conversation takes
	r.srv = socketioServer(t, config)
	r.srv.OnConnection(func(_ context.Context, s *socketio.Socket) { r.socket = s })
	r.srv.OnDisconnect(func(context.Context, *socketio.Socket, *socketio.DisconnectError) { r.hear("the end") })
	r.srv.On("event", func(_ context.Context, ev *socketio.Event) error {
		var value int
		err := ev.Bind(&value)
		r.hear("event ", value)
		return err
	})
	r.srv.On("ask", func(ctx context.Context, ev *socketio.Event) error {
		var number int
		err := ev.Bind(&number)
		end := r.wait(ctx, r.asks, number)
		r.mu.Lock()
		r.busy = false
		r.mu.Unlock()
		r.hear(number, " in a handler: ", end)
		return err
	})
	r.client = linkTo(t, r.srv)
	r.send("0")
	synctest.Wait()
	return r
}

func (r *ackRun) stop() {
	r.client.hangUp()
	_ = r.srv.Shutdown(context.Background())
}

func (r *ackRun) hear(parts ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.heard = append(r.heard, func() string { return fmt.Sprint(parts...) })
}

func (r *ackRun) send(format string, values ...any) {
	r.buffer = fmt.Appendf(r.buffer[:0], format, values...)
	r.client.send(r.buffer, false)
}

func (op *ackOp) Run(sut commands.SystemUnderTest) commands.Result {
	r := sut.(*ackRun)
	op.run(r)
	synctest.Wait()
	<-time.After(time.Millisecond)
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	var view ackView
	for _, text := range r.heard {
		view.Heard = append(view.Heard, text())
	}
	for _, text := range r.ends {
		view.Ends = append(view.Ends, text())
	}
	return view
}

func (op *ackOp) run(r *ackRun) {
	r.mu.Lock()
	asked, busy := len(r.ends), r.busy
	r.mu.Unlock()
	over := !r.socket.Connected()
	switch op.Kind {
	case ackFunc, ackWait, ackBroken:
		r.ask(op, r.begin())
	case ackHandler:
		if !over && !busy {
			number := r.begin()
			r.busy, r.asks = true, op
			r.send(`2["ask",%d]`, number)
		}
	case ackAnswer:
		if i, ok := op.which(asked); ok {
			if id := r.client.idOf(i); id != "" {
				r.send("3%s[%d]", id, op.Value)
			}
		}
	case ackUnknown:
		r.send("3%d[%d]", 1_000_000+op.Question, op.Value)
	case ackEvent:
		r.send(`2["event",%d]`, op.Value)
	case ackGiveUp:
		if i, ok := op.which(asked); ok {
			r.cancels[i]()
		}
	case ackPass:
		<-time.After(time.Duration(op.Value) * time.Second)
	case ackLeave:
		r.send("1")
	case ackHangUp:
		r.client.hangUp()
	case ackEject:
		r.socket.Disconnect(false)
	case ackShutDoor:
		r.socket.Disconnect(true)
	}
}

// begin returns the number of a new question.
func (r *ackRun) begin() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ends = append(r.ends, func() string { return "" })
	r.cancels = append(r.cancels, func() {})
	return len(r.ends) - 1
}

func (r *ackRun) end(number int, how ackEnd) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ends[number] = how.String
}

func (r *ackRun) ask(op *ackOp, number int) {
	switch op.Kind {
	case ackFunc:
		of := r.socket.Compress(true)
		if ackLimits[op.Limit].name != "default" {
			of = of.Timeout(op.limit())
		}
		if err := of.EmitFunc("question", func(_ context.Context, ack *socketio.Ack, err error) {
			r.hear(number, ": ", ackEnd{ack, err})
		}, number); err != nil {
			r.end(number, ackEnd{nil, err})
		}
	case ackBroken:
		_, err := r.socket.EmitWithAck(context.Background(), "question", number, func() {})
		r.end(number, ackEnd{nil, err})
	default:
		go func() { r.end(number, r.wait(context.Background(), op, number)) }()
	}
}

// wait asks and returns the end of it.
func (r *ackRun) wait(ctx context.Context, op *ackOp, number int) ackEnd {
	ctx, cancel := context.WithCancel(ctx)
	r.mu.Lock()
	r.cancels[number] = cancel
	r.mu.Unlock()
	of := r.socket.Compress(true)
	switch ackLimits[op.Limit].name {
	case "timeout":
		of = of.Timeout(op.limit())
	case "context":
		ctx, cancel = context.WithTimeout(ctx, op.limit())
		defer cancel()
	}
	ack, err := of.EmitWithAck(ctx, "question", number)
	return ackEnd{ack, err}
}

// ackEnd is what became of a question.
type ackEnd struct {
	ack *socketio.Ack
	err error
}

func (e ackEnd) String() string {
	var value int
	var argument *socketio.ArgumentError
	err := e.err
	if err == nil {
		err = e.ack.Bind(&value)
	}
	switch {
	case err == nil:
		return fmt.Sprint("answer ", value)
	case errors.Is(err, socketio.ErrDisconnected):
		return "disconnected"
	case errors.Is(err, socketio.ErrAckTimeout):
		return "timeout"
	case errors.Is(err, context.Canceled):
		return "given up"
	case errors.As(err, &argument):
		return "argument"
	}
	return err.Error()
}

// idOf is the id by which the client was asked a question; empty if it was not.
func (l *socketioLink) idOf(number int) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, message := range l.received {
		if id, ok := strings.CutSuffix(message, fmt.Sprintf(`["question",%d]`, number)); ok {
			return strings.TrimPrefix(id, "2")
		}
	}
	return ""
}

// Whatever a client answers, in which order, how often, how late, and whenever it
// leaves: each question is answered or fails once, answers keep their place among the
// events, and no answer waits for a handler.
func TestSocketIOAcknowledgementsFollowTheModel(t *testing.T) {
	properties := properties(t, 300, 60) // outside: the bubble's clock always says the same
	synctest.Test(t, func(t *testing.T) {
		properties.Property("each question ends once, in its place", commands.Prop(&commands.ProtoCommands{
			NewSystemUnderTestFunc:     func(commands.State) commands.SystemUnderTest { return newAckRun(t) },
			DestroySystemUnderTestFunc: func(sut commands.SystemUnderTest) { sut.(*ackRun).stop() },
			InitialStateGen:            gen.Const(ackModel{handler: -1}),
			GenCommandFunc:             func(commands.State) gopter.Gen { return ackOps() },
		}))
		properties.TestingRun(t)
	})
}
