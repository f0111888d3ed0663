package adaptertest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio/adapter"
)

var clusterChecks = []check{
	{name: "Cluster/Broadcast", servers: 2, run: testClusterBroadcast},
	{name: "Cluster/LocalOnly", servers: 2, run: testClusterLocalOnly},
	{name: "Cluster/PacketIntact", servers: 2, run: testClusterPacketIntact},
	{name: "Cluster/Flags", servers: 2, run: testClusterFlags},
	{name: "Cluster/Order", servers: 2, run: testClusterOrder},
	{name: "Cluster/Namespaces", servers: 2, run: testClusterNamespaces},
	{name: "Cluster/Ack", servers: 2, needs: has[adapter.AckBroadcaster], run: testClusterAck},
	{name: "Cluster/AckSilentSocket", servers: 2, needs: has[adapter.AckBroadcaster], run: testClusterAckSilent},
	{name: "Cluster/AckForgotten", servers: 2, needs: has[adapter.AckBroadcaster], run: testClusterAckForgotten},
	{name: "Cluster/Fetch", servers: 2, needs: has[adapter.Fetcher], run: testClusterFetch},
	{name: "Cluster/Move", servers: 2, needs: has[adapter.Mover], run: testClusterMove},
	{name: "Cluster/Disconnect", servers: 2, needs: has[adapter.Mover], run: testClusterDisconnect},
	{name: "Cluster/ServerEmit", servers: 2, needs: has[adapter.ServerEmitter], run: testClusterServerEmit},
	{name: "Cluster/ServerEmitAck", servers: 2, needs: has[adapter.ServerEmitter], run: testClusterServerEmitAck},
	{name: "Cluster/ServerEmitSilent", servers: 2, needs: has[adapter.ServerEmitter], run: testClusterServerEmitSilent},
	{name: "Cluster/Leave", servers: 2, needs: has[adapter.Counter], run: testClusterLeave},
	{name: "Cluster/Dead", servers: 3, kills: true, needs: has[adapter.ServerEmitter], run: testClusterDead},
}

// last is the number of the last server: what goes from 0 to last goes over the
// bus, and what goes to all of three or more has somebody in between.
func (f *fixture) last() int { return max(f.cluster.Servers, 1) - 1 }

func testClusterBroadcast(t testing.TB, f *fixture) {
	var both, red []*placed
	for i := range f.adapters {
		both = append(both, f.socket(t, i, fmt.Sprint("both", i), "red", "blue"))
		red = append(red, f.socket(t, i, fmt.Sprint("red", i), "red"))
	}
	for from := range f.adapters {
		f.emit(t, from, rooms("red"), "to-red")
		f.emit(t, from, rooms("red", "blue"), "to-both")
		f.emit(t, from, except(rooms(), "blue"), "not-blue")
		f.emit(t, from, except(rooms("blue"), fmt.Sprint("both", f.last())), "not-the-last")
		f.emit(t, from, rooms("nobody"), "to-nobody")
		f.emit(t, from, rooms("both0"), "to-one")
		f.settle(t)
		for i := range f.adapters {
			want := []string{"to-red", "to-both"}
			red[i].got(t, fmt.Sprint("from server ", from), append(slices.Clone(want), "not-blue")...)
			if i != f.last() {
				want = append(want, "not-the-last")
			}
			if i == 0 {
				want = append(want, "to-one")
			}
			both[i].got(t, fmt.Sprint("from server ", from), want...)
		}
	}
}

