package fuzz_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/google/go-cmp/cmp"
	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"

	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio/adapter"
	"github.com/siokit/siokit/socketio/adapter/adaptertest"
)

// The naive oracle of rooms: a set of rooms for each socket, and a list of what
// it should have been sent. Everything is written for being obvious.

const roomSockets = 6 // "s0" to "s5"

// roomNames are the rooms that occur: some to share, and the sockets' own.
var roomNames = []string{"r0", "r1", "r2", "r3", "s0", "s1", "s2", "s3", "s4", "s5"}

type roomsKind int

const (
	roomsJoin roomsKind = iota
	roomsLeave
	roomsRemove
	roomsBroadcast
	roomsJoinAll
	roomsLeaveAll
	roomsFetch
	roomsNodeEnds // of a cluster
	roomsKinds
)

// roomsOp is one step. What a kind doesn't need is ignored.
type roomsOp struct {
	Kind   roomsKind
	Socket int      // who joins, leaves or is removed
	From   int      // the server that acts; of a cluster
	Rooms  []string // joined, left, or selected
	Except []string
	More   []string // the rooms that JoinAll and LeaveAll are about
	Kill   bool     // a server ends without a goodbye
}

func (op roomsOp) String() string {
	name := [...]string{"join", "leave", "remove", "broadcast", "joinAll", "leaveAll", "fetch", "nodeEnds"}[op.Kind]
	return fmt.Sprintf("%s(s%d from %d %v but %v, %v)", name, op.Socket, op.From, op.Rooms, op.Except, op.More)
}

func (op roomsOp) selection() adapter.Selection {
	return adapter.Selection{Rooms: op.Rooms, Except: op.Except}
}

// roomsOps generates steps, made of the bits of a number.
func roomsOps(kinds roomsKind) gopter.Gen {
	return gen.SliceOf(gen.UInt64().Map(func(bits uint64) roomsOp {
		take := func(n uint64) int {
			v := bits % n
			bits /= n
			return int(v)
		}
		names := func(most uint64) []string {
			var list []string
			for range take(most + 1) {
				list = append(list, roomNames[take(uint64(len(roomNames)))])
			}
			return list
		}
		op := roomsOp{Kind: roomsKind(take(uint64(kinds))), Socket: take(roomSockets), From: take(3), Kill: take(2) == 0}
		op.Rooms, op.Except, op.More = names(3), names(2), names(2)
		return op
	}))
}

// roomsOracle is what should be.
type roomsOracle struct {
	rooms map[string]map[string]bool // by socket id; only sockets that are connected
	sent  map[string][]string        // by socket id, all its incarnations together
	n     int
}

func newRoomsOracle() *roomsOracle {
	return &roomsOracle{rooms: map[string]map[string]bool{}, sent: map[string][]string{}}
}

