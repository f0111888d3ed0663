package main

import (
	"context"
	"errors"

	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio"
)

// handleMembership is join and leave, which load.go needs too. Both acknowledge
// with the number of rooms that the socket is in afterwards.
func handleMembership(n *socketio.Namespace) {
	n.On("join", func(_ context.Context, ev *socketio.Event) error {
		var room string
		if err := errors.Join(ev.Bind(&room), ev.Socket().Join(room)); err != nil {
			return err
		}
		return ev.Ack(len(ev.Socket().Rooms()))
	})
	n.On("leave", func(_ context.Context, ev *socketio.Event) error {
		var room string
		if err := ev.Bind(&room); err != nil {
			return err
		}
		ev.Socket().Leave(room)
		return ev.Ack(len(ev.Socket().Rooms()))
	})
}

// handleRooms is the feature rooms.
func handleRooms(n *socketio.Namespace) {
	relay := func(event string, to func(s *socketio.Socket, room string) socketio.Broadcast) {
		n.On(event, func(_ context.Context, ev *socketio.Event) error {
			var room, name string
			if err := ev.Bind(&room, &name); err != nil {
				return err
			}
			return to(ev.Socket(), room).Emit(name, after(ev, 2))
		})
	}
	relay("to", func(s *socketio.Socket, room string) socketio.Broadcast { return s.To(room) })
	relay("in", func(_ *socketio.Socket, room string) socketio.Broadcast { return n.In(room) })
	relay("except", func(_ *socketio.Socket, room string) socketio.Broadcast { return n.Except(room) })

	n.On("broadcast", func(_ context.Context, ev *socketio.Event) error {
		var name string
		if err := ev.Bind(&name); err != nil {
			return err
		}
		return ev.Socket().Broadcast().Emit(name, after(ev, 1))
	})
	n.On("all", func(_ context.Context, ev *socketio.Event) error {
		var name string
		if err := ev.Bind(&name); err != nil {
			return err
		}
		return n.Emit(name, after(ev, 1))
	})
	n.On("broadcast-ack", func(ctx context.Context, ev *socketio.Event) error {
		timeout, err := milliseconds(ev)
		if err != nil {
			return err
		}
		var failure any
		var replies []sioparser.Args
		for reply, err := range n.Timeout(timeout).EmitWithAck(ctx, "need-ack") {
			switch {
			case err == nil:
				replies = append(replies, first(reply.Value.Args()))
			case errors.Is(err, socketio.ErrAckTimeout):
				failure = timedOut
			default:
				failure = err.Error()
			}
		}
		all, err := array(replies)
		if err != nil {
			return err
		}
		return ev.Ack(failure, all)
	}, socketio.Concurrent)
}

// after returns the event's arguments without the first n.
func after(ev *socketio.Event, n int) sioparser.Args {
	args := ev.Args()
	return args.Slice(min(n, args.Len()), args.Len())
}
