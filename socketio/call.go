package socketio

import (
	"bytes"
	"context"
	"errors"
	"iter"

	"github.com/siokit/siokit/sioparser"
)

// Asker is one client that can be asked for an acknowledgement: *Socket,
// Unicast, *RemoteSocket.
type Asker interface {
	Target
	EmitWithAck(ctx context.Context, event string, args ...any) (*Ack, error)
}

// FuncAsker is one client that can be asked without waiting for it: *Socket,
// Unicast.
type FuncAsker interface {
	Target
	EmitFunc(event string, f func(ctx context.Context, ack *Ack, err error), args ...any) error
}

// Audience is any number of clients that can be asked: *Server, *Namespace,
// *ParentNamespace, Broadcast.
type Audience interface {
	EmitWithAck(ctx context.Context, event string, args ...any) iter.Seq2[Reply[*Ack], error]
}

// ServerAsker is the other servers of a cluster: *Server, *Namespace.
type ServerAsker interface {
	ServerSideEmitWithAck(ctx context.Context, event string, args ...any) iter.Seq2[Reply[*Ack], error]
}

// DefineCall defines an event with an acknowledgement, in both directions:
// arguments Req, reply Res. ToServer, ToClient and BetweenServers make it
// one-way. Both types may be None, Args2, Args3 or Rest. It panics if the name
// is reserved.
func DefineCall[Req, Res any](name string) CallBoth[Req, Res] {
	mustName(name)
	return CallBoth[Req, Res]{CallToServer[Req, Res]{name}, CallToClient[Req, Res]{name}, name}
}

// CallBoth is a call that clients and the server make to each other. Its
// methods are the server's; at a client it is used as ToServer and ToClient.
type CallBoth[Req, Res any] struct {
	in   CallToServer[Req, Res]
	out  CallToClient[Req, Res]
	name string
}

// ToServer is the same call as only clients make it.
func (c CallBoth[Req, Res]) ToServer() CallToServer[Req, Res] { return c.in }

// ToClient is the same call as only the server makes it.
func (c CallBoth[Req, Res]) ToClient() CallToClient[Req, Res] { return c.out }

// BetweenServers is a call of that name among the servers of a cluster.
func (c CallBoth[Req, Res]) BetweenServers() CallBetweenServers[Req, Res] {
	return CallBetweenServers[Req, Res](c.in)
}

// Name is the event's name on the wire.
func (c CallBoth[Req, Res]) Name() string { return c.name }

// On is CallToServer.On.
func (c CallBoth[Req, Res]) On(l Listener, h func(ctx context.Context, s *Socket, q Req) (Res, error), modes ...Mode) (stop func()) {
	return c.in.On(l, h, modes...)
}

// Do is CallToClient.Do.
func (c CallBoth[Req, Res]) Do(ctx context.Context, of Asker, q Req) (Res, error) {
	return c.out.Do(ctx, of, q)
}

// DoFunc is CallToClient.DoFunc.
func (c CallBoth[Req, Res]) DoFunc(of FuncAsker, q Req, f func(ctx context.Context, res Res, err error)) error {
	return c.out.DoFunc(of, q, f)
}

// DoAll is CallToClient.DoAll.
func (c CallBoth[Req, Res]) DoAll(ctx context.Context, of Audience, q Req) iter.Seq2[Reply[Res], error] {
	return c.out.DoAll(ctx, of, q)
}

// CallToServer is a call that clients make.
type CallToServer[Req, Res any] struct{ name string }

// Name is the event's name on the wire.
func (c CallToServer[Req, Res]) Name() string { return c.name }

