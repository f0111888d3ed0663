package socketio

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio/adapter"
)

// Broadcast is a set of sockets of one namespace, on all servers of the
// cluster, and how to send to them. It is an immutable value: each method
// returns another, none changes its receiver, and up to two rooms allocate
// nothing.
//
// Without To it is everyone; with it, whoever is in at least one of the rooms.
// A socket's id is a room.
type Broadcast struct {
	nsp     *Namespace
	parent  *ParentNamespace // instead of nsp
	self    string           // a socket that gets nothing: the one that speaks
	rooms   names
	except  names
	timeout time.Duration
	flags   sendFlags
}

// names is a set of up to two strings without an allocation, or more with one.
type names struct {
	few  [2]string
	n    int
	more []string // instead of few; never changed
}

func (s names) with(added []string) names {
	if s.n+len(added) <= len(s.few) {
		s.n += copy(s.few[s.n:], added)
		return s
	}
	more := make([]string, 0, s.n+len(added))
	more = append(more, s.list()...)
	s.more = append(more, added...)
	s.n = len(s.more)
	return s
}

// list returns the names; it may alias the receiver.
func (s *names) list() []string {
	if s.more != nil {
		return s.more
	}
	return s.few[:s.n:s.n]
}

// To adds rooms.
func (b Broadcast) To(rooms ...string) Broadcast {
	b.rooms = b.rooms.with(rooms)
	return b
}

// In is To.
func (b Broadcast) In(rooms ...string) Broadcast { return b.To(rooms...) }

// Except leaves out whoever is in one of these rooms.
func (b Broadcast) Except(rooms ...string) Broadcast {
	b.except = b.except.with(rooms)
	return b
}

// Local leaves out the sockets of other servers.
func (b Broadcast) Local() Broadcast {
	b.flags |= adapter.LocalOnly
	return b
}

// Volatile lets events be dropped for a client that they cannot be sent to at
// once.
func (b Broadcast) Volatile() Broadcast {
	b.flags |= adapter.Volatile
	return b
}

// Compress says whether to compress, where the transport does at all.
func (b Broadcast) Compress(on bool) Broadcast {
	b.flags = compress(b.flags, on)
	return b
}

// Timeout bounds the waiting for acknowledgements.
func (b Broadcast) Timeout(d time.Duration) Broadcast {
	b.timeout = d
	return b
}

// selection is what an adapter is asked for. It aliases b.
func (b *Broadcast) selection() adapter.Selection {
	if b.self != "" {
		b.except = b.except.with([]string{b.self})
		b.self = ""
	}
	return adapter.Selection{Rooms: b.rooms.list(), Except: b.except.list(), Flags: b.flags}
}

// Emit sends an event to each of the sockets, encoded once. It never blocks;
// a client that cannot take it is not an error.
func (b Broadcast) Emit(event string, args ...any) error {
	o, err := newEvent(b.server().config.Values, event, nil, args)
	if err != nil {
		return err
	}
	defer o.release()
	if b.parent != nil {
		return b.fanOut(func(b Broadcast) error { return b.publish(o) })
	}
	return b.publish(o)
}

// publish sends an event in the name of the namespace.
func (b Broadcast) publish(o *outgoing) error {
	o.packet.Namespace = b.nsp.name
	return b.nsp.adapter.Broadcast(&o.packet, b.selection())
}

func (b Broadcast) server() *Server {
	if b.parent != nil {
		return b.parent.server
	}
	return b.nsp.server
}

// Send emits an event named "message".
func (b Broadcast) Send(args ...any) error { return b.Emit("message", args...) }

// EmitWithAck sends an event to each of the sockets and yields their
// acknowledgements as they arrive. It ends when all have answered, or at the
// end of ctx (without a deadline: of Timeout, or of Config.AckTimeout); if some
// are missing then, the last element is a *PartialError. Leaving the loop stops
// the waiting. Each time the sequence is ranged over, the event is sent again.
func (b Broadcast) EmitWithAck(ctx context.Context, event string, args ...any) iter.Seq2[Reply[*Ack], error] {
	return func(yield func(Reply[*Ack], error) bool) {
		o, err := newEvent(b.server().config.Values, event, nil, args)
		if err != nil {
			yield(Reply[*Ack]{}, err)
			return
		}
		defer o.release()
		b.ask(ctx, o.packet)(yield)
	}
}

