package socketio

import (
	"context"
)

// Target is everything that sends events to clients: *Server, *Namespace,
// *ParentNamespace, *Socket, Unicast, Broadcast, *RemoteSocket, and the
// emitters of the adapters' modules.
type Target interface {
	// Emit sends an event with its arguments. Values are encoded before it
	// returns; it neither blocks nor waits for a client.
	Emit(event string, args ...any) error
}

// ServerTarget is everything that sends events to other servers: *Server,
// *Namespace, and the emitters of the adapters' modules.
type ServerTarget interface {
	ServerSideEmit(event string, args ...any) error
}

// ServerListener is what events of other servers are handled on: *Server and
// *Namespace.
type ServerListener interface {
	OnServerSide(event string, h func(ctx context.Context, ev *ServerEvent) error) (stop func())
}

// DefineEvent defines an event whose arguments are T, in both directions;
// ToServer, ToClient and BetweenServers make it one-way. T is one argument
// unless it is None, Args2, Args3 or Rest. It panics if the
// name is reserved or empty.
func DefineEvent[T any](name string) EventBoth[T] {
	mustName(name)
	return EventBoth[T]{EventToServer[T]{name}, EventToClient[T]{name}, name}
}

// mustName panics if a definition's name can only be a mistake.
func mustName(name string) {
	if name == "" {
		panic("socketio: an event without a name")
	}
	if err := checkName(name); err != nil {
		panic(err.Error())
	}
}

// EventBoth is an event that clients and the server send each other. Its
// methods are the server's; at a client it is used as ToServer and ToClient.
type EventBoth[T any] struct {
	in   EventToServer[T]
	out  EventToClient[T]
	name string
}

// ToServer is the same event as only clients send it.
func (e EventBoth[T]) ToServer() EventToServer[T] { return e.in }

// ToClient is the same event as only the server sends it.
func (e EventBoth[T]) ToClient() EventToClient[T] { return e.out }

// BetweenServers is an event of that name among the servers of a cluster; no
// client sees it.
func (e EventBoth[T]) BetweenServers() EventBetweenServers[T] {
	return EventBetweenServers[T](e.in)
}

// Name is the event's name on the wire.
func (e EventBoth[T]) Name() string { return e.name }

// On is EventToServer.On.
func (e EventBoth[T]) On(l Listener, h func(ctx context.Context, s *Socket, v T) error, modes ...Mode) (stop func()) {
	return e.in.On(l, h, modes...)
}

// Once is EventToServer.Once.
func (e EventBoth[T]) Once(l Listener, h func(ctx context.Context, s *Socket, v T) error, modes ...Mode) (stop func()) {
	return e.in.Once(l, h, modes...)
}

// Emit is EventToClient.Emit.
func (e EventBoth[T]) Emit(to Target, v T) error { return e.out.Emit(to, v) }

// EventToServer is an event that clients send.
type EventToServer[T any] struct{ name string }

// Name is the event's name on the wire.
func (e EventToServer[T]) Name() string { return e.name }

// On calls h for each event, with its arguments decoded. Arguments that the client
// left out are zero values, those that it sent too many are ignored. If they
// don't fit, h is not called and OnError gets an *ArgumentError. The values are
// h's own.
func (e EventToServer[T]) On(l Listener, h func(ctx context.Context, s *Socket, v T) error, modes ...Mode) (stop func()) {
	return l.On(e.name, decoding(h), modes...)
}

// Once is On for one event only.
func (e EventToServer[T]) Once(l Listener, h func(ctx context.Context, s *Socket, v T) error, modes ...Mode) (stop func()) {
	return l.Once(e.name, decoding(h), modes...)
}

// Emit sends the event, from a client. It blocks as Upstream's Emit does.
func (e EventToServer[T]) Emit(ctx context.Context, to Upstream, v T) error {
	return to.Emit(ctx, e.name, unpack(nil, &v)...)
}

// decoding makes a Handler of a typed one.
func decoding[T any](h func(context.Context, *Socket, T) error) Handler {
	return func(ctx context.Context, ev *Event) error {
		var v T
		if err := pack(ev.values(), ev.args, &v); err != nil {
			return &ArgumentError{Event: ev.Name(), Err: err}
		}
		return h(ctx, ev.socket, v)
	}
}

// EventToClient is an event that the server sends.
type EventToClient[T any] struct{ name string }

// Name is the event's name on the wire.
func (e EventToClient[T]) Name() string { return e.name }

// Emit sends the event. It neither blocks nor waits for a client.
func (e EventToClient[T]) Emit(to Target, v T) error {
	var few [4]any
	return to.Emit(e.name, unpack(few[:0], &v)...)
}

// On calls h, at a client, for each event, with its arguments decoded. If they
// don't fit, h is not called and OnError gets an *ArgumentError. The values are
// h's own.
func (e EventToClient[T]) On(l Downstream, h func(ctx context.Context, v T) error) (stop func()) {
	return l.On(e.name, func(ctx context.Context, ev *Incoming) error {
		var v T
		if err := pack(ev.values, ev.args, &v); err != nil {
			return &ArgumentError{Event: e.name, Err: err}
		}
		return h(ctx, v)
	})
}

// EventBetweenServers is an event that the servers of a cluster send each
// other.
type EventBetweenServers[T any] struct{ name string }

// Name is the event's name on the wire.
func (e EventBetweenServers[T]) Name() string { return e.name }

// On calls h for each such event of another server.
func (e EventBetweenServers[T]) On(l ServerListener, h func(ctx context.Context, v T) error) (stop func()) {
	return l.OnServerSide(e.name, func(ctx context.Context, ev *ServerEvent) error {
		var v T
		if err := pack(ev.values(), ev.args, &v); err != nil {
			return &ArgumentError{Event: e.name, Err: err}
		}
		return h(ctx, v)
	})
}

// Emit sends the event to all other servers.
func (e EventBetweenServers[T]) Emit(to ServerTarget, v T) error {
	return to.ServerSideEmit(e.name, unpack(nil, &v)...)
}
