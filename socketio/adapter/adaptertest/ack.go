package adaptertest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio/adapter"
)

var ackChecks = []check{
	{name: "AckAll", needs: has[adapter.AckBroadcaster], run: testAckAll},
	{name: "AckNobody", needs: has[adapter.AckBroadcaster], run: testAckNobody},
	{name: "AckAsTheyArrive", needs: has[adapter.AckBroadcaster], run: testAckAsTheyArrive},
	{name: "AckSilent", needs: has[adapter.AckBroadcaster], run: testAckSilent},
	{name: "AckGone", needs: has[adapter.AckBroadcaster], run: testAckGone},
	{name: "AckLeftLoop", needs: has[adapter.AckBroadcaster], run: testAckLeftLoop},
	{name: "AckInvalidPacket", needs: has[adapter.AckBroadcaster], run: testAckInvalidPacket},
}

// answer lets a socket acknowledge the next packet that asks for it with a JSON
// array, in a goroutine of the test's.
func (f *fixture) answer(t testing.TB, s *placed, args string, attachments ...[]byte) {
	t.Helper()
	a, err := sioparser.ParseArgs([]byte(args), attachments)
	if err != nil {
		t.Fatal(err)
	}
	f.react(t, s, func(id uint64) { s.Reply(id, a) })
}

// react calls do with the id of the next packet that asks s for an
// acknowledgement. The goroutine ends then, or with the test.
func (f *fixture) react(t testing.TB, s *placed, do func(id uint64)) {
	ctx, cancel := context.WithTimeout(context.Background(), f.within)
	seen := len(s.Received())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			changed := s.Changed()
			for _, p := range s.Received()[seen:] {
				seen++
				if p.HasID {
					do(p.ID)
					return
				}
			}
			select {
			case <-changed:
			case <-ctx.Done():
				return
			}
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
}

// reply is a Reply as a test compares it.
type reply struct {
	Args        string
	Attachments [][]byte
}

// collect ranges over replies to the end.
func collectReplies(seq iter.Seq2[adapter.Reply, error]) (list []reply, err error) {
	for r, e := range seq {
		if e != nil {
			err = errors.Join(err, e)
			continue
		}
		list = append(list, reply{string(r.Args.AppendArray(nil)), slices.Clone(r.Args.Attachments())})
	}
	slices.SortFunc(list, func(a, b reply) int {
		switch {
		case a.Args < b.Args:
			return -1
		case a.Args > b.Args:
			return 1
		}
		return 0
	})
	return list, err
}

func (f *fixture) ask(ctx context.Context, t testing.TB, from int, sel adapter.Selection) iter.Seq2[adapter.Reply, error] {
	t.Helper()
	return f.adapters[from].(adapter.AckBroadcaster).BroadcastAck(ctx, event(t, "ask", `["q"]`), sel)
}

func nothingAwaited(t testing.TB, f *fixture) {
	t.Helper()
	for _, s := range f.sockets {
		f.until(t, fmt.Sprintf("socket %s is not waited for any more", s.id), func() bool { return s.Awaited() == 0 })
	}
}

