package adaptertest_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio/adapter"
	"github.com/siokit/siokit/socketio/adapter/adaptertest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Each adapter below is right but for one thing. The suite must say so, in the
// check that is named after it.

// sound is what they are made of: a Memory, or a Recovery.
type sound interface {
	adapter.Adapter
	adapter.AckBroadcaster
	adapter.Fetcher
	adapter.Mover
	adapter.ServerEmitter
	adapter.Counter
	adapter.Index
	adapter.Observable
}

type storing interface {
	sound
	adapter.SessionStore
}

type noExcept struct{ sound }

func (a noExcept) Broadcast(p *sioparser.Packet, sel adapter.Selection) error {
	sel.Except = nil
	return a.sound.Broadcast(p, sel)
}

type twicePerSocket struct{ sound }

func (a twicePerSocket) Broadcast(p *sioparser.Packet, sel adapter.Selection) error {
	if len(sel.Rooms) < 2 {
		return a.sound.Broadcast(p, sel)
	}
	for i := range sel.Rooms {
		one := sel
		one.Rooms = sel.Rooms[i : i+1]
		if err := a.sound.Broadcast(p, one); err != nil {
			return err
		}
	}
	return nil
}

type everyoneIsNobody struct{ sound }

func (a everyoneIsNobody) Broadcast(p *sioparser.Packet, sel adapter.Selection) error {
	if len(sel.Rooms) == 0 && len(sel.Except) > 0 {
		return nil
	}
	return a.sound.Broadcast(p, sel)
}

type joinForgetsRooms struct{ sound }

func (a joinForgetsRooms) Join(s adapter.Socket, rooms ...string) error {
	return a.sound.Join(s, rooms[:min(len(rooms), 2)]...)
}

type leaveDoesNothing struct{ sound }

func (a leaveDoesNothing) Leave(adapter.Socket, ...string) {}

type removeIsLeave struct{ sound }

func (a removeIsLeave) Remove(s adapter.Socket) []string {
	rooms := s.Membership().Rooms()
	a.Leave(s, rooms...)
	return rooms
}

type joinAfterRemove struct{ sound }

func (a joinAfterRemove) Join(s adapter.Socket, rooms ...string) error {
	if err := a.sound.Join(s, rooms...); err != adapter.ErrRemoved {
		return err
	}
	return nil
}

type noRoomLimit struct{ sound }

func (a noRoomLimit) Join(s adapter.Socket, rooms ...string) error {
	if err := a.sound.Join(s, rooms...); !errors.Is(err, adapter.ErrTooManyRooms) {
		return err
	}
	return nil
}

type changesPacket struct{ sound }

func (a changesPacket) Broadcast(p *sioparser.Packet, sel adapter.Selection) error {
	p.Namespace = "/test"
	return a.sound.Broadcast(p, sel)
}

// keepsPacket broadcasts one packet late, when the next comes.
type keepsPacket struct {
	sound
	mu   *sync.Mutex
	last *sioparser.Packet
	sel  adapter.Selection
}

func (a *keepsPacket) Broadcast(p *sioparser.Packet, sel adapter.Selection) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	var err error
	if a.last != nil {
		err = a.sound.Broadcast(a.last, a.sel)
	}
	a.last, a.sel = p, sel
	if string(p.Name[:min(len(p.Name), 5)]) == "mark-" {
		err = a.sound.Broadcast(p, sel)
		a.last = nil
	}
	return err
}

type dropsFlags struct{ sound }

func (a dropsFlags) Broadcast(p *sioparser.Packet, sel adapter.Selection) error {
	sel.Flags = 0
	return a.sound.Broadcast(p, sel)
}

// reorders holds every third broadcast back behind the next.
type reorders struct {
	sound
	mu   sync.Mutex
	n    int
	held func() error
}

func (a *reorders) Broadcast(p *sioparser.Packet, sel adapter.Selection) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	mark := len(p.Name) > 5 && string(p.Name[:5]) == "mark-"
	if a.n++; a.n%3 == 0 && a.held == nil && !mark {
		copied := *p
		copied.Name, copied.Args = slices.Clone(p.Name), p.Args.Clone()
		a.held = func() error { return a.sound.Broadcast(&copied, sel) }
		return sioparser.Valid(p)
	}
	err := a.sound.Broadcast(p, sel)
	if a.held != nil {
		err = errors.Join(err, a.held())
		a.held = nil
	}
	return err
}

