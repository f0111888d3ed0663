package socketio

import (
	"sync/atomic"

	"github.com/siokit/siokit/sioparser"
)

// Event is one event that a client sent.
type Event struct {
	socket *Socket
	name   string
	args   sioparser.Args
	id     uint64
	hasID  bool
	acked  atomic.Bool
}

// Name is the event's name.
func (ev *Event) Name() string { return ev.name }

// Socket is the socket that received it.
func (ev *Event) Socket() *Socket { return ev.socket }

// Args are the arguments as they came, not decoded. Given to Emit or Ack they
// are relayed as they are. They are valid until the handler returns; what Bind
// stored, and the attachments, stay valid.
func (ev *Event) Args() sioparser.Args { return ev.args }

// Len is the number of arguments.
func (ev *Event) Len() int { return ev.args.Len() }

// Bind decodes the arguments, one after the other, into what ptrs point to.
// Fewer pointers than arguments ignore the rest; missing arguments store zero
// values. The error is an *ArgumentError.
func (ev *Event) Bind(ptrs ...any) error {
	if err := ev.values().Bind(ev.args, ptrs...); err != nil {
		return &ArgumentError{Event: ev.name, Err: err}
	}
	return nil
}

// WantsAck reports whether the client waits for an acknowledgement.
func (ev *Event) WantsAck() bool { return ev.hasID }

// Ack sends the acknowledgement. It may be called from any goroutine, also
// after the handler has returned, but once: after that it returns ErrAcked. If
// the client wants none, Ack does nothing. Arguments that can't be encoded are an
// ArgumentError; nothing has been sent then, and you may answer again.
func (ev *Event) Ack(args ...any) error {
	if !ev.hasID {
		return nil
	}
	if ev.acked.Load() {
		return ErrAcked
	}
	answer, err := ev.socket.encodeAck(ev.id, args)
	if err != nil {
		return err
	}
	if ev.acked.Swap(true) {
		return ErrAcked
	}
	return ev.socket.transmit(answer, 0)
}

func (ev *Event) values() *sioparser.Values { return ev.socket.conn.server.config.Values }

// sizeOf is what arguments count in an inbox.
func sizeOf(args sioparser.Args) int64 {
	size := int64(len(args.Raw()))
	for _, b := range args.Attachments() {
		size += int64(len(b))
	}
	return size
}