func testClusterLocalOnly(t testing.TB, f *fixture) {
	here := f.socket(t, 0, "here", "red")
	there := f.socket(t, f.last(), "there", "red")
	f.emit(t, 0, adapter.Selection{Rooms: []string{"red"}, Flags: adapter.LocalOnly}, "local")
	f.emit(t, 0, adapter.Selection{Flags: adapter.LocalOnly}, "local-everyone")
	if m, ok := f.adapters[0].(adapter.Mover); ok {
		if err := m.JoinAll(adapter.Selection{Flags: adapter.LocalOnly}, "green"); err != nil {
			t.Errorf("JoinAll: %v", err)
		}
	}
	f.emit(t, 0, rooms("green"), "to-green")
	f.settle(t)
	here.got(t, "on the server that sends", "local", "local-everyone", "to-green")
	there.got(t, "on another server")

	local := adapter.Selection{Flags: adapter.LocalOnly}
	if ft, ok := f.adapters[0].(adapter.Fetcher); ok {
		list, err := collectSockets(ft.Fetch(f.soon(t), local))
		if err != nil || len(list) != 1 || list[0].ID != "here" {
			t.Errorf("local Fetch: %v, %v", list, err)
		}
	}
	if has[adapter.AckBroadcaster](f.adapters[0]) {
		f.answer(t, here, `["here"]`)
		if got, err := collectReplies(f.ask(f.soon(t), t, 0, local)); err != nil || len(got) != 1 {
			t.Errorf("local BroadcastAck: %v, %v", got, err)
		}
	}
}

func testClusterPacketIntact(t testing.TB, f *fixture) {
	s := f.socket(t, f.last(), "s", "red")
	blob, empty := []byte{0, 1, 2, 0xff, 0x0a, '"'}, []byte{}
	packets := []*sioparser.Packet{
		event(t, "näme \"q\" \u2028", `[1,"two é\n",{"three":[null,true,-0.5]},9007199254740993,[]]`),
		event(t, "binary", `[{"a":{"_placeholder":true,"num":1}},"x",{"_placeholder":true,"num":0}]`, blob, empty),
		event(t, "none", `[]`),
		event(t, "alike", `[{"_placeholder":true,"num":0}]`),
		event(t, "", `[{"b":1,"a":2,"":3}]`),
	}
	var want []Packet
	for _, p := range packets {
		w := PacketOf(p)
		w.Namespace = f.servers[0].namespace
		want = append(want, w)
		if err := f.adapters[0].Broadcast(p, rooms("red")); err != nil {
			t.Errorf("Broadcast of %s: %v", w.Name, err)
		}
		scribble(p)
	}
	f.settle(t)
	var got []Packet
	for _, p := range s.news() {
		got = append(got, canonical(t, f.withoutOffset(t, p)))
	}
	for i := range want {
		want[i] = canonical(t, want[i])
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("packets on another server (-want +got):\n%s", diff)
	}
}

// canonical replaces placeholders, whose numbers are the adapter's choice, by
// what they stand for.
func canonical(t testing.TB, p Packet) Packet {
	t.Helper()
	args, err := sioparser.ParseArgs([]byte(p.Args), p.Attachments)
	if err != nil {
		t.Fatalf("arguments %s with %d attachments: %v", p.Args, len(p.Attachments), err)
	}
	raw, text, end := args.Raw(), "", 0
	for ph := range args.Placeholders() {
		text += string(raw[end:ph.Start]) + fmt.Sprintf("<%x>", p.Attachments[ph.Num])
		end = ph.End
	}
	p.Args, p.Attachments = "["+text+string(raw[end:])+"]", nil
	return p
}

func testClusterFlags(t testing.TB, f *fixture) {
	s := f.socket(t, f.last(), "s")
	all := []adapter.Flags{0, adapter.Volatile, adapter.NoCompress, adapter.Volatile | adapter.NoCompress}
	for _, flags := range all {
		f.emit(t, 0, adapter.Selection{Flags: flags}, "flags")
	}
	f.settle(t)
	var got []adapter.Flags
	for _, p := range s.news() {
		got = append(got, p.Flags)
	}
	if diff := cmp.Diff(all, got); diff != "" {
		t.Errorf("flags that reached a socket on another server (-want +got):\n%s", diff)
	}
}

func testClusterOrder(t testing.TB, f *fixture) {
	s := f.socket(t, f.last(), "s", "red")
	var want []string
	for i := range 500 {
		name := fmt.Sprint("n", i)
		sel := rooms("red")
		if i%3 == 0 {
			sel = rooms()
		}
		f.emit(t, 0, sel, name)
		want = append(want, name)
	}
	f.settle(t)
	s.got(t, "order of what one goroutine has sent on another server", want...)
}