type swallowsErrors struct{ sound }

func (a swallowsErrors) Broadcast(p *sioparser.Packet, sel adapter.Selection) error {
	_ = a.sound.Broadcast(p, sel)
	return nil
}

// encodesEach prepares the packet for each socket.
type encodesEach struct{ sound }

func (a encodesEach) Broadcast(p *sioparser.Packet, sel adapter.Selection) error {
	for _, s := range a.Sockets(sel) {
		if err := a.sound.Broadcast(p, adapter.Selection{Rooms: []string{s.ID()}, Flags: sel.Flags}); err != nil {
			return err
		}
	}
	return sioparser.Valid(p)
}

// locked holds a lock over everything, flushes and hooks too. Whoever waits for
// it gives up after a second, so that the test ends.
type locked struct {
	sound
	lock chan struct{}
}

func (a locked) hold() (release func()) {
	select {
	case a.lock <- struct{}{}:
		return func() { <-a.lock }
	case <-time.After(time.Second):
		return func() {}
	}
}

func (a locked) Broadcast(p *sioparser.Packet, sel adapter.Selection) error {
	defer a.hold()()
	return a.sound.Broadcast(p, sel)
}

func (a locked) Join(s adapter.Socket, rooms ...string) error {
	defer a.hold()()
	return a.sound.Join(s, rooms...)
}

// leavesLate lets a broadcast that has begun reach sockets that leave meanwhile.
type leavesLate struct{ sound }

func (a leavesLate) Leave(s adapter.Socket, rooms ...string) {
	done := make(chan struct{})
	go func() { // ends at once
		defer close(done)
		a.sound.Leave(s, rooms...)
	}()
	select {
	case <-done:
	default:
	}
}

type leaksRooms struct{ sound }

func (a leaksRooms) Rooms() iter.Seq[string] {
	return func(yield func(string) bool) {
		for room := range a.sound.Rooms() {
			if !yield(room) {
				return
			}
		}
		yield("ghost")
	}
}

type ackFirstOnly struct{ sound }

func (a ackFirstOnly) BroadcastAck(ctx context.Context, p *sioparser.Packet, sel adapter.Selection) iter.Seq2[adapter.Reply, error] {
	return func(yield func(adapter.Reply, error) bool) {
		for r, err := range a.sound.BroadcastAck(ctx, p, sel) {
			yield(r, err)
			return
		}
	}
}

type ackAtTheEnd struct{ sound }

func (a ackAtTheEnd) BroadcastAck(ctx context.Context, p *sioparser.Packet, sel adapter.Selection) iter.Seq2[adapter.Reply, error] {
	return func(yield func(adapter.Reply, error) bool) {
		ctx, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
		defer cancel()
		type element struct {
			r   adapter.Reply
			err error
		}
		var all []element
		for r, err := range a.sound.BroadcastAck(ctx, p, sel) {
			all = append(all, element{r, err})
		}
		for _, e := range all {
			if !yield(e.r, e.err) {
				return
			}
		}
	}
}

type ackNoError struct{ sound }

func (a ackNoError) BroadcastAck(ctx context.Context, p *sioparser.Packet, sel adapter.Selection) iter.Seq2[adapter.Reply, error] {
	return func(yield func(adapter.Reply, error) bool) {
		for r, err := range a.sound.BroadcastAck(ctx, p, sel) {
			if err != nil || !yield(r, nil) {
				return
			}
		}
	}
}

type ackNeverForgotten struct{ sound }

func (a ackNeverForgotten) BroadcastAck(ctx context.Context, p *sioparser.Packet, sel adapter.Selection) iter.Seq2[adapter.Reply, error] {
	return func(yield func(adapter.Reply, error) bool) {
		g := adapter.NewGather[adapter.Reply]()
		m, ok := a.sound.(*adapter.Memory)
		if !ok {
			panic("made of a Memory")
		}
		_, err := m.DeliverAck(p, sel, g.Expect, func(s adapter.Socket, args sioparser.Args, err error) {
			if err != nil {
				g.Lose(s)
				return
			}
			g.Answer(s, adapter.Reply{Args: args.Clone(), Socket: s.ID()})
		})
		if err != nil {
			yield(adapter.Reply{}, err)
			return
		}
		g.All(ctx)(yield)
	}
}