// ask is EmitWithAck for an event that is encoded: once for all children of a
// parent, and on the goroutine that ranges, since that runs the arguments' own
// methods.
func (b Broadcast) ask(ctx context.Context, p sioparser.Packet) iter.Seq2[Reply[*Ack], error] {
	if b.parent != nil {
		return overChildren(ctx, b, func(ctx context.Context, b Broadcast) iter.Seq2[Reply[*Ack], error] {
			return b.ask(ctx, p)
		})
	}
	asker, ok := b.nsp.adapter.(adapter.AckBroadcaster)
	if !ok {
		return failed[Reply[*Ack]](ErrUnsupported)
	}
	return func(yield func(Reply[*Ack], error) bool) {
		config := &b.nsp.server.config
		ctx, cancel := config.withAckTimeout(ctx, b.timeout)
		defer cancel()
		uncorkOf(ctx)
		p, b := p, b
		p.Namespace = b.nsp.name
		forward(config.Values, asker.BroadcastAck(ctx, &p, b.selection()), yield)
	}
}

// forward yields an adapter's replies in socketio's form.
func forward(values *sioparser.Values, replies iter.Seq2[adapter.Reply, error], yield func(Reply[*Ack], error) bool) {
	for r, err := range replies {
		reply := Reply[*Ack]{Node: r.Node, Socket: r.Socket}
		if err == nil {
			reply.Value = &Ack{r.Args, values}
		}
		if !yield(reply, timedOut(err)) {
			return
		}
	}
}

// timedOut says ErrAckTimeout where an adapter speaks of a deadline.
func timedOut(err error) error {
	var partial *PartialError
	if errors.As(err, &partial) && errors.Is(partial.Err, context.DeadlineExceeded) {
		own := *partial
		own.Err = ErrAckTimeout
		return &own
	}
	return err
}

// uncorkOf writes what the handler that ctx belongs to has sent, before it
// waits.
func uncorkOf(ctx context.Context) {
	if s, ok := ctx.Value(socketKey{}).(*Socket); ok {
		s.uncork()
	}
}

// FetchSockets yields the sockets, those of this server first. If another
// server has not answered at the end of ctx (without a deadline: of
// Config.AckTimeout), the last element is a *PartialError that names it.
func (b Broadcast) FetchSockets(ctx context.Context) iter.Seq2[*RemoteSocket, error] {
	if b.parent != nil {
		return overChildren(ctx, b, func(ctx context.Context, b Broadcast) iter.Seq2[*RemoteSocket, error] {
			return b.FetchSockets(ctx)
		})
	}
	fetcher, ok := b.nsp.adapter.(adapter.Fetcher)
	if !ok {
		return failed[*RemoteSocket](ErrUnsupported)
	}
	return func(yield func(*RemoteSocket, error) bool) {
		ctx, cancel := b.nsp.server.config.withAckTimeout(ctx, b.timeout)
		defer cancel()
		uncorkOf(ctx)
		b := b
		for info, err := range fetcher.Fetch(ctx, b.selection()) {
			if err != nil {
				yield(nil, timedOut(err))
				return
			}
			if !yield(newRemoteSocket(b.nsp, info), nil) {
				return
			}
		}
	}
}

// SocketsJoin puts the sockets into rooms; those of this server before it
// returns.
func (b Broadcast) SocketsJoin(rooms ...string) error {
	return b.move(func(m adapter.Mover, sel adapter.Selection) error { return m.JoinAll(sel, rooms...) })
}

// SocketsLeave takes the sockets out of rooms.
func (b Broadcast) SocketsLeave(rooms ...string) error {
	return b.move(func(m adapter.Mover, sel adapter.Selection) error { return m.LeaveAll(sel, rooms...) })
}

// DisconnectSockets does with the sockets what Socket.Disconnect does with one.
func (b Broadcast) DisconnectSockets(closeConnection bool) error {
	return b.move(func(m adapter.Mover, sel adapter.Selection) error {
		return m.DisconnectAll(sel, closeConnection)
	})
}

func (b Broadcast) move(do func(adapter.Mover, adapter.Selection) error) error {
	if b.parent != nil {
		return b.fanOut(func(b Broadcast) error { return b.move(do) })
	}
	mover, ok := b.nsp.adapter.(adapter.Mover)
	if !ok {
		return ErrUnsupported
	}
	return do(mover, b.selection())
}