func testClusterNamespaces(t testing.TB, f *fixture) {
	a := f.socket(t, f.last(), "a", "red")
	var others []*placed
	for i, nsp := range []string{"/other", "/test#red", "/"} {
		on := f.addServer(t, nsp)
		others = append(others, f.socket(t, on, fmt.Sprint("other", i), "red"))
		f.emit(t, on, rooms("red"), "from-elsewhere")
	}
	f.emit(t, 0, rooms("red"), "x")
	f.settle(t)
	a.got(t, "another namespace", "x")
	for _, s := range others {
		s.got(t, "another namespace", "from-elsewhere")
	}
}

func testClusterAck(t testing.TB, f *fixture) {
	var want []reply
	for i := range f.adapters {
		s := f.socket(t, i, fmt.Sprint("s", i), "red")
		f.answer(t, s, fmt.Sprintf(`[{"from":%d,"b":{"_placeholder":true,"num":0}}]`, i), []byte{byte(i)})
		want = append(want, reply{fmt.Sprintf(`[{"from":%d,"b":<%02x>}]`, i, i), nil})
	}
	silent := f.socket(t, f.last(), "not-asked")
	var got []reply
	nodes := map[string]bool{}
	for r, err := range f.ask(f.soon(t), t, 0, rooms("red")) {
		if err != nil {
			t.Errorf("BroadcastAck: %v", err)
			continue
		}
		p := canonical(t, Packet{Args: string(r.Args.AppendArray(nil)), Attachments: r.Args.Attachments()})
		got = append(got, reply{Args: p.Args})
		nodes[r.Node] = true
	}
	slices.SortFunc(got, func(a, b reply) int {
		if a.Args < b.Args {
			return -1
		}
		return 1
	})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("replies (-want +got):\n%s", diff)
	}
	if len(nodes) != len(f.adapters) || !nodes[""] {
		t.Errorf("replies name the servers %v, want %d and the empty one for this", nodes, len(f.adapters))
	}
	f.settle(t)
	silent.got(t, "not in red")
	nothingAwaited(t, f)
	// A server without sockets in the room answers too.
	only := f.socket(t, f.last(), "only", "green")
	f.answer(t, only, `[]`)
	if got, err := collectReplies(f.ask(f.soon(t), t, 0, rooms("green"))); err != nil || len(got) != 1 {
		t.Errorf("asking one socket of another server: %v, %v", got, err)
	}
	if got, err := collectReplies(f.ask(f.soon(t), t, 0, rooms("nobody"))); err != nil || len(got) != 0 {
		t.Errorf("asking nobody: %v, %v", got, err)
	}
}

func testClusterAckSilent(t testing.TB, f *fixture) {
	a := f.socket(t, f.last(), "a")
	f.socket(t, f.last(), "silent")
	f.answer(t, a, `["a"]`)
	ctx, cancel := context.WithCancelCause(f.soon(t))
	defer cancel(nil)
	enough := errors.New("enough")
	replies := 0
	var last error
	for _, err := range f.ask(ctx, t, 0, rooms()) {
		if last = err; err == nil {
			replies++
			cancel(enough)
		}
	}
	var partial *adapter.PartialError
	if replies != 1 || !errors.As(last, &partial) || !errors.Is(last, enough) {
		t.Fatalf("%d replies and error %v, want one and a PartialError with the context's cause", replies, last)
	}
	if len(partial.Nodes)+partial.MoreNodes == 0 {
		t.Errorf("no server is missing, want the one whose socket is silent")
	}
}

// The server whose socket is silent forgets it when the asking one's deadline has
// passed.
func testClusterAckForgotten(t testing.TB, f *fixture) {
	s := f.socket(t, f.last(), "silent")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := collectReplies(f.ask(ctx, t, 0, rooms()))
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want the deadline", err)
	}
	f.settle(t)
	s.got(t, "asked", "ask")
	nothingAwaited(t, f)
}