type fetchIgnoresExcept struct{ sound }

func (a fetchIgnoresExcept) Fetch(ctx context.Context, sel adapter.Selection) iter.Seq2[adapter.SocketInfo, error] {
	sel.Except = nil
	return a.sound.Fetch(ctx, sel)
}

type moveDoesNothing struct{ sound }

func (moveDoesNothing) JoinAll(adapter.Selection, ...string) error { return nil }

type leaveAllDoesNothing struct{ sound }

func (leaveAllDoesNothing) LeaveAll(adapter.Selection, ...string) error { return nil }

type disconnectForgetsClose struct{ sound }

func (a disconnectForgetsClose) DisconnectAll(sel adapter.Selection, _ bool) error {
	return a.sound.DisconnectAll(sel, false)
}

type hooksBackwards struct{ sound }

func (a hooksBackwards) Observe(h adapter.Hook) func() {
	var held *adapter.Event
	return a.sound.Observe(func(e adapter.Event) {
		switch {
		case e.Kind == adapter.Created:
			held = &e
			return
		case held != nil:
			h(e)
			e, held = *held, nil
		}
		h(e)
	})
}

type hooksNotAtRemove struct{ sound }

func (a hooksNotAtRemove) Observe(h adapter.Hook) func() {
	return a.sound.Observe(func(e adapter.Event) {
		if e.Kind != adapter.Deleted {
			h(e)
		}
	})
}

type hooksNeverStop struct{ sound }

func (a hooksNeverStop) Observe(h adapter.Hook) func() {
	a.sound.Observe(h)
	return func() {}
}

type joinsAfterClose struct{ sound }

func (joinsAfterClose) Close(context.Context) error { return nil }

type hearsItself struct {
	sound
	local adapter.Local
}

func (a hearsItself) ServerEmit(p *sioparser.Packet) error {
	a.local.ServerEvent(p, nil)
	return nil
}

// Stores.

type takesTwice struct {
	storing
	mu   *sync.Mutex
	held map[string]*adapter.Session
}

func (a takesTwice) Take(ctx context.Context, pid, offset string) (*adapter.Session, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if s := a.held[pid]; s != nil {
		return s, nil
	}
	s, err := a.storing.Take(ctx, pid, offset)
	a.held[pid] = s
	return s, err
}

type resumesWithoutRooms struct{ storing }

func (a resumesWithoutRooms) Resume(ctx context.Context, s adapter.Socket, session *adapter.Session) error {
	if err := a.storing.Resume(ctx, s, session); err != nil {
		return err
	}
	for _, room := range session.Rooms {
		if room != s.ID() {
			a.Leave(s, room)
		}
	}
	return nil
}

type replaysNothing struct{ storing }

func (a replaysNothing) Take(ctx context.Context, pid, offset string) (*adapter.Session, error) {
	s, err := a.storing.Take(ctx, pid, offset)
	if err != nil {
		return nil, err
	}
	probe := adaptertest.NewSocket(s.SocketID)
	if err := a.storing.Resume(ctx, probe, s); err != nil {
		return nil, err
	}
	_, err = a.Persist(probe, *s)
	if err != nil {
		return nil, err
	}
	probe.Flush()
	last := offset
	for _, p := range probe.Received() {
		args, err := sioparser.ParseArgs([]byte(p.Args), p.Attachments)
		if err != nil {
			return nil, err
		}
		if err := (*sioparser.Values)(nil).Bind(args.Slice(args.Len()-1, args.Len()), &last); err != nil {
			return nil, err
		}
	}
	return a.storing.Take(ctx, pid, last)
}

type persistForgets struct{ storing }

func (a persistForgets) Persist(s adapter.Socket, session adapter.Session) ([]string, error) {
	rooms := a.Remove(s)
	return rooms, nil
}