// On calls h for each call and acknowledges with what it returns. Arguments that
// the client left out are zero values, those that it sent too many are ignored. An error is
// acknowledged as {"error":{"message":…}}: with its own text and data if it is
// a *PublicError, else as "internal error", and then OnError gets it too.
// Arguments that don't fit are answered with "invalid arguments". A client that
// asked for no acknowledgement gets none.
func (c CallToServer[Req, Res]) On(l Listener, h func(ctx context.Context, s *Socket, q Req) (Res, error), modes ...Mode) (stop func()) {
	return l.On(c.name, func(ctx context.Context, ev *Event) error {
		reply, err := answer(ctx, ev.values(), c.name, ev.args, func(ctx context.Context, q Req) (Res, error) {
			return h(ctx, ev.socket, q)
		})
		if sent := acknowledge(ev.Ack, reply); err == nil && !errors.Is(sent, ErrDisconnected) {
			err = sent
		}
		return err
	}, modes...)
}

// Do asks the server, from a client, and waits for its reply as Upstream's
// EmitWithAck does. It fails with that one's errors, a *RemoteError that the
// server answered with, or an *ArgumentError if the reply is not a Res.
func (c CallToServer[Req, Res]) Do(ctx context.Context, of Upstream, q Req) (Res, error) {
	ack, err := of.EmitWithAck(ctx, c.name, unpack(nil, &q)...)
	if err != nil {
		var zero Res
		return zero, err
	}
	return decodeReply[Res](c.name, ack)
}

// answer decodes a call's arguments, calls h and returns what the
// acknowledgement says. The error is one that the other side is not told of.
func answer[Req, Res any](ctx context.Context, values *sioparser.Values, name string, args sioparser.Args,
	h func(context.Context, Req) (Res, error)) (reply []any, err error) {
	var q Req
	if err := pack(values, args, &q); err != nil {
		return failure(argumentsText, nil), &ArgumentError{Event: name, Err: err}
	}
	res, err := h(ctx, q)
	if err == nil {
		return unpack(nil, &res), nil
	}
	var public *PublicError
	if errors.As(err, &public) {
		return failure(public.Message, public.Data), nil
	}
	return failure(internalErrorText, nil), err
}

// acknowledge answers a call, with an internal error if the reply has no form on
// the wire: who asked waits for an answer.
func acknowledge(ack func(...any) error, reply []any) error {
	err := ack(reply...)
	var wrong *ArgumentError
	if errors.As(err, &wrong) {
		_ = ack(failure(internalErrorText, nil)...)
	}
	return err
}

// failure is the acknowledgement of a call that failed.
func failure(message string, data any) []any {
	return []any{remoteFailure{wireError{message, data}}}
}

type remoteFailure struct {
	Error wireError `json:"error"`
}

// wireError is an error as CONNECT_ERROR and acknowledgements carry it.
type wireError struct {
	Message string `json:"message"`
	Data    any    `json:"data,omitzero"`
}

// CallToClient is a call that the server makes.
type CallToClient[Req, Res any] struct{ name string }

// Name is the event's name on the wire.
func (c CallToClient[Req, Res]) Name() string { return c.name }

// Do asks one client and waits for its reply: until ctx ends, or, if that has
// no deadline, for Config.AckTimeout. It fails with ErrAckTimeout,
// ErrDisconnected, a *RemoteError that the client answered with, or an
// *ArgumentError if the reply is not a Res.
func (c CallToClient[Req, Res]) Do(ctx context.Context, of Asker, q Req) (Res, error) {
	ack, err := of.EmitWithAck(ctx, c.name, unpack(nil, &q)...)
	if err != nil {
		var zero Res
		return zero, err
	}
	return decodeReply[Res](c.name, ack)
}

// On answers the server's call, at a client, with what h returns; errors as in
// CallToServer.On.
func (c CallToClient[Req, Res]) On(l Downstream, h func(ctx context.Context, q Req) (Res, error)) (stop func()) {
	return l.On(c.name, func(ctx context.Context, ev *Incoming) error {
		reply, err := answer(ctx, ev.values, c.name, ev.args, h)
		if sent := acknowledge(ev.Ack, reply); err == nil && !errors.Is(sent, ErrDisconnected) {
			err = sent
		}
		return err
	})
}

