// Package wrong uses definitions the wrong way at a client. Each marked line must
// be refused by the compiler, and no other.
package wrong

import (
	"context"

	"github.com/siokit/siokit/socketio"
	"github.com/siokit/siokit/socketio/client"
)

type message struct{ Text string }

var (
	both = socketio.DefineEvent[message]("both")
	up   = socketio.DefineEvent[message]("up").ToServer()
	down = socketio.DefineEvent[message]("down").ToClient()

	call     = socketio.DefineCall[message, int]("call")
	callUp   = socketio.DefineCall[message, int]("callUp").ToServer()
	callDown = socketio.DefineCall[message, int]("callDown").ToClient()
)

func wrong(ctx context.Context, c *client.Client, s *client.Socket, at *socketio.Socket, io *socketio.Server) {
	_ = down.Emit(s, message{})            // ERROR: only the server sends it
	_ = down.Emit(s.Volatile(), message{}) // ERROR: only the server sends it
	_ = both.Emit(c, message{})            // ERROR: that is how the server sends it
	up.On(s, handle)                       // ERROR: only the server receives it
	_ = up.Emit(ctx, at, message{})        // ERROR: not by the server
	_ = up.Emit(ctx, io, message{})        // ERROR: not by the server
	_ = up.Emit(ctx, s, "text")            // ERROR: wrong payload
	down.On(s, other)                      // ERROR: wrong payload in a handler
	down.On(at, handle)                    // ERROR: not at the server
	_, _ = callDown.Do(ctx, s, message{})  // ERROR: only the server asks
	_, _ = call.Do(ctx, c, message{})      // ERROR: that is how the server asks
	_, _ = callUp.Do(ctx, at, message{})   // ERROR: only clients ask
	callUp.On(s, answer)                   // ERROR: only the server answers
	callDown.On(io, answer)                // ERROR: only clients answer
	callDown.On(s, handle)                 // ERROR: a call has a reply
}

func right(ctx context.Context, c *client.Client, s *client.Socket) {
	for _, to := range []socketio.Upstream{c, s, s.Volatile(), s.Timeout(1)} {
		_ = up.Emit(ctx, to, message{})
		_ = both.ToServer().Emit(ctx, to, message{})
		_, _ = callUp.Do(ctx, to, message{})
		_, _ = call.ToServer().Do(ctx, to, message{})
	}
	for _, on := range []socketio.Downstream{c, s} {
		down.On(on, handle)
		both.ToClient().On(on, handle)
		callDown.On(on, answer)
		call.ToClient().On(on, answer)
	}
}

func handle(context.Context, message) error        { return nil }
func other(context.Context, string) error          { return nil }
func answer(context.Context, message) (int, error) { return 0, nil }