type persistAnybody struct{ storing }

func (a persistAnybody) Persist(s adapter.Socket, session adapter.Session) ([]string, error) {
	rooms, _ := a.storing.Persist(s, session)
	return rooms, nil
}

type sendIsBroadcast struct{ storing }

func (a sendIsBroadcast) Send(s adapter.Socket, p *sioparser.Packet, f adapter.Flags) error {
	return a.Broadcast(p, adapter.Selection{Flags: f})
}

type takesAnyOffset struct{ storing }

func (a takesAnyOffset) Take(ctx context.Context, pid, offset string) (*adapter.Session, error) {
	s, err := a.storing.Take(ctx, pid, offset)
	if err != nil {
		return &adapter.Session{PrivateID: pid}, nil
	}
	return s, nil
}

func memory(t testing.TB, local adapter.Local) sound {
	t.Helper()
	a, err := adapter.NewMemory(local)
	if err != nil {
		t.Fatal(err)
	}
	return a.(*adapter.Memory)
}

func recovery(t testing.TB, local adapter.Local) storing {
	t.Helper()
	a, err := adapter.NewRecovery(adapter.RecoveryConfig{})(local)
	if err != nil {
		t.Fatal(err)
	}
	return a.(*adapter.Recovery)
}

func TestSuiteFindsWhatIsBroken(t *testing.T) {
	of := func(f func(sound) adapter.Adapter) func(testing.TB, adapter.Local) adapter.Adapter {
		return func(t testing.TB, l adapter.Local) adapter.Adapter { return f(memory(t, l)) }
	}
	store := func(f func(storing) adapter.Adapter) func(testing.TB, adapter.Local) adapter.Adapter {
		return func(t testing.TB, l adapter.Local) adapter.Adapter { return f(recovery(t, l)) }
	}
	for name, tc := range map[string]struct {
		make  func(testing.TB, adapter.Local) adapter.Adapter
		found string
	}{
		"except is ignored":             {of(func(a sound) adapter.Adapter { return noExcept{a} }), "Except"},
		"a socket gets it per room":     {of(func(a sound) adapter.Adapter { return twicePerSocket{a} }), "OncePerSocket"},
		"everyone but is nobody":        {of(func(a sound) adapter.Adapter { return everyoneIsNobody{a} }), "Except"},
		"join takes two rooms":          {of(func(a sound) adapter.Adapter { return joinForgetsRooms{a} }), "RoomMembers"},
		"leave does nothing":            {of(func(a sound) adapter.Adapter { return leaveDoesNothing{a} }), "LeaveEndsDelivery"},
		"remove leaves everyone":        {of(func(a sound) adapter.Adapter { return removeIsLeave{a} }), "RemoveEndsDelivery"},
		"join after remove":             {of(func(a sound) adapter.Adapter { return joinAfterRemove{a} }), "JoinAfterRemove"},
		"room limit is not told":        {of(func(a sound) adapter.Adapter { return noRoomLimit{a} }), "RoomLimit"},
		"packet is changed":             {of(func(a sound) adapter.Adapter { return changesPacket{a} }), "PacketIntact"},
		"packet is kept":                {of(func(a sound) adapter.Adapter { return &keepsPacket{sound: a, mu: new(sync.Mutex)} }), "RoomMembers"},
		"flags are dropped":             {of(func(a sound) adapter.Adapter { return dropsFlags{a} }), "Flags"},
		"order is lost":                 {of(func(a sound) adapter.Adapter { return &reorders{sound: a} }), "Order"},
		"encoding errors are lost":      {of(func(a sound) adapter.Adapter { return swallowsErrors{a} }), "InvalidPacket"},
		"each socket is encoded for":    {of(func(a sound) adapter.Adapter { return encodesEach{a} }), "EncodedOnce"},
		"flush under a lock":            {of(func(a sound) adapter.Adapter { return locked{a, make(chan struct{}, 1)} }), "FlushUnlocked"},
		"hook under a lock":             {of(func(a sound) adapter.Adapter { return locked{a, make(chan struct{}, 1)} }), "HookMayCall"},
		"leave does not wait":           {of(func(a sound) adapter.Adapter { return leavesLate{a} }), "NothingAfterLeave"},
		"rooms stay in the index":       {of(func(a sound) adapter.Adapter { return leaksRooms{a} }), "Index"},
		"one acknowledgement":           {of(func(a sound) adapter.Adapter { return ackFirstOnly{a} }), "AckAll"},
		"acknowledgements held back":    {of(func(a sound) adapter.Adapter { return ackAtTheEnd{a} }), "AckAsTheyArrive"},
		"silence is no error":           {of(func(a sound) adapter.Adapter { return ackNoError{a} }), "AckSilent"},
		"gone is no error":              {of(func(a sound) adapter.Adapter { return ackNoError{a} }), "AckGone"},
		"unencodable is no error":       {of(func(a sound) adapter.Adapter { return ackNoError{a} }), "AckInvalidPacket"},
		"acknowledgement not forgotten": {of(func(a sound) adapter.Adapter { return ackNeverForgotten{a} }), "AckLeftLoop"},
		"fetch ignores except":          {of(func(a sound) adapter.Adapter { return fetchIgnoresExcept{a} }), "Fetch"},
		"join all does nothing":         {of(func(a sound) adapter.Adapter { return moveDoesNothing{a} }), "JoinAll"},
		"leave all does nothing":        {of(func(a sound) adapter.Adapter { return leaveAllDoesNothing{a} }), "LeaveAll"},
		"disconnect forgets close":      {of(func(a sound) adapter.Adapter { return disconnectForgetsClose{a} }), "DisconnectAll"},
		"joined before created":         {of(func(a sound) adapter.Adapter { return hooksBackwards{a} }), "HookOrder"},
		"deleted is not told":           {of(func(a sound) adapter.Adapter { return hooksNotAtRemove{a} }), "HookConcurrency"},
		"hooks never stop":              {of(func(a sound) adapter.Adapter { return hooksNeverStop{a} }), "HookOrder"},
		"close does nothing":            {of(func(a sound) adapter.Adapter { return joinsAfterClose{a} }), "Close"},
		"a server hears itself": {func(t testing.TB, l adapter.Local) adapter.Adapter {
			return hearsItself{memory(t, l), l}
		}, "AloneAfterAll"},
		"a session is taken twice": {store(func(a storing) adapter.Adapter {
			return takesTwice{a, new(sync.Mutex), map[string]*adapter.Session{}}
		}), "RecoverSingleUse"},
		"rooms are not restored":     {store(func(a storing) adapter.Adapter { return resumesWithoutRooms{a} }), "RecoverMissed"},
		"nothing is replayed":        {store(func(a storing) adapter.Adapter { return replaysNothing{a} }), "RecoverLostOnTheWay"},
		"sessions are not stored":    {store(func(a storing) adapter.Adapter { return persistForgets{a} }), "RecoverNothingMissed"},
		"a removed socket is stored": {store(func(a storing) adapter.Adapter { return persistAnybody{a} }), "PersistAfterRemove"},
		"send is a broadcast":        {store(func(a storing) adapter.Adapter { return sendIsBroadcast{a} }), "RecoverMissed"},
		"any offset will do":         {store(func(a storing) adapter.Adapter { return takesAnyOffset{a} }), "RecoverBadOffset"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			failed := adaptertest.Failures(t, adaptertest.Cluster{
				Within: 300 * time.Millisecond,
				Start: func(t testing.TB) adapter.New {
					return func(l adapter.Local) (adapter.Adapter, error) { return tc.make(t, l), nil }
				},
			}, tc.found)
			if failed[tc.found] == "" {
				t.Errorf("check %s has passed", tc.found)
			}
		})
	}
}

func TestSuitePassesWhatIsSound(t *testing.T) {
	for name, new := range map[string]adapter.New{
		"memory": adapter.NewMemory, "recovery": adapter.NewRecovery(adapter.RecoveryConfig{}),
	} {
		failed := adaptertest.Failures(t, adaptertest.Cluster{Start: func(testing.TB) adapter.New { return new }})
		if len(failed) > 0 {
			t.Errorf("%s: %v", name, failed)
		}
	}
}