func testClusterFetch(t testing.TB, f *fixture) {
	var want []info
	for i := range f.adapters {
		id := fmt.Sprint("s", i)
		f.socket(t, i, id, "red", fmt.Sprint("room", i))
		w := info{ID: id, Rooms: []string{"red", fmt.Sprint("room", i), id}, Local: i == 0}
		if i > 0 {
			w.Handshake, w.Data = `{"query":{"of":"`+id+`"}}`, `{"name":"`+id+`"}`
		}
		want = append(want, w)
	}
	f.socket(t, f.last(), "not-in-red")
	gone := f.socket(t, f.last(), "gone", "red")
	gone.Go()
	if diff := cmp.Diff(want, f.fetch(t, 0, rooms("red"))); diff != "" {
		t.Errorf("sockets in red (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want[:1], f.fetch(t, 0, except(rooms("s0", "s1"), "room1"))); diff != "" {
		t.Errorf("sockets not in room1 (-want +got):\n%s", diff)
	}
	nodes := map[string]bool{}
	for s, err := range f.adapters[0].(adapter.Fetcher).Fetch(f.soon(t), rooms("red")) {
		if err != nil {
			t.Fatal(err)
		}
		nodes[s.Node] = true
	}
	if len(nodes) != len(f.adapters) || !nodes[""] {
		t.Errorf("sockets name the servers %v, want %d and the empty one for this", nodes, len(f.adapters))
	}
}

func testClusterMove(t testing.TB, f *fixture) {
	a := f.socket(t, 0, "a", "red")
	b := f.socket(t, f.last(), "b", "red")
	c := f.socket(t, f.last(), "c")
	m := f.adapters[0].(adapter.Mover)
	if err := m.JoinAll(rooms("red"), "green", "blue"); err != nil {
		t.Errorf("JoinAll: %v", err)
	}
	if err := m.LeaveAll(except(rooms(), "a"), "blue"); err != nil {
		t.Errorf("LeaveAll: %v", err)
	}
	f.emit(t, 0, rooms("green"), "to-green")
	f.emit(t, 0, rooms("blue"), "to-blue")
	f.settle(t)
	a.got(t, "a has joined green and blue", "to-green", "to-blue")
	b.got(t, "b has joined green", "to-green")
	c.got(t, "c was not in red")
	if err := m.JoinAll(rooms("c"), "one"); err != nil {
		t.Errorf("JoinAll: %v", err)
	}
	f.emit(t, 0, rooms("one"), "to-one")
	f.settle(t)
	c.got(t, "c alone has joined", "to-one")
	a.got(t, "a has not joined")
}

func testClusterDisconnect(t testing.TB, f *fixture) {
	for i := range f.adapters {
		f.socket(t, i, fmt.Sprint("red", i), "red")
		f.socket(t, i, fmt.Sprint("blue", i), "red", "blue")
	}
	if err := f.adapters[0].(adapter.Mover).DisconnectAll(except(rooms("red"), "blue"), true); err != nil {
		t.Errorf("DisconnectAll: %v", err)
	}
	if err := f.adapters[0].(adapter.Mover).DisconnectAll(rooms(fmt.Sprint("blue", f.last())), false); err != nil {
		t.Errorf("DisconnectAll: %v", err)
	}
	f.settle(t)
	for i, sv := range f.servers {
		want := []Disconnection{{fmt.Sprint("red", i), true}}
		if i == f.last() {
			want = []Disconnection{{fmt.Sprint("blue", i), false}, want[0]}
		}
		if diff := cmp.Diff(want, sv.Disconnected()); diff != "" {
			t.Errorf("disconnected on server %d (-want +got):\n%s", i, diff)
		}
	}
}

func testClusterServerEmit(t testing.TB, f *fixture) {
	blob := []byte{1, 2, 3}
	p := event(t, "hello", `[1,{"b":{"_placeholder":true,"num":0}}]`, blob)
	if err := f.adapters[0].(adapter.ServerEmitter).ServerEmit(p); err != nil {
		t.Fatal(err)
	}
	scribble(p)
	want := Packet{Name: "hello", Args: `[1,{"b":<010203>}]`}
	for i, sv := range f.servers[1:] {
		f.until(t, fmt.Sprintf("server %d has the event", i+1), func() bool { return len(sv.Events()) == 1 })
		got := canonical(t, sv.Events()[0])
		got.Namespace = ""
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("event on server %d (-want +got):\n%s", i+1, diff)
		}
	}
	f.settle(t)
	if n := len(f.servers[0].Events()); n != 0 {
		t.Errorf("the server that emits has received %d of its own events", n)
	}
}