func testAckAll(t testing.TB, f *fixture) {
	a := f.socket(t, 0, "a", "red")
	b := f.socket(t, 0, "b", "red", "blue")
	c := f.socket(t, 0, "c")
	f.answer(t, a, `["from a"]`)
	f.answer(t, b, `[{"_placeholder":true,"num":0}]`, []byte("from b"))

	got, err := collectReplies(f.ask(f.soon(t), t, 0, rooms("red", "blue")))
	if err != nil {
		t.Errorf("error: %v", err)
	}
	want := []reply{{`["from a"]`, nil}, {`[{"_placeholder":true,"num":0}]`, [][]byte{[]byte("from b")}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("replies (-want +got):\n%s", diff)
	}
	f.settle(t)
	a.got(t, "a is in red", "ask")
	b.got(t, "b is in red and blue", "ask")
	c.got(t, "c is in neither")

	f.answer(t, c, `[]`)
	got, err = collectReplies(f.ask(f.soon(t), t, 0, except(rooms(), "red")))
	if err != nil || len(got) != 1 || got[0].Args != "[]" {
		t.Errorf("an empty acknowledgement of one socket: %v, %v", got, err)
	}
	nothingAwaited(t, f)
}

func testAckNobody(t testing.TB, f *fixture) {
	f.socket(t, 0, "a")
	for _, sel := range []adapter.Selection{rooms("nobody"), except(rooms("a"), "a")} {
		if got, err := collectReplies(f.ask(f.soon(t), t, 0, sel)); len(got) != 0 || err != nil {
			t.Errorf("asking nobody: %v, %v", got, err)
		}
	}
}

func testAckAsTheyArrive(t testing.TB, f *fixture) {
	a := f.socket(t, 0, "a")
	b := f.socket(t, 0, "b")
	f.answer(t, a, `["first"]`)
	n := 0
	for r, err := range f.ask(f.soon(t), t, 0, rooms()) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 1 {
			// b answers only now: the first reply was not held back for it.
			if got := string(r.Args.Raw()); got != `"first"` {
				t.Errorf("first reply: %s", got)
			}
			if r.Socket != "" && r.Socket != "a" {
				t.Errorf("first reply is of socket %s", r.Socket)
			}
			args, _ := sioparser.ParseArgs([]byte(`["second"]`), nil)
			f.until(t, "b is asked", func() bool {
				asked := b.Received()
				return len(asked) == 1 && b.Reply(asked[0].ID, args)
			})
		}
	}
	if n != 2 {
		t.Errorf("%d replies, want 2", n)
	}
}

func testAckSilent(t testing.TB, f *fixture) {
	a := f.socket(t, 0, "a")
	b := f.socket(t, 0, "b")
	f.answer(t, a, `["a"]`)
	ctx, cancel := context.WithCancelCause(f.soon(t))
	enough := errors.New("enough")
	var got []string
	var last error
	for r, err := range f.ask(ctx, t, 0, rooms()) {
		if last != nil {
			t.Error("something came after the error")
		}
		if last = err; err == nil {
			got = append(got, string(r.Args.Raw()))
			cancel(enough)
		}
	}
	cancel(nil)
	if diff := cmp.Diff([]string{`"a"`}, got); diff != "" {
		t.Errorf("replies (-want +got):\n%s", diff)
	}
	var partial *adapter.PartialError
	if !errors.As(last, &partial) || !errors.Is(last, enough) || len(partial.Sockets)+partial.MoreSockets != 1 {
		t.Errorf("error %v, want a PartialError for one socket and the context's cause", last)
	} else if len(partial.Sockets) == 1 && partial.Sockets[0] != "b" {
		t.Errorf("missing sockets %q, want b", partial.Sockets)
	}
	nothingAwaited(t, f)
	for _, p := range b.Received() {
		if p.HasID && b.Reply(p.ID, sioparser.Args{}) {
			t.Error("a late acknowledgement was still awaited")
		}
	}
}

func testAckGone(t testing.TB, f *fixture) {
	a := f.socket(t, 0, "a")
	b := f.socket(t, 0, "b")
	gone := f.socket(t, 0, "gone")
	gone.Go()
	f.answer(t, a, `["a"]`)
	f.react(t, b, func(uint64) { b.Go() })
	got, err := collectReplies(f.ask(f.soon(t), t, 0, rooms()))
	if len(got) != 1 || got[0].Args != `["a"]` {
		t.Errorf("replies %v, want that of a", got)
	}
	var partial *adapter.PartialError
	if !errors.As(err, &partial) || !errors.Is(err, adapter.ErrGone) || len(partial.Sockets)+partial.MoreSockets != 2 {
		t.Errorf("error %v, want a PartialError for two sockets that are gone", err)
	}
}

func testAckLeftLoop(t testing.TB, f *fixture) {
	a := f.socket(t, 0, "a")
	f.socket(t, 0, "b")
	f.answer(t, a, `["a"]`)
	for range f.ask(f.soon(t), t, 0, rooms()) {
		break
	}
	nothingAwaited(t, f)
}

func testAckInvalidPacket(t testing.TB, f *fixture) {
	f.socket(t, 0, "a")
	seq := f.adapters[0].(adapter.AckBroadcaster).BroadcastAck(f.soon(t), event(t, "disconnect", "[]"), rooms())
	if got, err := collectReplies(seq); err == nil || len(got) > 0 {
		t.Errorf("a packet that can't be encoded: %v, %v", got, err)
	}
}
