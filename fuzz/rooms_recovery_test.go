package fuzz_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/commands"
	"github.com/leanovate/gopter/gen"

	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio/adapter"
	"github.com/siokit/siokit/socketio/adapter/adaptertest"
)

// recoveryOp is a step in the life of clients that are cut off and come back.
type recoveryOp struct {
	Kind   int
	Client int
	Rooms  []string
	Except []string
	Seen   int // how much of what is on the way a client sees before it is cut off
}

const (
	recoveryJoin = iota
	recoveryLeave
	recoveryBroadcast
	recoveryVolatile
	recoverySend
	recoveryCut
	recoveryBack
	recoveryKinds
)

func recoveryOps() gopter.Gen {
	return gen.UInt64().Map(func(bits uint64) commands.Command {
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
		return &recoveryOp{Kind: take(recoveryKinds), Client: take(3), Seen: take(1000), Rooms: names(3), Except: names(2)}
	})
}

func (op *recoveryOp) String() string {
	name := [...]string{"join", "leave", "broadcast", "volatile", "send", "cut", "back"}[op.Kind]
	return fmt.Sprintf("%s(s%d %v but %v, %d)", name, op.Client, op.Rooms, op.Except, op.Seen)
}

// recoveryView is what can be seen of a client: numbers of packets, 0 for volatile
// ones, in its present life. It begins a new one when it is not recovered.
type recoveryView struct {
	Here bool
	Seen []int // by the client
	Wire []int // sent to it, and not seen
}

// recoveryModel is the rule said simply, as a value: what each client must have.
type recoveryModel struct {
	limit   int // packets that the log keeps
	newest  int // number of the last one
	clients [3]recoveryPeer
}

type recoveryPeer struct {
	recoveryView
	rooms  map[string]bool // never changed, but replaced
	missed []int           // meant for it while it is away, or lost on the way
	last   int             // the last with an offset that it was sent
	end    int             // the newest when it was cut off
	from   int             // where its last recovery began, and
	shown  int             // what it showed then; -1 if it was not recovered
}

func newRecoveryPeer(id string) recoveryPeer {
	return recoveryPeer{recoveryView: recoveryView{Here: true}, rooms: map[string]bool{id: true}, shown: -1}
}

// offset is the last that the client has seen with one; 0 if none.
func (p *recoveryPeer) offset() int { return slices.Max(append([]int{0}, p.Seen...)) }

// start is the number after which the client may have missed something, by the
// offset that it shows; false if that says nothing.
func (p *recoveryPeer) start() (int, bool) {
	switch offset := p.offset(); {
	case offset == p.last:
		return p.end, true
	case offset == p.shown:
		return p.from, true
	default:
		return offset, offset > 0
	}
}

func (op *recoveryOp) NextState(state commands.State) commands.State {
	m := state.(recoveryModel)
	p := &m.clients[op.Client]
	switch op.Kind {
	case recoveryJoin, recoveryLeave:
		if p.Here {
			p.rooms = maps.Clone(p.rooms)
			for _, room := range op.Rooms {
				if op.Kind == recoveryJoin {
					p.rooms[room] = true
				} else {
					delete(p.rooms, room)
				}
			}
		}
	case recoveryBroadcast:
		m.newest++
		m.send(m.newest, op)
	case recoveryVolatile:
		m.send(0, op)
	case recoverySend:
		if p.Here {
			m.newest++
			p.Wire, p.last = append(slices.Clip(p.Wire), m.newest), m.newest
		}
	case recoveryCut:
		if p.Here {
			seen := op.Seen % (len(p.Wire) + 1)
			p.Seen = slices.Concat(p.Seen, p.Wire[:seen])
			p.missed = slices.DeleteFunc(slices.Clone(p.Wire[seen:]), func(n int) bool { return n == 0 })
			p.Here, p.Wire, p.end = false, nil, m.newest
		}
	case recoveryBack:
		if !p.Here {
			m.back(op.Client)
		}
	}
	return m
}

func (m *recoveryModel) send(number int, op *recoveryOp) {
	for i := range m.clients {
		p := &m.clients[i]
		in := func(room string) bool { return p.rooms[room] }
		switch {
		case len(op.Rooms) > 0 && !slices.ContainsFunc(op.Rooms, in) || slices.ContainsFunc(op.Except, in):
		case p.Here:
			p.Wire, p.last = append(slices.Clip(p.Wire), number), max(p.last, number)
		case number > 0:
			p.missed = append(slices.Clip(p.missed), number)
		}
	}
}

// back: a client whose log is complete gets what it has missed, all others begin
// anew.
func (m *recoveryModel) back(i int) {
	p := &m.clients[i]
	start, known := p.start()
	if dropped := m.newest - m.limit; !known || start < dropped {
		*p = newRecoveryPeer(fmt.Sprint("s", i))
		return
	}
	p.Here, p.shown, p.from = true, p.offset(), start
	p.Wire, p.missed = p.missed, nil
	p.last = max(p.last, slices.Max(append([]int{0}, p.Wire...)))
}

func (op *recoveryOp) PreCondition(commands.State) bool { return true }

func (op *recoveryOp) PostCondition(state commands.State, result commands.Result) *gopter.PropResult {
	m := state.(recoveryModel)
	want := [3]recoveryView{m.clients[0].recoveryView, m.clients[1].recoveryView, m.clients[2].recoveryView}
	if err, failed := result.(error); failed {
		return &gopter.PropResult{Status: gopter.PropFalse, Labels: []string{fmt.Sprint(op, ": ", err)}}
	}
	if diff := cmp.Diff(want, result, cmp.Comparer(slices.Equal[[]int])); diff != "" {
		return &gopter.PropResult{Status: gopter.PropFalse, Labels: []string{fmt.Sprintf("after %v (-want +got):\n%s", op, diff)}}
	}
	return &gopter.PropResult{Status: gopter.PropTrue}
}

