package main

import (
	"context"
	"errors"
	"time"

	"github.com/siokit/siokit/socketio"
)

// timedOut is the text with which the reference reports a missing
// acknowledgement.
const timedOut = "operation has timed out"

// handleEvents is the feature events.
func handleEvents(n *socketio.Namespace) {
	n.On("double-ack", func(_ context.Context, ev *socketio.Event) error {
		if err := ev.Ack(1); err != nil {
			return err
		}
		if err := ev.Ack(2); !errors.Is(err, socketio.ErrAcked) {
			return err
		}
		return nil
	})
	// Those that wait for the client run beside its other handlers.
	n.On("emit-with-ack", emitWithAck, socketio.Concurrent)
	n.On("emit-timeout", emitTimeout, socketio.Concurrent)

	n.On("close-me", func(_ context.Context, ev *socketio.Event) error {
		ev.Socket().Disconnect(true)
		return nil
	})
	n.On("handshake", func(_ context.Context, ev *socketio.Event) error { return ev.Ack(ev.Socket().Handshake()) })
	n.On("recovered", func(_ context.Context, ev *socketio.Event) error { return ev.Ack(ev.Socket().Recovered()) })
	n.On("nsps", func(_ context.Context, ev *socketio.Event) error {
		var names []string
		for s := range ev.Socket().Siblings() {
			names = append(names, s.Namespace().Name())
		}
		return ev.Ack(names)
	})
	n.On("burst", func(_ context.Context, ev *socketio.Event) error {
		return repeat(ev, func(i int) error { return ev.Socket().Emit("b", i) })
	})
	n.On("emit-undefined", func(_ context.Context, ev *socketio.Event) error {
		return ev.Socket().Emit("u", nil, nil)
	})
	n.On("emit-binary", func(_ context.Context, ev *socketio.Event) error {
		return ev.Socket().Emit("bin", []byte{1, 2, 3}, map[string][]byte{"a": {4}})
	})
}

func emitWithAck(ctx context.Context, ev *socketio.Event) error {
	ack, err := ev.Socket().EmitWithAck(ctx, "emit-with-ack", ev.Args())
	if err != nil {
		return err
	}
	return ev.Socket().Emit("emit-with-ack-result", ack.Args())
}

func emitTimeout(ctx context.Context, ev *socketio.Event) error {
	timeout, err := milliseconds(ev)
	if err != nil {
		return err
	}
	_, err = ev.Socket().Timeout(timeout).EmitWithAck(ctx, "no-ack")
	switch {
	case err == nil:
		return ev.Socket().Emit("emit-timeout-result", nil)
	case errors.Is(err, socketio.ErrAckTimeout):
		return ev.Socket().Emit("emit-timeout-result", timedOut)
	}
	return err
}

// milliseconds is the first argument of an event as a duration.
func milliseconds(ev *socketio.Event) (time.Duration, error) {
	var ms int64
	err := ev.Bind(&ms)
	return time.Duration(ms) * time.Millisecond, err
}

// repeat calls do as often as the event's first argument says, until it fails.
func repeat(ev *socketio.Event, do func(i int) error) error {
	var n int
	if err := ev.Bind(&n); err != nil {
		return err
	}
	for i := range n {
		if err := do(i); err != nil {
			return err
		}
	}
	return nil
}
