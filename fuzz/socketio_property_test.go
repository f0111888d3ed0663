package fuzz_test

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"

	"github.com/siokit/siokit/socketio"
)

// socketioStep is one packet of a client.
type socketioStep struct {
	Namespace int // 0: "/", else "/1", "/2"
	Act       int // connect, disconnect, event, event with acknowledgement, an answer nobody waits for
}

const (
	stepConnect = iota
	stepDisconnect
	stepEvent
	stepCall
	stepAnswer
	socketioActs
)

func (s socketioStep) prefix(kind int) string {
	if s.Namespace == 0 {
		return fmt.Sprint(kind)
	}
	return fmt.Sprintf("%d/%d,", kind, s.Namespace)
}

// socketioModel is what a connection must do, said once more and simply: three
// namespaces, each joined or not; a packet that does not fit ends everything.
type socketioModel struct {
	joined [3]bool
	closed bool
	want   [3][]string // by namespace: between namespaces there is no order
}

// take returns the packet and notes what must come back.
func (m *socketioModel) take(n int, s socketioStep) string {
	in := &m.joined[s.Namespace]
	if s.Act == stepConnect && *in || s.Act != stepConnect && !*in {
		m.closed = true
	}
	expect := func(text string) {
		if !m.closed {
			m.want[s.Namespace] = append(m.want[s.Namespace], text)
		}
	}
	switch s.Act {
	case stepConnect:
		*in = true
		expect(s.prefix(0) + `{"sid":"*"}`)
		expect(s.prefix(2) + `["hello"]`)
		return s.prefix(0)
	case stepDisconnect:
		*in = false
		return s.prefix(1)
	case stepEvent:
		expect(fmt.Sprintf(`%s["echo",%d]`, s.prefix(2), n))
		return fmt.Sprintf(`%s["echo",%d]`, s.prefix(2), n)
	case stepCall:
		expect(fmt.Sprintf(`%s%d[%d]`, s.prefix(3), n, n))
		return fmt.Sprintf(`%s%d["call",%d]`, s.prefix(2), n, n)
	default:
		return fmt.Sprintf(`%s%d[]`, s.prefix(3), n)
	}
}

var socketioID = regexp.MustCompile(`"sid":"[\w-]{20}"`)

// What a client that sends packets of any kind in any order gets back, and
// whether its connection ends, is what the model says; each handler sees its
// packets in order.
func TestSocketIOConnectionFollowsTheModel(t *testing.T) {
	srv := socketioServer(t, socketio.Config{})
	for _, name := range []string{"/", "/1", "/2"} {
		n := srv.Of(name)
		n.OnConnection(func(_ context.Context, s *socketio.Socket) { _ = s.Emit("hello") })
		n.On("echo", func(_ context.Context, ev *socketio.Event) error { return ev.Socket().Emit("echo", ev.Args()) })
		n.On("call", func(_ context.Context, ev *socketio.Event) error { return ev.Ack(ev.Args()) })
	}
	steps := gen.SliceOf(gopter.CombineGens(gen.IntRange(0, 2), gen.Weighted([]gen.WeightedGen{
		{Weight: 3, Gen: gen.IntRange(0, socketioActs-1)},
		{Weight: 5, Gen: gen.IntRange(stepEvent, stepCall)},
	})).Map(func(v []any) socketioStep { return socketioStep{v[0].(int), v[1].(int)} }))

	check := func(steps []socketioStep) string {
		var m socketioModel
		c := linkTo(t, srv)
		defer c.hangUp()
		for n, s := range steps {
			// Leaving drops what its handlers would have sent: wait for that first.
			if s.Act == stepDisconnect && !m.closed {
				c.awaitAll(t, &m)
			}
			packet := m.take(n, s)
			if m.closed {
				c.awaitAll(t, &m) // and so does the end
			}
			c.send([]byte(packet), false)
			if m.closed {
				<-c.served
				break
			}
		}
		c.awaitAll(t, &m)
		return cmp.Diff(m.want, c.byNamespace())
	}
	parameters := gopter.DefaultTestParameters()
	parameters.MinSuccessfulTests = 300
	properties := gopter.NewProperties(parameters)
	properties.Property("a connection follows the model", prop.ForAll(func(steps []socketioStep) string { return check(steps) }, steps))
	properties.TestingRun(t)
}

// awaitAll waits until as much has arrived as the model expects.
func (l *socketioLink) awaitAll(t *testing.T, m *socketioModel) {
	t.Helper()
	want := len(m.want[0]) + len(m.want[1]) + len(m.want[2])
	l.wait(t, func(received []string) bool { return len(received) >= want })
}

func (l *socketioLink) byNamespace() (got [3][]string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, message := range l.received {
		n := 0
		for i := 1; i <= 2; i++ {
			if strings.HasPrefix(message[1:], fmt.Sprintf("/%d,", i)) {
				n = i
			}
		}
		got[n] = append(got[n], socketioID.ReplaceAllString(message, `"sid":"*"`))
	}
	return got
}
