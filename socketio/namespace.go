package socketio

import (
	"context"
	"iter"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/socketio/adapter"
)

// Middleware decides whether a client may join a namespace. The socket is not
// connected yet: what is sent to it leaves after the answer, and it may join
// rooms already. ctx ends when the client goes, and after
// Config.ConnectTimeout. The text of an error goes to the client in
// CONNECT_ERROR, with the data of a *PublicError. That is so for every error, as
// in the reference: what a stranger must not read, return as a *PublicError with
// a text of its own.
type Middleware func(ctx context.Context, s *Socket) error

// ConnectionHook is called when a socket has joined, before its first event is
// handled.
type ConnectionHook func(ctx context.Context, s *Socket)

// Namespace is a channel of its own over the clients' connections: with its
// own sockets, rooms, middlewares and handlers. All methods may be called from
// any goroutine.
type Namespace struct {
	listener

	// Immutable.
	server  *Server
	name    string
	parent  *ParentNamespace // of a dynamic namespace
	adapter adapter.Adapter
	store   adapter.SessionStore               // nil without recovery
	goodbye func() (*engineio.Prepared, error) // the DISCONNECT packet, built when first needed

	ready  chan struct{} // closed when the hooks of OnNewNamespace have returned
	gate   gate
	ackIDs atomic.Uint64
	peers  peers

	mu      sync.RWMutex
	sockets map[string]*Socket
	byPID   map[string]*Socket // only with recovery
	users   int                // sockets in it or about to be
	retired bool               // cleaned up: nobody may enter

	listening atomic.Bool // some socket has an OnAnyOutgoing
}

// gate is what a CONNECT passes, on a namespace or its parent.
type gate struct {
	middleware list[Middleware]
	connection list[ConnectionHook]
}

// Use adds a middleware that each CONNECT passes, in order of registration.
func (g *gate) Use(m Middleware) (stop func()) { return g.middleware.add(m) }

// OnConnection calls h for each socket that joins. The handlers that h
// registers on the socket miss no event.
func (g *gate) OnConnection(h ConnectionHook) (stop func()) { return g.connection.add(h) }

// Use adds a middleware that each CONNECT to the namespace passes, in order of
// registration.
func (n *Namespace) Use(m Middleware) (stop func()) { return n.gate.Use(m) }

// OnConnection calls h for each socket that joins the namespace, on the
// goroutine that will run its handlers. Handlers that h registers on the socket
// miss no event.
func (n *Namespace) OnConnection(h ConnectionHook) (stop func()) { return n.gate.OnConnection(h) }

// On calls h for every event of that name that a client sends to the namespace,
// before the handlers of its socket. See Socket.On for the rest.
func (n *Namespace) On(event string, h Handler, modes ...Mode) (stop func()) {
	n.server.hint(event)
	return n.listener.On(event, h, modes...)
}

// Once is On for one event only: the first of that name from any socket.
func (n *Namespace) Once(event string, h Handler, modes ...Mode) (stop func()) {
	n.server.hint(event)
	return n.listener.Once(event, h, modes...)
}

// Name is the namespace's name; it begins with "/".
func (n *Namespace) Name() string { return n.name }

// Server is the server that the namespace belongs to.
func (n *Namespace) Server() *Server { return n.server }

// Adapter is the namespace's adapter, for its optional interfaces: rooms and
// their hooks, the number of servers.
func (n *Namespace) Adapter() adapter.Adapter { return n.adapter }

// Socket returns the socket with that id, if it is connected to this server.
func (n *Namespace) Socket(id string) (*Socket, bool) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	s, ok := n.sockets[id]
	return s, ok
}

// Sockets yields the sockets of this server as they are when the iteration
// begins, in no order.
func (n *Namespace) Sockets() iter.Seq[*Socket] {
	return func(yield func(*Socket) bool) {
		n.mu.RLock()
		sockets := slices.Collect(maps.Values(n.sockets))
		n.mu.RUnlock()
		for _, s := range sockets {
			if !yield(s) {
				return
			}
		}
	}
}

// Len is the number of sockets of this server.
func (n *Namespace) Len() int {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return len(n.sockets)
}

func (n *Namespace) everyone() Broadcast { return Broadcast{nsp: n} }

// Emit sends an event to everyone in the namespace, on all servers. See
// Broadcast.Emit.
func (n *Namespace) Emit(event string, args ...any) error { return n.everyone().Emit(event, args...) }

// Send emits an event named "message".
func (n *Namespace) Send(args ...any) error { return n.Emit("message", args...) }