func (o *roomsOracle) selected(sel adapter.Selection) []string {
	var ids []string
	for id, in := range o.rooms {
		member := func(room string) bool { return in[room] }
		if (len(sel.Rooms) == 0 || slices.ContainsFunc(sel.Rooms, member)) && !slices.ContainsFunc(sel.Except, member) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

func (o *roomsOracle) join(id string, rooms []string) {
	if o.rooms[id] == nil {
		o.rooms[id] = map[string]bool{}
	}
	for _, room := range rooms {
		o.rooms[id][room] = true
	}
}

func (o *roomsOracle) broadcast(sel adapter.Selection) (name string) {
	o.n++
	name = fmt.Sprint("n", o.n)
	for _, id := range o.selected(sel) {
		o.sent[id] = append(o.sent[id], name)
	}
	return name
}

// roomsEvent is a packet without arguments.
func roomsEvent(name string) *sioparser.Packet {
	return &sioparser.Packet{Type: sioparser.Event, Name: []byte(name)}
}

// roomsRun is the system under test beside its oracle.
type roomsRun struct {
	oracle  *roomsOracle
	nodes   []*roomsNode
	sockets map[string]*roomsSocket // connected, by id
	got     map[string][]string     // received by earlier incarnations
	settle  func()                  // lets everything under way arrive
}

type roomsNode struct {
	adapter adapter.Adapter
	hooks   map[string]map[string]bool // rooms as the hook has told
}

type roomsSocket struct {
	*adaptertest.Socket
	on *roomsNode
}

func (r *roomsRun) node(new adapter.New) error {
	a, err := new(adaptertest.NewServer("/"))
	if err != nil {
		return err
	}
	n := &roomsNode{adapter: a, hooks: map[string]map[string]bool{}}
	a.(adapter.Observable).Observe(n.hook)
	r.nodes = append(r.nodes, n)
	return nil
}

func (n *roomsNode) hook(e adapter.Event) {
	switch e.Kind {
	case adapter.Created:
		n.hooks[e.Room] = map[string]bool{}
	case adapter.Joined:
		n.hooks[e.Room][e.SocketID] = true
	case adapter.Left:
		delete(n.hooks[e.Room], e.SocketID)
	case adapter.Deleted:
		delete(n.hooks, e.Room)
	}
}

// socket returns the connected socket with that number; a new one if there is
// none, which lives on server from.
func (r *roomsRun) socket(number, from int) *roomsSocket {
	id := fmt.Sprint("s", number)
	s := r.sockets[id]
	if s == nil {
		s = &roomsSocket{adaptertest.NewSocket(id), r.nodes[from%len(r.nodes)]}
		r.sockets[id] = s
	}
	return s
}

// end takes a socket out of the books.
func (r *roomsRun) end(s *roomsSocket) {
	id := s.ID()
	r.got[id] = append(r.got[id], receivedNames(s.Socket)...)
	delete(r.sockets, id)
	delete(r.oracle.rooms, id)
}

func receivedNames(s *adaptertest.Socket) (names []string) {
	for _, p := range s.Received() {
		names = append(names, p.Name)
	}
	return names
}

// step performs op on both sides.
func (r *roomsRun) step(ctx context.Context, op roomsOp) error {
	sel := op.selection()
	from := r.nodes[op.From%len(r.nodes)].adapter
	mover := from.(adapter.Mover)
	switch op.Kind {
	case roomsJoin:
		s := r.socket(op.Socket, op.From)
		r.oracle.join(s.ID(), op.Rooms)
		return s.on.adapter.Join(s.Socket, op.Rooms...)
	case roomsLeave:
		if s := r.sockets[fmt.Sprint("s", op.Socket)]; s != nil {
			for _, room := range op.Rooms {
				delete(r.oracle.rooms[s.ID()], room)
			}
			s.on.adapter.Leave(s.Socket, op.Rooms...)
		}
	case roomsRemove:
		s := r.sockets[fmt.Sprint("s", op.Socket)]
		if s == nil {
			return nil
		}
		want := slices.Sorted(maps.Keys(r.oracle.rooms[s.ID()]))
		got := slices.Sorted(slices.Values(s.on.adapter.Remove(s.Socket)))
		if !slices.Equal(want, got) {
			return fmt.Errorf("remove returned %q, want %q", got, want)
		}
		if err := s.on.adapter.Join(s.Socket, "r0"); !errors.Is(err, adapter.ErrRemoved) {
			return fmt.Errorf("join after remove: %v", err)
		}
		r.end(s)
	case roomsBroadcast:
		return from.Broadcast(roomsEvent(r.oracle.broadcast(sel)), sel)
	case roomsJoinAll:
		for _, id := range r.oracle.selected(sel) {
			r.oracle.join(id, op.More)
		}
		return mover.JoinAll(sel, op.More...)
	case roomsLeaveAll:
		for _, id := range r.oracle.selected(sel) {
			for _, room := range op.More {
				delete(r.oracle.rooms[id], room)
			}
		}
		return mover.LeaveAll(sel, op.More...)
	case roomsFetch:
		return r.fetch(ctx, from, sel)
	}
	return nil
}

func (r *roomsRun) fetch(ctx context.Context, from adapter.Adapter, sel adapter.Selection) error {
	var got []string
	for s, err := range from.(adapter.Fetcher).Fetch(ctx, sel) {
		if err != nil {
			return err
		}
		got = append(got, s.ID)
		rooms := slices.Sorted(slices.Values(s.Rooms))
		if want := slices.Sorted(maps.Keys(r.oracle.rooms[s.ID])); !slices.Equal(want, rooms) {
			return fmt.Errorf("fetched %s in rooms %q, want %q", s.ID, rooms, want)
		}
	}
	slices.Sort(got)
	if want := r.oracle.selected(sel); !slices.Equal(want, got) {
		return fmt.Errorf("fetched %q, want %q", got, want)
	}
	return nil
}

// compare looks at everything that can be seen.
func (r *roomsRun) compare() error {
	for i := range roomSockets {
		id := fmt.Sprint("s", i)
		got := slices.Clone(r.got[id])
		if s := r.sockets[id]; s != nil {
			got = append(got, receivedNames(s.Socket)...)
		}
		if diff := cmp.Diff(r.oracle.sent[id], got); diff != "" {
			return fmt.Errorf("packets of %s (-want +got):\n%s", id, diff)
		}
	}
	for _, n := range r.nodes {
		rooms := map[string]map[string]bool{}
		sockets := 0
		for id, s := range r.sockets {
			if s.on != n {
				continue
			}
			sockets++
			for room := range r.oracle.rooms[id] {
				if rooms[room] == nil {
					rooms[room] = map[string]bool{}
				}
				rooms[room][id] = true
			}
			got := slices.Sorted(slices.Values(n.adapter.(adapter.Index).SocketRooms(id)))
			if want := slices.Sorted(maps.Keys(r.oracle.rooms[id])); !slices.Equal(want, got) {
				return fmt.Errorf("%s is in %q, want %q", id, got, want)
			}
		}
		if diff := cmp.Diff(rooms, n.hooks); diff != "" {
			return fmt.Errorf("rooms by what the hook was told (-want +got):\n%s", diff)
		}
		got := slices.Sorted(n.adapter.(adapter.Index).Rooms())
		if want := slices.Sorted(maps.Keys(rooms)); !slices.Equal(want, got) {
			return fmt.Errorf("rooms %q, want %q", got, want)
		}
		if s, rs := n.adapter.(adapter.Index).Len(); s != sockets || rs != len(rooms) {
			return fmt.Errorf("%d sockets and %d rooms, want %d and %d", s, rs, sockets, len(rooms))
		}
	}
	return nil
}

func newRoomsRun() *roomsRun {
	return &roomsRun{
		oracle: newRoomsOracle(), sockets: map[string]*roomsSocket{}, got: map[string][]string{}, settle: func() {},
	}
}
