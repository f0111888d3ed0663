package socketio

import (
	"context"
	"errors"
	"sync"

	"github.com/siokit/siokit/sioparser"
)

// Upstream is everything that sends events to a server: *client.Socket, and
// what its Volatile and Timeout return. That its methods take a context, and so
// differ from a Target's, is what keeps the directions apart.
type Upstream interface {
	Emit(ctx context.Context, event string, args ...any) error
	EmitWithAck(ctx context.Context, event string, args ...any) (*Ack, error)
}

// Downstream is what events of a server are handled on: *client.Socket.
type Downstream interface {
	On(event string, h func(ctx context.Context, ev *Incoming) error) (stop func())
}

// NewAck makes the acknowledgement that a client's Upstream returns. args are
// handed over.
func NewAck(args sioparser.Args, values *sioparser.Values) *Ack { return &Ack{args, values} }

// Incoming is one event that a server sent to a client.
type Incoming struct {
	name   string
	args   sioparser.Args
	values *sioparser.Values
	reply  func(args []any) error

	mu    sync.Mutex // held while an answer is sent
	acked bool
}

// NewIncoming makes the event that a client's Downstream hands to its handlers.
// args are handed over; reply sends the acknowledgement, nil if none is wanted. An
// ArgumentError of it means that nothing was sent.
func NewIncoming(name string, args sioparser.Args, values *sioparser.Values, reply func(args []any) error) *Incoming {
	return &Incoming{name: name, args: args, values: values, reply: reply}
}

// Name is the event's name.
func (ev *Incoming) Name() string { return ev.name }

// Args are the arguments as they came, not decoded. Given to Emit or Ack they
// are relayed as they are.
func (ev *Incoming) Args() sioparser.Args { return ev.args }

// Len is the number of arguments.
func (ev *Incoming) Len() int { return ev.args.Len() }

// Bind decodes the arguments as Event.Bind does.
func (ev *Incoming) Bind(ptrs ...any) error {
	if err := ev.values.Bind(ev.args, ptrs...); err != nil {
		return &ArgumentError{Event: ev.name, Err: err}
	}
	return nil
}

// WantsAck reports whether the server waits for an acknowledgement.
func (ev *Incoming) WantsAck() bool { return ev.reply != nil }

// Ack sends the acknowledgement, once, as Event.Ack does: after that it returns
// ErrAcked. If the server wants none, Ack does nothing.
func (ev *Incoming) Ack(args ...any) error {
	if ev.reply == nil {
		return nil
	}
	ev.mu.Lock()
	defer ev.mu.Unlock()
	if ev.acked {
		return ErrAcked
	}
	err := ev.reply(args)
	var wrong *ArgumentError
	ev.acked = !errors.As(err, &wrong)
	return err
}
