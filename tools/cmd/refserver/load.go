package main

import (
	"context"

	"github.com/siokit/siokit/socketio"
)

// handleLoad is what servers are measured with. None of the handlers blocks, so
// they run on the goroutine that reads; arguments are relayed as they came.
func handleLoad(io *socketio.Server) {
	io.On("echo", func(_ context.Context, ev *socketio.Event) error {
		return ev.Socket().Emit("echo", ev.Args())
	}, socketio.Inline)
	io.On("ack", func(_ context.Context, ev *socketio.Event) error {
		return ev.Ack(ev.Args())
	}, socketio.Inline)
	io.On("bcast", func(_ context.Context, ev *socketio.Event) error {
		var room string
		if err := ev.Bind(&room); err != nil {
			return err
		}
		return io.In(room).Emit("msg", ev.Args().Slice(min(1, ev.Len()), min(2, ev.Len())))
	}, socketio.Inline)
}
