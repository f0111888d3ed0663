package socketio

import (
	"context"
	"iter"
	"maps"
	"regexp"
	"slices"
	"sync"
	"time"
)

// A Matcher decides whether a namespace that a client asks for may come into
// being. ctx ends when the client goes.
type Matcher func(ctx context.Context, name string, h *Handshake) bool

// ParentNamespace stands for all namespaces that a pattern or a function lets
// come into being: its middlewares, hooks and handlers are theirs, called
// before their own, and what it emits goes to all of them.
type ParentNamespace struct {
	listener
	gate gate

	server  *Server
	match   Matcher
	pattern *regexp.Regexp // nil for one made by OfMatch

	mu       sync.Mutex
	children map[*Namespace]struct{}
}

// Use adds a middleware that each CONNECT to a child passes, before the
// child's own.
func (p *ParentNamespace) Use(m Middleware) (stop func()) { return p.gate.Use(m) }

// OnConnection calls h for each socket that joins a child, before the child's
// own hooks.
func (p *ParentNamespace) OnConnection(h ConnectionHook) (stop func()) {
	return p.gate.OnConnection(h)
}

// On calls h for every event of that name that a client sends to a child, before
// the child's own handlers. See Socket.On for the rest.
func (p *ParentNamespace) On(event string, h Handler, modes ...Mode) (stop func()) {
	p.server.hint(event)
	return p.listener.On(event, h, modes...)
}

// Once is On for one event only: the first of that name from any child.
func (p *ParentNamespace) Once(event string, h Handler, modes ...Mode) (stop func()) {
	p.server.hint(event)
	return p.listener.Once(event, h, modes...)
}

// Children yields the namespaces that exist, in no order.
func (p *ParentNamespace) Children() iter.Seq[*Namespace] {
	p.mu.Lock()
	children := slices.Collect(maps.Keys(p.children))
	p.mu.Unlock()
	return slices.Values(children)
}

func (p *ParentNamespace) everyone() Broadcast { return Broadcast{parent: p} }

// Emit sends an event to everyone in all children.
func (p *ParentNamespace) Emit(event string, args ...any) error {
	return p.everyone().Emit(event, args...)
}

// Send emits an event named "message".
func (p *ParentNamespace) Send(args ...any) error { return p.Emit("message", args...) }

// EmitWithAck sends an event to everyone in all children and yields the
// acknowledgements. See Broadcast.EmitWithAck.
func (p *ParentNamespace) EmitWithAck(ctx context.Context, event string, args ...any) iter.Seq2[Reply[*Ack], error] {
	return p.everyone().EmitWithAck(ctx, event, args...)
}

// FetchSockets yields the sockets of all children. See Broadcast.FetchSockets.
func (p *ParentNamespace) FetchSockets(ctx context.Context) iter.Seq2[*RemoteSocket, error] {
	return p.everyone().FetchSockets(ctx)
}

// SocketsJoin puts everyone in all children into rooms.
func (p *ParentNamespace) SocketsJoin(rooms ...string) error {
	return p.everyone().SocketsJoin(rooms...)
}

// SocketsLeave takes everyone in all children out of rooms.
func (p *ParentNamespace) SocketsLeave(rooms ...string) error {
	return p.everyone().SocketsLeave(rooms...)
}

// DisconnectSockets does with everyone in all children what Socket.Disconnect
// does with one.
func (p *ParentNamespace) DisconnectSockets(closeConnection bool) error {
	return p.everyone().DisconnectSockets(closeConnection)
}

// To is everyone in these rooms of any child.
func (p *ParentNamespace) To(rooms ...string) Broadcast { return p.everyone().To(rooms...) }

// In is To.
func (p *ParentNamespace) In(rooms ...string) Broadcast { return p.To(rooms...) }

// Except is everyone in all children but those in these rooms.
func (p *ParentNamespace) Except(rooms ...string) Broadcast { return p.everyone().Except(rooms...) }

// Local is everyone in all children on this server.
func (p *ParentNamespace) Local() Broadcast { return p.everyone().Local() }

// Volatile is everyone in all children, for events that may be lost.
func (p *ParentNamespace) Volatile() Broadcast { return p.everyone().Volatile() }

// Compress is everyone in all children, with or without compression.
func (p *ParentNamespace) Compress(on bool) Broadcast { return p.everyone().Compress(on) }

// Timeout is everyone in all children, with a bound on waiting.
func (p *ParentNamespace) Timeout(d time.Duration) Broadcast { return p.everyone().Timeout(d) }

// adopt makes n a child. The server's lock is held.
func (p *ParentNamespace) adopt(n *Namespace) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.children == nil {
		p.children = make(map[*Namespace]struct{})
	}
	p.children[n] = struct{}{}
}

// abandon forgets a child that was cleaned up.
func (p *ParentNamespace) abandon(n *Namespace) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.children, n)
}
