package socketio

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/siokit/siokit/sioparser"
)

// Ack is an acknowledgement that arrived: the arguments that the other side
// answered with. It is the receiver's to keep.
type Ack struct {
	args   sioparser.Args
	values *sioparser.Values
}

// Args are the arguments, not decoded.
func (a *Ack) Args() sioparser.Args { return a.args }

// Len is the number of arguments.
func (a *Ack) Len() int { return a.args.Len() }

// Bind decodes the arguments as Event.Bind does.
func (a *Ack) Bind(ptrs ...any) error {
	if err := a.values.Bind(a.args, ptrs...); err != nil {
		return &ArgumentError{Err: err}
	}
	return nil
}

// Reply is one acknowledgement among those of many.
type Reply[T any] struct {
	Value T
	// Node names the server that the reply came from; empty for this one.
	Node string
	// Socket is the id of the socket that answered; empty for servers, and for
	// sockets of nodes whose wire doesn't tell.
	Socket string
}

// A pending acknowledgement is told what became of it: once, under the
// socket's lock, so it must neither block nor call back. args alias memory
// that is reused after the call.
type pending interface {
	answered(s *Socket, args sioparser.Args, err error)
}

// await registers a pending acknowledgement, before the packet that asks for
// it can be answered.
func (s *Socket) await(id uint64, p pending) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state() == gone {
		return ErrDisconnected
	}
	if s.acks == nil {
		s.acks = make(map[uint64]pending)
	}
	s.acks[id] = p
	return nil
}

// forget drops a pending acknowledgement. It reports whether there was one;
// after that nothing is told any more.
func (s *Socket) forget(id uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.acks[id]
	delete(s.acks, id)
	return ok
}

// receiveAck resolves an acknowledgement, on the goroutine that reads, so that
// a handler may wait for it. An unknown id, or one that was answered before, is
// ignored.
func (s *Socket) receiveAck(p *sioparser.Packet) {
	if !p.HasID {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if waiting, ok := s.acks[p.ID]; ok {
		delete(s.acks, p.ID)
		waiting.answered(s, p.Args, nil)
	}
}

// outcome is what a single waiter gets.
type outcome struct {
	args sioparser.Args
	err  error
}

type waiter chan outcome

func (w waiter) answered(_ *Socket, args sioparser.Args, err error) {
	w <- outcome{args.Clone(), err} // has room for the one that ever comes
}

// ask emits an event and waits for its acknowledgement.
func (s *Socket) ask(ctx context.Context, event string, flags sendFlags, args []any) (*Ack, error) {
	id := s.nsp.nextAckID()
	w := make(waiter, 1)
	if err := s.await(id, w); err != nil {
		return nil, err
	}
	if err := s.emit(event, flags, &id, args); err != nil {
		s.forget(id)
		return nil, err
	}
	s.uncork()
	select {
	case o := <-w:
		return s.acknowledged(o)
	case <-ctx.Done():
	}
	if !s.forget(id) {
		return s.acknowledged(<-w) // it came at the same moment
	}
	return nil, waitError(ctx)
}

func (s *Socket) acknowledged(o outcome) (*Ack, error) {
	if o.err != nil {
		return nil, o.err
	}
	return &Ack{o.args, s.conn.server.config.Values}, nil
}

// waitError says why ctx ended the waiting for an acknowledgement.
func waitError(ctx context.Context) error {
	err := context.Cause(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return ErrAckTimeout
	}
	return err
}

// withAckTimeout bounds the waiting: by timeout if it is set, else by the
// default where ctx has no deadline.
func (c *Config) withAckTimeout(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if timeout <= 0 {
		if _, ok := ctx.Deadline(); ok || c.AckTimeout < 0 {
			return ctx, func() {}
		}
		timeout = c.AckTimeout
	}
	return context.WithTimeoutCause(ctx, timeout, ErrAckTimeout)
}

// failed is a sequence that consists of an error.
func failed[T any](err error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		yield(zero, err)
	}
}
