package adapter_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siokit/siokit/socketio/adapter"
	"github.com/siokit/siokit/socketio/adapter/adaptertest"
)

var errDown = errors.New("down")

func TestGather(t *testing.T) {
	a, b := adaptertest.NewSocket("a"), adaptertest.NewSocket("b")
	type gather = adapter.Gather[int]
	for name, tc := range map[string]struct {
		do      func(g *gather)
		want    []int
		missing *adapter.PartialError // Err is compared with errors.Is
		waits   bool                  // until the context ends
	}{
		"nothing is awaited": {do: func(g *gather) {}},
		"sockets answer": {do: func(g *gather) {
			g.Expect([]adapter.Socket{a, b})
			g.Answer(b, 2)
			g.Answer(a, 1)
			g.Answer(a, 3)
		}, want: []int{2, 1}},
		"a socket is lost": {do: func(g *gather) {
			g.Expect([]adapter.Socket{a, b})
			g.Lose(b)
			g.Lose(b)
			g.Answer(a, 1)
		}, want: []int{1}, missing: &adapter.PartialError{Sockets: []string{"b"}, Err: adapter.ErrGone}},
		"a stranger answers": {do: func(g *gather) { g.Answer(a, 1); g.Lose(b) }},
		"a socket is silent": {do: func(g *gather) {
			g.Expect([]adapter.Socket{a, b})
			g.Answer(a, 1)
		}, want: []int{1}, missing: &adapter.PartialError{Sockets: []string{"b"}, Err: errDown}, waits: true},
		"servers answer": {do: func(g *gather) {
			g.ExpectNodes("x", "y")
			g.NodeAnswer("x", 1, 2)
			g.NodeAnswer("y")
			g.NodeAnswer("y", 9)
		}, want: []int{1, 2}},
		"a server is silent": {do: func(g *gather) {
			g.ExpectNodes("y", "x", "z")
			g.NodeAnswer("x", 1)
		}, want: []int{1}, missing: &adapter.PartialError{Nodes: []string{"y", "z"}, Err: errDown}, waits: true},
		"nameless servers answer": {do: func(g *gather) {
			g.ExpectNodes("x")
			g.ExpectMoreNodes(2)
			g.NodeAnswer("", 1)
			g.NodeAnswer("x", 2)
			g.NodeAnswer("", 3)
		}, want: []int{1, 2, 3}},
		"nameless servers count and reply": {do: func(g *gather) {
			g.ExpectMoreNodes(2)
			g.NodeReply("", 1)
			g.NodeCount("", 2)
			g.NodeReply("", 2)
			g.NodeCount("", 0)
		}, want: []int{1, 2}},
		"a nameless server and a socket of one are silent": {do: func(g *gather) {
			g.ExpectMoreNodes(2)
			g.NodeCount("", 2)
			g.NodeReply("", 1)
		}, want: []int{1}, missing: &adapter.PartialError{MoreNodes: 1, MoreSockets: 1, Err: errDown}, waits: true},
		"a server counts and replies": {do: func(g *gather) {
			g.ExpectNodes("x")
			g.NodeCount("x", 2)
			g.NodeCount("x", 5)
			g.NodeReply("x", 1)
			g.NodeReply("x", 2)
			g.NodeReply("x", 3)
		}, want: []int{1, 2}},
		"replies overtake the count": {do: func(g *gather) {
			g.ExpectNodes("x")
			g.NodeReply("x", 1)
			g.NodeReply("x", 2)
			g.NodeCount("x", 2)
		}, want: []int{1, 2}},
		"a server's socket is lost": {do: func(g *gather) {
			g.ExpectNodes("x")
			g.NodeCount("x", 2)
			g.NodeLose("x", "far")
			g.NodeReply("x", 1)
		}, want: []int{1}, missing: &adapter.PartialError{Sockets: []string{"far"}, Err: adapter.ErrGone}},
		"a server's socket is silent": {do: func(g *gather) {
			g.ExpectNodes("x")
			g.NodeCount("x", 3)
			g.NodeReply("x", 1)
		}, want: []int{1}, missing: &adapter.PartialError{Nodes: []string{"x"}, MoreSockets: 2, Err: errDown}, waits: true},
		"a server says goodbye": {do: func(g *gather) {
			g.ExpectNodes("x", "y")
			g.NodeLeft("x", nil)
			g.NodeLeft("stranger", errDown)
			g.NodeAnswer("y", 1)
		}, want: []int{1}},
		"a server leaves with its sockets": {do: func(g *gather) {
			g.ExpectNodes("x")
			g.NodeCount("x", 2)
			g.NodeReply("x", 1)
			g.NodeLeft("x", nil)
		}, want: []int{1}, missing: &adapter.PartialError{MoreSockets: 1, Err: adapter.ErrGone}},
		"a server is given up": {do: func(g *gather) {
			g.ExpectNodes("x", "y")
			g.NodeLeft("x", errDown)
			g.NodeLeft("x", errDown)
			g.NodeAnswer("y")
			g.NodeLeft("y", errDown)
		}, missing: &adapter.PartialError{Nodes: []string{"x"}, Err: errDown}},
		"servers without names": {do: func(g *gather) {
			g.ExpectMoreNodes(3)
			g.NodeAnswer("x", 1)
			g.NodeAnswer("x", 2)
			g.NodeLeft("", errDown)
			g.NodeAnswer("z", 3)
		}, want: []int{1, 3}, missing: &adapter.PartialError{MoreNodes: 1, Err: errDown}},
		"a server without a name is silent": {do: func(g *gather) {
			g.ExpectMoreNodes(2)
			g.NodeAnswer("x", 1)
		}, want: []int{1}, missing: &adapter.PartialError{MoreNodes: 1, Err: errDown}, waits: true},
		"a new server counts": {do: func(g *gather) {
			g.NodeCount("new", 1)
			g.NodeReply("new", 1)
		}, want: []int{1}},
		"closed": {do: func(g *gather) {
			g.ExpectNodes("x")
			g.Expect([]adapter.Socket{a})
			g.Close(errDown)
			g.Close(nil)
		}, missing: &adapter.PartialError{Nodes: []string{"x"}, Sockets: []string{"a"}, Err: errDown}},
	} {
		t.Run(name, func(t *testing.T) {
			g := adapter.NewGather[int]()
			tc.do(g)
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			if tc.waits {
				cancel(errDown)
			}
			var got []int
			var last error
			for v, err := range g.All(ctx) {
				if last = err; err == nil {
					got = append(got, v)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("answers (-want +got):\n%s", diff)
			}
			if tc.missing == nil {
				if last != nil {
					t.Errorf("error %v", last)
				}
				return
			}
			var partial *adapter.PartialError
			if !errors.As(last, &partial) || !errors.Is(last, tc.missing.Err) {
				t.Fatalf("error %v, want a PartialError: %v", last, tc.missing.Err)
			}
			p := *partial
			p.Err, tc.missing.Err = nil, nil
			if len(p.Nodes) == 0 {
				p.Nodes = nil
			}
			if len(p.Sockets) == 0 {
				p.Sockets = nil
			}
			if diff := cmp.Diff(*tc.missing, p); diff != "" {
				t.Errorf("missing (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPartialErrorText(t *testing.T) {
	for want, err := range map[string]*adapter.PartialError{
		"adapter: no answer from 2 servers (x, y): down":                 {Nodes: []string{"x", "y"}, Err: errDown},
		"adapter: no answer from 3 servers (x, 2 more): down":            {Nodes: []string{"x"}, MoreNodes: 2, Err: errDown},
		"adapter: no answer from 1 servers (x) and 3 sockets: down":      {Nodes: []string{"x"}, Sockets: []string{"a"}, MoreSockets: 2, Err: errDown},
		"adapter: no answer from 1 sockets: adapter: the socket is gone": {Sockets: []string{"a"}, Err: adapter.ErrGone},
	} {
		if got := err.Error(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
