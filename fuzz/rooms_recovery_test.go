package fuzz_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"

	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio/adapter"
	"github.com/siokit/siokit/socketio/adapter/adaptertest"
)

// recoveryOp is a step in the life of clients that are cut off and come back.
type recoveryOp struct {
	Kind   int
	Socket int
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
	return gen.SliceOf(gen.UInt64().Map(func(bits uint64) recoveryOp {
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
		return recoveryOp{Kind: take(recoveryKinds), Socket: take(3), Seen: take(1000), Rooms: names(3), Except: names(2)}
	}))
}

// recoveryClient is a client with its socket, if it is connected.
type recoveryClient struct {
	id     string
	socket *adaptertest.Socket
	offset string
	view   []string // what the client has seen
}

// see takes the first n packets that the socket was sent.
func (c *recoveryClient) see(n int) error {
	for _, p := range c.socket.Received()[:n] {
		c.view = append(c.view, p.Name)
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
	return nil
}

type recoveryRun struct {
	store   *adapter.Recovery
	oracle  *roomsOracle
	clients []*recoveryClient
}

func (r *recoveryRun) back(c *recoveryClient) error {
	session, err := r.store.Take(context.Background(), "p-"+c.id, c.offset)
	if err != nil {
		return fmt.Errorf("take %s at %q: %w", c.id, c.offset, err)
	}
	c.socket = adaptertest.NewSocket(c.id)
	if err := r.store.Resume(context.Background(), c.socket, session); err != nil {
		return fmt.Errorf("resume %s: %w", c.id, err)
	}
	c.socket.Flush()
	return nil
}

func (r *recoveryRun) cut(c *recoveryClient, seen int) error {
	if err := c.see(seen); err != nil {
		return err
	}
	_, err := r.store.Persist(c.socket, adapter.Session{SocketID: c.id, PrivateID: "p-" + c.id})
	c.socket = nil
	return err
}

func (r *recoveryRun) step(op recoveryOp) error {
	c := r.clients[op.Socket]
	sel := adapter.Selection{Rooms: op.Rooms, Except: op.Except}
	switch op.Kind {
	case recoveryJoin:
		if c.socket == nil {
			return nil
		}
		r.oracle.join(c.id, op.Rooms)
		return r.store.Join(c.socket, op.Rooms...)
	case recoveryLeave:
		if c.socket != nil {
			for _, room := range op.Rooms {
				delete(r.oracle.rooms[c.id], room)
			}
			r.store.Leave(c.socket, op.Rooms...)
		}
	case recoveryBroadcast:
		return r.store.Broadcast(roomsEvent(r.oracle.broadcast(sel)), sel)
	case recoveryVolatile:
		// Those that are cut off, or have it on the way when they are, miss it; so
		// nobody counts on it.
		sel.Flags = adapter.Volatile
		return r.store.Broadcast(roomsEvent("volatile"), sel)
	case recoverySend:
		if c.socket == nil {
			return nil
		}
		r.oracle.n++
		name := fmt.Sprint("n", r.oracle.n)
		r.oracle.sent[c.id] = append(r.oracle.sent[c.id], name)
		if err := r.store.Send(c.socket, roomsEvent(name), 0); err != nil {
			return err
		}
		c.socket.Flush()
	case recoveryCut:
		if c.socket != nil {
			return r.cut(c, op.Seen%(len(c.socket.Received())+1))
		}
	case recoveryBack:
		if c.socket == nil {
			return r.back(c)
		}
	}
	return nil
}

// However often clients are cut off, and whatever is lost on the way to them,
// each has seen everything that was meant for it once and in order, when it has
// come back.
func TestRecoveryReplaysOnce(t *testing.T) {
	properties := properties(t, 400, 120)
	properties.Property("nothing is lost or doubled", prop.ForAll(func(ops []recoveryOp) (bool, error) {
		a, err := adapter.NewRecovery(adapter.RecoveryConfig{})(adaptertest.NewServer("/"))
		if err != nil {
			return false, err
		}
		r := &recoveryRun{store: a.(*adapter.Recovery), oracle: newRoomsOracle()}
		for i := range 3 {
			c := &recoveryClient{id: fmt.Sprint("s", i), socket: adaptertest.NewSocket(fmt.Sprint("s", i))}
			r.clients = append(r.clients, c)
			r.oracle.join(c.id, []string{c.id})
			if err := a.Join(c.socket, c.id); err != nil {
				return false, err
			}
		}
		// A client that has seen no offset can't be recovered.
		if err := a.Broadcast(roomsEvent(r.oracle.broadcast(adapter.Selection{})), adapter.Selection{}); err != nil {
			return false, err
		}
		for _, c := range r.clients {
			if err := r.cut(c, 1); err != nil {
				return false, err
			}
			if err := r.back(c); err != nil {
				return false, err
			}
		}
		for i, op := range ops {
			if err := r.step(op); err != nil {
				return false, fmt.Errorf("step %d, %+v: %w", i, op, err)
			}
		}
		for _, c := range r.clients {
			if c.socket == nil {
				if err := r.back(c); err != nil {
					return false, err
				}
			}
			if err := c.see(len(c.socket.Received())); err != nil {
				return false, err
			}
			view := slices.DeleteFunc(c.view, func(name string) bool { return name == "volatile" })
			if diff := cmp.Diff(r.oracle.sent[c.id], view); diff != "" {
				return false, fmt.Errorf("what %s has seen (-want +got):\n%s", c.id, diff)
			}
		}
		return true, a.Close(context.Background())
	}, recoveryOps()))
	properties.TestingRun(t)
}