// EmitWithAck sends an event to everyone in the namespace and yields the
// acknowledgements. See Broadcast.EmitWithAck.
func (n *Namespace) EmitWithAck(ctx context.Context, event string, args ...any) iter.Seq2[Reply[*Ack], error] {
	return n.everyone().EmitWithAck(ctx, event, args...)
}

// To is everyone in these rooms.
func (n *Namespace) To(rooms ...string) Broadcast { return n.everyone().To(rooms...) }

// In is To.
func (n *Namespace) In(rooms ...string) Broadcast { return n.To(rooms...) }

// Except is everyone but those in these rooms.
func (n *Namespace) Except(rooms ...string) Broadcast { return n.everyone().Except(rooms...) }

// Local is everyone on this server.
func (n *Namespace) Local() Broadcast { return n.everyone().Local() }

// Volatile is everyone, for events that may be lost. See Broadcast.Volatile.
func (n *Namespace) Volatile() Broadcast { return n.everyone().Volatile() }

// Compress is everyone, with or without compression.
func (n *Namespace) Compress(on bool) Broadcast { return n.everyone().Compress(on) }

// Timeout is everyone, with a bound on the waiting for acknowledgements.
func (n *Namespace) Timeout(d time.Duration) Broadcast { return n.everyone().Timeout(d) }

// FetchSockets yields the sockets of all servers. See Broadcast.FetchSockets.
func (n *Namespace) FetchSockets(ctx context.Context) iter.Seq2[*RemoteSocket, error] {
	return n.everyone().FetchSockets(ctx)
}

// SocketsJoin puts everyone into rooms.
func (n *Namespace) SocketsJoin(rooms ...string) error { return n.everyone().SocketsJoin(rooms...) }

// SocketsLeave takes everyone out of rooms.
func (n *Namespace) SocketsLeave(rooms ...string) error { return n.everyone().SocketsLeave(rooms...) }

// DisconnectSockets does with everyone what Socket.Disconnect does with one.
func (n *Namespace) DisconnectSockets(closeConnection bool) error {
	return n.everyone().DisconnectSockets(closeConnection)
}

func (n *Namespace) nextAckID() uint64 { return n.ackIDs.Add(1) - 1 }

// overheard reports whether some OnAnyOutgoing may have to hear of broadcasts.
func (n *Namespace) overheard() bool {
	return n.listening.Load() || !n.now().outgoing.empty() ||
		n.parent != nil && !n.parent.now().outgoing.empty()
}

// middlewares returns the parent's and then the namespace's own.
func (n *Namespace) middlewares() []*Middleware {
	if n.parent == nil {
		return n.gate.middleware.all()
	}
	return slices.Concat(n.parent.gate.middleware.all(), n.gate.middleware.all())
}

// unguarded reports whether a CONNECT can be answered without asking anybody.
func (n *Namespace) unguarded() bool {
	select {
	case <-n.ready:
		return n.store == nil && n.gate.middleware.empty() && (n.parent == nil || n.parent.gate.middleware.empty())
	default:
		return false
	}
}

// connectionHooks returns the parent's and then the namespace's own.
func (n *Namespace) connectionHooks() []*ConnectionHook {
	if n.parent == nil {
		return n.gate.connection.all()
	}
	return slices.Concat(n.parent.gate.connection.all(), n.gate.connection.all())
}

// enter counts a socket that will join. It fails if the namespace has been
// cleaned up.
func (n *Namespace) enter() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.retired {
		return false
	}
	n.users++
	return true
}

// leave undoes enter; the last one out of a dynamic namespace may end it.
func (n *Namespace) leave() {
	n.mu.Lock()
	n.users--
	last := n.users == 0 && n.parent != nil && n.server.config.CleanupEmptyChildNamespaces && !n.retired
	if last {
		n.retired = true
	}
	n.mu.Unlock()
	if last {
		n.server.drop(n)
	}
}

// add registers a socket that has joined.
func (n *Namespace) add(s *Socket) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.sockets[s.id] = s
	if s.privateID != "" {
		n.byPID[s.privateID] = s
	}
}

// returns registers a socket that has its old session back and has not joined yet:
// its client may come over another connection meanwhile.
func (n *Namespace) returns(s *Socket) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.byPID[s.privateID] = s
}

// remove forgets a socket that had joined, or returned.
func (n *Namespace) remove(s *Socket) {
	n.mu.Lock()
	if n.sockets[s.id] == s {
		delete(n.sockets, s.id)
	}
	if n.byPID[s.privateID] == s {
		delete(n.byPID, s.privateID)
	}
	n.mu.Unlock()
}

// withPrivateID returns the live socket of a private id.
func (n *Namespace) withPrivateID(pid string) *Socket {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.byPID[pid]
}
