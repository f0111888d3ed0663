package socketio

import (
	"context"
	"time"

	"github.com/siokit/siokit/socketio/adapter"
)

// Unicast is one socket as a target, with flags: what Socket.Volatile and its
// like return. It is an immutable value.
type Unicast struct {
	socket  *Socket
	timeout time.Duration
	flags   sendFlags
}

// Volatile lets events be dropped when they cannot leave at once: when the
// client has not taken what was sent before, when it polls and no poll is
// pending, or during an upgrade.
func (u Unicast) Volatile() Unicast {
	u.flags |= adapter.Volatile
	return u
}

// Compress says whether to compress, where the transport does at all.
func (u Unicast) Compress(on bool) Unicast {
	u.flags = compress(u.flags, on)
	return u
}

// Timeout bounds the waiting for acknowledgements.
func (u Unicast) Timeout(d time.Duration) Unicast {
	u.timeout = d
	return u
}

// Emit is Socket.Emit with the flags.
func (u Unicast) Emit(event string, args ...any) error {
	return u.socket.emit(event, u.flags, nil, args)
}

// Send emits an event named "message".
func (u Unicast) Send(args ...any) error { return u.Emit("message", args...) }

// EmitWithAck is Socket.EmitWithAck with the flags and the timeout.
func (u Unicast) EmitWithAck(ctx context.Context, event string, args ...any) (*Ack, error) {
	ctx, cancel := u.socket.conn.server.config.withAckTimeout(ctx, u.timeout)
	defer cancel()
	return u.socket.ask(ctx, event, u.flags, args)
}

// EmitFunc is Socket.EmitFunc with the flags and the timeout.
func (u Unicast) EmitFunc(event string, f func(ctx context.Context, ack *Ack, err error), args ...any) error {
	mustNotBeNil(f)
	return u.socket.askLater(event, u.flags, u.timeout, f, args)
}

// To is everyone in these rooms but this socket, with the same flags.
func (u Unicast) To(rooms ...string) Broadcast { return u.Broadcast().To(rooms...) }

// In is To.
func (u Unicast) In(rooms ...string) Broadcast { return u.To(rooms...) }

// Except is everyone but those in these rooms and this socket, with the same
// flags.
func (u Unicast) Except(rooms ...string) Broadcast { return u.Broadcast().Except(rooms...) }

// Local is everyone on this server but this socket, with the same flags.
func (u Unicast) Local() Broadcast { return u.Broadcast().Local() }

// Broadcast is everyone in the namespace but this socket, with the same flags.
func (u Unicast) Broadcast() Broadcast {
	b := u.socket.Broadcast()
	b.flags, b.timeout = u.flags, u.timeout
	return b
}

func compress(f sendFlags, on bool) sendFlags {
	if on {
		return f &^ adapter.NoCompress
	}
	return f | adapter.NoCompress
}
