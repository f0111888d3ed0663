package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio"
	"github.com/siokit/siokit/socketio/internal/arguments"
)

// Emit sends an event. Arguments are encoded before it returns, by json/v2, with
// []byte at any depth as attachments (copied, unless given by socketio.Shared).
// While the socket is not connected events are kept, and sent when it is. Emit
// waits only if Config.Buffer is used up, until there is room or ctx ends. It
// returns ErrClosed, socketio.ErrReserved, a *socketio.ArgumentError, an error
// of the engine's if the server takes no messages of that size, or ctx's cause.
//
// With Config.Retries the event is sent until the server has acknowledged it;
// OnError hears when that was in vain.
func (s *Socket) Emit(ctx context.Context, event string, args ...any) error {
	return Sender{socket: s}.Emit(ctx, event, args...)
}

// EmitWithAck sends an event and waits for the server's acknowledgement until
// ctx ends; if ctx has no deadline, for Config.AckTimeout. The errors, beside
// Emit's: socketio.ErrAckTimeout, ctx's cause, and a *DisconnectError if the
// connection was lost after the event had been sent. An event that was not sent
// when the waiting ends is not sent any more.
//
// With Config.Retries it waits for as long as the tries take, or until ctx ends.
func (s *Socket) EmitWithAck(ctx context.Context, event string, args ...any) (*socketio.Ack, error) {
	return Sender{socket: s}.EmitWithAck(ctx, event, args...)
}

// Send emits an event named "message".
func (s *Socket) Send(ctx context.Context, args ...any) error { return s.Emit(ctx, "message", args...) }

// Volatile is this socket as a sender of events that may be lost: they are
// dropped when they cannot leave at once.
func (s *Socket) Volatile() Sender { return Sender{socket: s, volatile: true} }

// Timeout is this socket as a sender with a bound of its own on the waiting for
// acknowledgements; with Config.Retries, of each try.
func (s *Socket) Timeout(d time.Duration) Sender { return Sender{socket: s, timeout: d} }

// Sender is a socket with flags for what is sent. It is an immutable value.
type Sender struct {
	socket   *Socket
	volatile bool
	timeout  time.Duration
}

var _ socketio.Upstream = Sender{}

// Volatile is Socket.Volatile, with the same timeout.
func (f Sender) Volatile() Sender {
	f.volatile = true
	return f
}

// Timeout is Socket.Timeout, with the same flags.
func (f Sender) Timeout(d time.Duration) Sender {
	f.timeout = d
	return f
}

// Emit is Socket.Emit with the flags.
func (f Sender) Emit(ctx context.Context, event string, args ...any) error {
	encoded, err := f.socket.encodeEvent(event, args)
	if err != nil {
		return err
	}
	if f.retries() {
		return f.socket.entrust(ctx, &consignment{event: event, args: encoded, timeout: f.ackTimeout(), wanted: context.Background()})
	}
	p, err := f.socket.newEvent(event, encoded, nil)
	if err != nil {
		return err
	}
	p.volatile = f.volatile
	return f.socket.put(ctx, p)
}

// Send is Socket.Send with the flags.
func (f Sender) Send(ctx context.Context, args ...any) error { return f.Emit(ctx, "message", args...) }

// EmitWithAck is Socket.EmitWithAck with the flags.
func (f Sender) EmitWithAck(ctx context.Context, event string, args ...any) (*socketio.Ack, error) {
	if ctx.Err() != nil {
		return nil, ackError(context.Cause(ctx))
	}
	s := f.socket
	encoded, err := s.encodeEvent(event, args)
	if err != nil {
		return nil, err
	}
	if f.retries() {
		return s.deliver(ctx, &consignment{event: event, args: encoded, timeout: f.ackTimeout()})
	}
	if _, ok := ctx.Deadline(); f.timeout > 0 || !ok && f.ackTimeout() > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, f.ackTimeout(), socketio.ErrAckTimeout)
		defer cancel()
	}
	w := make(waiter, 1)
	p, err := s.newEvent(event, encoded, w)
	if err != nil {
		return nil, err
	}
	p.volatile = f.volatile
	if err := s.put(ctx, p); err != nil {
		return nil, ackError(err)
	}
	select {
	case o := <-w:
		return s.acknowledged(o)
	case <-ctx.Done():
	case <-s.client.ctx.Done():
	}
	if !s.forget(p) {
		return s.acknowledged(<-w) // it came at the same moment
	}
	if ctx.Err() == nil {
		return nil, ErrClosed
	}
	return nil, ackError(context.Cause(ctx))
}

func (f Sender) retries() bool { return f.socket.client.config.Retries > 0 && !f.volatile }

// ackTimeout is less than 0 if there is no bound.
func (f Sender) ackTimeout() time.Duration {
	if f.timeout > 0 {
		return f.timeout
	}
	return f.socket.client.config.AckTimeout
}

// ackError says why the waiting for an acknowledgement ended.
func ackError(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return socketio.ErrAckTimeout
	}
	return err
}

func (s *Socket) acknowledged(o outcome) (*socketio.Ack, error) {
	if o.err != nil {
		return nil, o.err
	}
	return socketio.NewAck(o.args, s.client.config.Values), nil
}

// encodeEvent checks an event's name and encodes its arguments.
func (s *Socket) encodeEvent(event string, args []any) (sioparser.Args, error) {
	if sioparser.Reserved(event) {
		return sioparser.Args{}, fmt.Errorf("%w: %q", socketio.ErrReserved, event)
	}
	encoded, err := arguments.Append(s.client.config.Values, sioparser.Args{}, args)
	if err != nil {
		return sioparser.Args{}, &socketio.ArgumentError{Event: event, Err: err}
	}
	return encoded, nil
}