// recoveryRun is the system under test.
type recoveryRun struct {
	store   *adapter.Recovery
	newest  int
	clients [3]recoveryClient
}

type recoveryClient struct {
	id     string
	socket *adaptertest.Socket // nil while it is away
	offset string
	seen   []int
}

func newRecoveryRun(limit int) *recoveryRun {
	a, err := adapter.NewRecovery(adapter.RecoveryConfig{MaxPackets: limit})(adaptertest.NewServer("/"))
	if err != nil {
		panic(err) // no limit is negative
	}
	r := &recoveryRun{store: a.(*adapter.Recovery)}
	for i := range r.clients {
		if err := r.begin(&r.clients[i], fmt.Sprint("s", i)); err != nil {
			panic(err) // an adapter that refuses its first sockets
		}
	}
	return r
}

func (r *recoveryRun) begin(c *recoveryClient, id string) error {
	*c = recoveryClient{id: id, socket: adaptertest.NewSocket(id)}
	return r.store.Join(c.socket, id)
}

func (op *recoveryOp) Run(sut commands.SystemUnderTest) commands.Result {
	r := sut.(*recoveryRun)
	if err := r.step(op); err != nil {
		return err
	}
	var views [3]recoveryView
	for i := range r.clients {
		c := &r.clients[i]
		views[i].Here, views[i].Seen = c.socket != nil, c.seen
		if c.socket == nil {
			continue
		}
		for _, p := range c.socket.Received() {
			n, err := strconv.Atoi(p.Name)
			if err != nil {
				return err
			}
			views[i].Wire = append(views[i].Wire, n)
		}
	}
	return views
}

func (r *recoveryRun) step(op *recoveryOp) error {
	c := &r.clients[op.Client]
	sel := adapter.Selection{Rooms: op.Rooms, Except: op.Except}
	switch {
	case op.Kind == recoveryBroadcast:
		return r.store.Broadcast(r.event(), sel)
	case op.Kind == recoveryVolatile:
		sel.Flags = adapter.Volatile
		return r.store.Broadcast(roomsEvent("0"), sel)
	case op.Kind == recoveryBack && c.socket == nil:
		return r.back(c)
	case c.socket == nil:
	case op.Kind == recoveryJoin:
		return r.store.Join(c.socket, op.Rooms...)
	case op.Kind == recoveryLeave:
		r.store.Leave(c.socket, op.Rooms...)
	case op.Kind == recoverySend:
		if err := r.store.Send(c.socket, r.event(), 0); err != nil {
			return err
		}
		c.socket.Flush()
	case op.Kind == recoveryCut:
		return r.cut(c, op.Seen)
	}
	return nil
}

func (r *recoveryRun) event() *sioparser.Packet {
	r.newest++
	return roomsEvent(strconv.Itoa(r.newest))
}

// cut has the client see some of the packets on the way, and no more.
func (r *recoveryRun) cut(c *recoveryClient, seen int) error {
	received := c.socket.Received()
	for _, p := range received[:seen%(len(received)+1)] {
		n, err := strconv.Atoi(p.Name)
		if err != nil {
			return err
		}
		c.seen = append(c.seen, n)
		args, err := sioparser.ParseArgs([]byte(p.Args), nil)
		if err != nil {
			return err
		}
		if args.Len() > 0 { // volatile packets have no offset
			if err := sioValues.Bind(args.Slice(args.Len()-1, args.Len()), &c.offset); err != nil {
				return err
			}
		}
	}
	_, err := r.store.Persist(c.socket, adapter.Session{SocketID: c.id, PrivateID: "p-" + c.id})
	c.socket = nil
	return err
}

// back presents the session, twice: it is there once.
func (r *recoveryRun) back(c *recoveryClient) error {
	session, err := r.store.Take(context.Background(), "p-"+c.id, c.offset)
	if _, err := r.store.Take(context.Background(), "p-"+c.id, c.offset); !errors.Is(err, adapter.ErrUnrecoverable) {
		return fmt.Errorf("the session of %s is there again: %v", c.id, err)
	}
	switch {
	case errors.Is(err, adapter.ErrUnrecoverable):
		return r.begin(c, c.id)
	case err != nil:
		return err
	}
	c.socket = adaptertest.NewSocket(c.id)
	if err := r.store.Resume(context.Background(), c.socket, session); err != nil {
		return fmt.Errorf("resume %s: %w", c.id, err)
	}
	c.socket.Flush()
	return nil
}

// However often clients are cut off, and whatever is lost on the way to them: what
// the log still holds is replayed once and in order, and a client that has missed
// more than that is not recovered at all.
func TestRecoveryReplaysOnce(t *testing.T) {
	properties := properties(t, 400, 80)
	properties.Property("nothing is lost or doubled", commands.Prop(&commands.ProtoCommands{
		NewSystemUnderTestFunc: func(state commands.State) commands.SystemUnderTest {
			return newRecoveryRun(state.(recoveryModel).limit)
		},
		DestroySystemUnderTestFunc: func(sut commands.SystemUnderTest) {
			_ = sut.(*recoveryRun).store.Close(context.Background())
		},
		InitialStateGen: gen.IntRange(1, 30).Map(func(limit int) recoveryModel {
			m := recoveryModel{limit: limit}
			for i := range m.clients {
				m.clients[i] = newRecoveryPeer(fmt.Sprint("s", i))
			}
			return m
		}),
		GenCommandFunc: func(commands.State) gopter.Gen { return recoveryOps() },
	}))
	properties.TestingRun(t)
}
