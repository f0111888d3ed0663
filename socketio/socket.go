package socketio

import (
	"context"
	"errors"
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio/adapter"
)

// Socket is one client in one namespace. A client that joins several
// namespaces has a Socket in each, over one connection. All methods may be
// called from any goroutine, also from within its own handlers.
type Socket struct {
	listener

	// Immutable.
	conn   *conn
	name   string // of the namespace
	auth   []byte // what the client gave to CONNECT; nil if nothing
	since  time.Time
	ctx    context.Context
	cancel context.CancelCauseFunc

	// Written by the CONNECT's work, before anybody else sees the socket.
	id        string
	privateID string // what the client may present to get this session back
	recovered bool

	corked     atomic.Bool               // by the dispatcher
	handshake  atomic.Pointer[Handshake] // made when somebody asks for it
	queue      queue
	data       Data
	membership adapter.Membership

	mu        sync.Mutex
	life      atomic.Uint32 // a state; written under mu
	nsp       *Namespace    // nil while a dynamic namespace is being asked for
	entered   bool          // counted among the users of nsp
	served    bool          // has ever joined; for the dispatcher
	replaying bool          // the adapter replays what it missed
	flooded   bool          // early was not enough
	left      bool          // gone, and out of its namespace: its session is stored
	acks      map[uint64]pending
	early     []*engineio.Prepared // sent before the CONNECT is answered
	spare     int                  // of early: what is replayed, which has its own bounds
	told      []*delivery          // broadcasts that OnAnyOutgoing has to hear of
	rooms     []string             // when gone: those it was in, until OnDisconnect
	leaving   chan struct{}        // closed when left; nil while nobody waits for that

	place      int  // by conn.mu: in the roster
	held       bool // by conn.mu: the CONNECT waits for the end of an older one
	connecting bool // by conn.mu: the CONNECT's work has not returned
}

// maxEarly bounds what waits for the answer of a CONNECT.
const maxEarly = 4096

// state is where a socket is in its life; it only goes forward.
type state uint32

const (
	waiting state = iota // CONNECT arrived, and is not answered
	joined
	gone
)

func (s *Socket) state() state { return state(s.life.Load()) }

// socketKey finds the socket in the context of its handlers.
type socketKey struct{}

// socketValues is what a socket's context derives from: the values of the
// request's context, without its end.
type socketValues Socket

func (*socketValues) Deadline() (time.Time, bool) { return time.Time{}, false }
func (*socketValues) Done() <-chan struct{}       { return nil }
func (*socketValues) Err() error                  { return nil }

func (v *socketValues) Value(key any) any {
	if key == (socketKey{}) {
		return (*Socket)(v)
	}
	return v.conn.session.Context().Value(key)
}

func newSocket(c *conn, name string, auth []byte) *Socket {
	s := &Socket{conn: c, name: name}
	if c.legacy {
		s.id = legacyID(name, c.session.ID())
	} else {
		s.id = newID()
	}
	s.data.values = c.server.config.Values
	s.auth, s.since = auth, time.Now()
	s.ctx, s.cancel = context.WithCancelCause((*socketValues)(s))
	s.queue.running = true // by whoever begins the CONNECT's work
	return s
}

// ID is the socket's public id: 20 characters, unique, also a room's name that
// only this socket is in. It is neither the session's id nor secret.
func (s *Socket) ID() string { return s.id }

// Namespace is the namespace that the socket is in.
func (s *Socket) Namespace() *Namespace { return s.nsp }

// Context carries the values of the request's context and ends when the socket
// leaves its namespace, with a *DisconnectError as its cause. Handlers get it.
func (s *Socket) Context() context.Context { return s.ctx }

// Handshake is what is kept of the request and of CONNECT.
func (s *Socket) Handshake() *Handshake {
	if h := s.handshake.Load(); h != nil {
		return h
	}
	s.handshake.CompareAndSwap(nil, newHandshake(s.conn.session.Handshake(), s.auth, s.since))
	return s.handshake.Load()
}

// Auth decodes the object that the client gave to CONNECT.
func (s *Socket) Auth(ptr any) error {
	return s.conn.server.config.Values.BindJSON(authOrEmpty(s.auth), ptr)
}

// Data is what the application keeps with the socket: see Key.
func (s *Socket) Data() *Data { return &s.data }

// Session is the Engine.IO session that carries the socket.
func (s *Socket) Session() *engineio.Session { return s.conn.session }