// DoFunc asks one client and has f called with what Do would have returned, in
// turn with the socket's events. If DoFunc returns an error f is not called, else
// once.
func (c CallToClient[Req, Res]) DoFunc(of FuncAsker, q Req, f func(ctx context.Context, res Res, err error)) error {
	mustNotBeNil(f)
	return of.EmitFunc(c.name, func(ctx context.Context, ack *Ack, err error) {
		var res Res
		if err == nil {
			res, err = decodeReply[Res](c.name, ack)
		}
		f(ctx, res, err)
	}, unpack(nil, &q)...)
}

// DoAll asks many clients, here and on other servers, and yields their replies
// as they arrive. A reply that is an error is yielded with it. It ends when all
// have answered, or at the end of ctx (or of Config.AckTimeout), and then the
// last element is a *PartialError that names what is missing. Leaving the loop
// stops the waiting.
func (c CallToClient[Req, Res]) DoAll(ctx context.Context, of Audience, q Req) iter.Seq2[Reply[Res], error] {
	return decodeReplies[Res](c.name, of.EmitWithAck(ctx, c.name, unpack(nil, &q)...))
}

// CallBetweenServers is a call that the servers of a cluster make to each
// other.
type CallBetweenServers[Req, Res any] struct{ name string }

// Name is the event's name on the wire.
func (c CallBetweenServers[Req, Res]) Name() string { return c.name }

// On answers the call of another server with what h returns; errors as in
// CallToServer.On.
func (c CallBetweenServers[Req, Res]) On(l ServerListener, h func(ctx context.Context, q Req) (Res, error)) (stop func()) {
	return l.OnServerSide(c.name, func(ctx context.Context, ev *ServerEvent) error {
		reply, err := answer(ctx, ev.values(), c.name, ev.args, h)
		return errors.Join(err, acknowledge(ev.Ack, reply))
	})
}

// DoServers asks all other servers, as DoAll asks clients.
func (c CallBetweenServers[Req, Res]) DoServers(ctx context.Context, of ServerAsker, q Req) iter.Seq2[Reply[Res], error] {
	return decodeReplies[Res](c.name, of.ServerSideEmitWithAck(ctx, c.name, unpack(nil, &q)...))
}

func decodeReplies[Res any](name string, acks iter.Seq2[Reply[*Ack], error]) iter.Seq2[Reply[Res], error] {
	return func(yield func(Reply[Res], error) bool) {
		for r, err := range acks {
			reply := Reply[Res]{Node: r.Node, Socket: r.Socket}
			if err == nil {
				reply.Value, err = decodeReply[Res](name, r.Value)
			}
			if !yield(reply, err) {
				return
			}
		}
	}
}

func decodeReply[Res any](name string, ack *Ack) (res Res, err error) {
	if err := remoteError(ack); err != nil {
		return res, err
	}
	if err := pack(ack.values, ack.args, &res); err != nil {
		return res, &ArgumentError{Event: name, Err: err}
	}
	return res, nil
}

// remoteError returns the error that an acknowledgement consists of, if it is
// exactly {"error":{"message":text}}, with data beside the text or without.
func remoteError(ack *Ack) error {
	if ack.args.Len() != 1 || !bytes.Contains(ack.args.Raw(), []byte(`"message"`)) {
		return nil
	}
	var outer map[string]sioparser.RawArg
	if ack.values.Bind(ack.args, &outer) != nil || len(outer) != 1 || outer["error"] == nil {
		return nil
	}
	var inner map[string]sioparser.RawArg
	var message *string
	if ack.values.BindJSON(outer["error"], &inner) != nil || inner["message"] == nil ||
		ack.values.BindJSON(inner["message"], &message) != nil || message == nil {
		return nil
	}
	data := inner["data"]
	if n := len(inner); n > 2 || n == 2 && data == nil {
		return nil
	}
	return &RemoteError{Message: *message, Data: data}
}
