package main

import (
	"context"

	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio"
)

// greet emits the handshake's auth to each socket that joins: what the public
// protocol suites expect of / and /custom.
func greet(ctx context.Context, s *socketio.Socket) {
	s.Emit("auth", sioparser.RawArg(s.Handshake().Auth))
}

// handleMessages relays: the arguments go back as they came, as an event or as
// an acknowledgement.
func handleMessages(n *socketio.Namespace) {
	n.On("message", func(_ context.Context, ev *socketio.Event) error {
		return ev.Socket().Emit("message-back", ev.Args())
	})
	n.On("message-with-ack", func(_ context.Context, ev *socketio.Event) error {
		return ev.Ack(ev.Args())
	})
}