// Siblings yields the sockets of this client in all namespaces, this one
// included.
func (s *Socket) Siblings() iter.Seq[*Socket] { return s.conn.joined }

// Connected reports whether the socket is in its namespace.
func (s *Socket) Connected() bool { return s.state() == joined }

// Recovered reports whether the socket continues the session of an earlier
// connection: with its id, rooms, data, and the packets that it missed.
func (s *Socket) Recovered() bool { return s.recovered }

// Rooms returns the rooms that the socket is in, its own id among them. In
// OnDisconnecting they are those that it was in.
func (s *Socket) Rooms() []string {
	if s.state() != gone {
		return s.membership.Rooms()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rooms
}

// Join puts the socket into rooms. It may be called in a connection middleware
// too. The error is ErrDisconnected, ErrTooManyRooms, or the adapter's.
func (s *Socket) Join(rooms ...string) error {
	err := s.nsp.adapter.Join(s, rooms...)
	if errors.Is(err, adapter.ErrRemoved) {
		return s.goneError()
	}
	return err
}

// Leave takes the socket out of rooms. Once it has returned, nothing more of
// these rooms is queued for the client.
func (s *Socket) Leave(rooms ...string) { s.nsp.adapter.Leave(s, rooms...) }

// Emit sends an event to the client. Arguments are encoded before it returns:
// by json/v2, with []byte at any depth as attachments (copied, unless given by
// Shared), and sioparser.Args relayed as they are. It never blocks. The errors:
// ErrDisconnected, ErrReserved, *ArgumentError, engineio.ErrSlowClient.
func (s *Socket) Emit(event string, args ...any) error {
	return s.emit(event, 0, nil, args)
}

// EmitWithAck sends an event and waits for the client's acknowledgement until
// ctx ends; if ctx has no deadline, for Config.AckTimeout. It may be called
// within a handler of the same socket. The errors, beside Emit's: ErrAckTimeout
// and ctx's cause.
func (s *Socket) EmitWithAck(ctx context.Context, event string, args ...any) (*Ack, error) {
	return Unicast{socket: s}.EmitWithAck(ctx, event, args...)
}

// EmitFunc sends an event and has f called with the client's acknowledgement, or
// with the error that EmitWithAck would have returned, in turn with the events of
// the socket: what the client sent before it is handled before. If EmitFunc
// returns an error f is not called, else once; ctx is the socket's.
func (s *Socket) EmitFunc(event string, f func(ctx context.Context, ack *Ack, err error), args ...any) error {
	return Unicast{socket: s}.EmitFunc(event, f, args...)
}

// Send emits an event named "message".
func (s *Socket) Send(args ...any) error { return s.Emit("message", args...) }

// Flush waits until most of what was sent to the client has left, for those
// who produce faster than a client reads; until ctx ends, or the connection.
func (s *Socket) Flush(ctx context.Context) error {
	s.uncork()
	return s.conn.session.Flush(ctx)
}

// Volatile is this socket as a target for events that may be lost: they are
// dropped when they cannot leave at once.
func (s *Socket) Volatile() Unicast { return Unicast{socket: s}.Volatile() }

// Compress is this socket as a target, with or without compression of what is
// sent (with is the default, where the transport compresses at all).
func (s *Socket) Compress(on bool) Unicast { return Unicast{socket: s}.Compress(on) }

// Timeout is this socket as a target, with a bound on the waiting for
// acknowledgements.
func (s *Socket) Timeout(d time.Duration) Unicast { return Unicast{socket: s}.Timeout(d) }

// Broadcast is everyone in the namespace but this socket.
func (s *Socket) Broadcast() Broadcast { return Broadcast{nsp: s.nsp, self: s.id} }

// To is everyone in these rooms but this socket.
func (s *Socket) To(rooms ...string) Broadcast { return s.Broadcast().To(rooms...) }

// In is To.
func (s *Socket) In(rooms ...string) Broadcast { return s.To(rooms...) }

// Except is everyone but those in these rooms and this socket.
func (s *Socket) Except(rooms ...string) Broadcast { return s.Broadcast().Except(rooms...) }

// Local is everyone on this server but this socket.
func (s *Socket) Local() Broadcast { return s.Broadcast().Local() }

// Disconnect takes the socket out of its namespace and tells the client; with
// closeConnection it takes all sockets of the client out and closes the
// connection. It starts the end and returns, wherever it is called. In a
// connection middleware it refuses the CONNECT.
func (s *Socket) Disconnect(closeConnection bool) {
	if s.state() == gone {
		return
	}
	if closeConnection {
		s.conn.disconnect()
		return
	}
	s.refused(&PublicError{Message: disconnectedText})
	s.end(ServerNamespaceDisconnect, nil, true)
}

// Push implements adapter.Socket; only an adapter calls it.
func (s *Socket) Push(d adapter.Delivery) { s.deliver(d.(*delivery)) }

// Membership implements adapter.Socket; only an adapter calls it.
func (s *Socket) Membership() *adapter.Membership { return &s.membership }

// goneError says why the socket can't be used any more.
func (s *Socket) goneError() error {
	if err := context.Cause(s.ctx); err != nil {
		return err
	}
	return ErrDisconnected
}

// listeners returns what may be registered for the socket: on the parent of its
// namespace, on the namespace, on itself, in the order of calling.
func (s *Socket) listeners() [3]*callbacks {
	all := [3]*callbacks{&nothing, &nothing, s.now()}
	if s.nsp != nil {
		all[1] = s.nsp.now()
		if p := s.nsp.parent; p != nil {
			all[0] = p.now()
		}
	}
	return all
}

// On calls h for every event of that name. The handlers of one name run in the
// order of their registration, the namespace's before the socket's. It panics if
// the name is reserved, since no client can send such an event. "connection",
// "new_namespace" and "error" are events like any other; as they are rarely meant
// so, a warning names OnConnection, OnNewNamespace and OnError.
func (s *Socket) On(event string, h Handler, modes ...Mode) (stop func()) {
	s.conn.server.hint(event)
	return s.listener.On(event, h, modes...)
}

// Once is On for one event only.
func (s *Socket) Once(event string, h Handler, modes ...Mode) (stop func()) {
	s.conn.server.hint(event)
	return s.listener.Once(event, h, modes...)
}

// OnAnyOutgoing calls h for every event that is sent to the socket, on the
// goroutine that sends it. The arguments are valid until h returns.
func (s *Socket) OnAnyOutgoing(h func(s *Socket, event string, args sioparser.Args)) (stop func()) {
	s.nsp.listening.Store(true)
	return s.listener.OnAnyOutgoing(h)
}

// PrependAnyOutgoing is OnAnyOutgoing, but h is called before what was registered
// on the socket earlier.
func (s *Socket) PrependAnyOutgoing(h func(s *Socket, event string, args sioparser.Args)) (stop func()) {
	s.nsp.listening.Store(true)
	return s.listener.PrependAnyOutgoing(h)
}

// receiveEvent queues an event for the dispatcher, or runs it at once if its
// handler was registered as Inline and nothing waits before it.
func (s *Socket) receiveEvent(p *sioparser.Packet) {
	t := &task{size: sizeOf(p.Args)}
	if !s.conn.inbox.hold(t.size) {
		s.conn.fail(engineio.TransportError, ErrInboxFull)
		return
	}
	ev := &t.event
	ev.socket, ev.id, ev.hasID = s, p.ID, p.HasID
	inline := false
	if s.state() == joined {
		ev.name, inline = s.recognise(p.Name)
	} else {
		ev.name = string(p.Name)
	}
	if inline && s.queue.claim() {
		ev.args, t.lent = p.Args, true
		s.handleInline(t)
		return
	}
	ev.args = p.Args.Clone()
	start, taken := s.queue.offer(t)
	switch {
	case !taken: // the socket has gone at this moment
		s.conn.inbox.release(t.size)
	case start:
		s.startDispatcher()
	}
}

// handleInline handles an event as the dispatcher would, on the goroutine that
// reads.
func (s *Socket) handleInline(t *task) {
	returned := false
	defer func() {
		if !returned {
			// There is nobody left who reads.
			s.conn.end(engineio.TransportError, errAbandoned)
			s.conn.session.Discard()
		}
		if !s.queue.rest() {
			s.startDispatcher()
		}
	}()
	s.handle(t)
	returned = true
	if t.lent {
		t.event.args = sioparser.Args{}
	}
	s.conn.session.Wake()
}

// recognise returns an event's name, without memory of its own if there is a
// handler, and whether all of them are to run inline.
func (s *Socket) recognise(name []byte) (known string, inline bool) {
	for _, l := range s.listeners() {
		for _, r := range l.events.find(string(name)) {
			known, inline = r.event, r.mode == Inline
			if !inline {
				return known, false
			}
		}
	}
	if known == "" {
		known = string(name)
	}
	return known, inline
}