func testClusterServerEmitAck(t testing.TB, f *fixture) {
	for i, sv := range f.servers {
		sv.OnEvent = func(p *sioparser.Packet, reply func(sioparser.Args)) {
			args, err := sioparser.ParseArgs(fmt.Appendf(nil, `["server %d"]`, i), nil)
			if err != nil {
				t.Errorf("arguments: %v", err)
			}
			reply(args)
			reply(args) // once is enough
		}
	}
	got, err := collectReplies(f.adapters[0].(adapter.ServerEmitter).ServerEmitAck(f.soon(t), event(t, "who", "[]")))
	var want []reply
	for i := range f.servers[1:] {
		want = append(want, reply{Args: fmt.Sprintf(`["server %d"]`, i+1)})
	}
	if err != nil {
		t.Errorf("ServerEmitAck: %v", err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("replies (-want +got):\n%s", diff)
	}
}

func testClusterServerEmitSilent(t testing.TB, f *fixture) {
	// No server has a handler, so none answers.
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	got, err := collectReplies(f.adapters[0].(adapter.ServerEmitter).ServerEmitAck(ctx, event(t, "who", "[]")))
	var partial *adapter.PartialError
	if len(got) > 0 || !errors.As(err, &partial) || !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("%d replies and error %v, want a PartialError with the deadline", len(got), err)
	}
	if n := len(partial.Nodes) + partial.MoreNodes; n != len(f.servers)-1 {
		t.Errorf("%d servers are missing, want %d", n, len(f.servers)-1)
	}
}

func testClusterLeave(t testing.TB, f *fixture) {
	n := f.cluster.Servers
	if err := f.adapters[f.last()].Close(f.soon(t)); err != nil {
		t.Errorf("Close: %v", err)
	}
	f.converge(t, n-1)
	if em, ok := f.adapters[0].(adapter.ServerEmitter); ok {
		for _, sv := range f.servers {
			sv.OnEvent = func(_ *sioparser.Packet, reply func(sioparser.Args)) { reply(sioparser.Args{}) }
		}
		got, err := collectReplies(em.ServerEmitAck(f.soon(t), event(t, "who", "[]")))
		if err != nil || len(got) != n-2 {
			t.Errorf("asking those that are left: %d replies, %v, want %d", len(got), err, n-2)
		}
	}
	f.addServer(t, "/test")
	c := f.adapters[0].(adapter.Counter)
	f.until(t, "the first server knows of a new one", func() bool {
		got, err := c.Servers(t.Context())
		return err == nil && got == n
	})
}

func testClusterDead(t testing.TB, f *fixture) {
	alive := f.socket(t, 1, "alive", "red")
	f.socket(t, 2, "dead", "red")
	f.cluster.Kill(f.adapters[2])
	f.sockets = f.sockets[:1]

	for _, sv := range f.servers {
		sv.OnEvent = func(_ *sioparser.Packet, reply func(sioparser.Args)) { reply(sioparser.Args{}) }
	}
	missing := func(what string, n int, err error) {
		t.Helper()
		var partial *adapter.PartialError
		if n != 1 || !errors.As(err, &partial) || len(partial.Nodes)+partial.MoreNodes != 1 {
			t.Errorf("%s with one of three servers dead: %d answers, error %v; want 1 and a PartialError that names it", what, n, err)
		}
	}
	bound := func() context.Context {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		t.Cleanup(cancel)
		return ctx
	}
	got, err := collectReplies(f.adapters[0].(adapter.ServerEmitter).ServerEmitAck(bound(), event(t, "who", "[]")))
	missing("ServerEmitAck", len(got), err)
	if ft, ok := f.adapters[0].(adapter.Fetcher); ok {
		list, err := collectSockets(ft.Fetch(bound(), rooms("red")))
		missing("Fetch", len(list), err)
	}
	if has[adapter.AckBroadcaster](f.adapters[0]) {
		f.answer(t, alive, "[]")
		got, err := collectReplies(f.ask(bound(), t, 0, rooms("red")))
		missing("BroadcastAck", len(got), err)
	}
	f.emit(t, 0, rooms("red"), "still")
	f.until(t, "the living have it", func() bool { return len(alive.Received()) >= 2 })
}
