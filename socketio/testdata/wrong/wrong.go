// Package wrong uses definitions the wrong way. Each marked line must be
// refused by the compiler, and no other.
package wrong

import (
	"context"

	"github.com/siokit/siokit/socketio"
)

type message struct{ Text string }

var (
	both    = socketio.DefineEvent[message]("both")
	in      = socketio.DefineEvent[message]("in").ToServer()
	out     = socketio.DefineEvent[message]("out").ToClient()
	pair    = socketio.DefineEvent[socketio.Args2[string, int]]("pair")
	between = socketio.DefineEvent[message]("between").BetweenServers()

	call        = socketio.DefineCall[message, int]("call")
	callIn      = socketio.DefineCall[message, int]("callIn").ToServer()
	callOut     = socketio.DefineCall[message, int]("callOut").ToClient()
	callBetween = socketio.DefineCall[message, int]("callBetween").BetweenServers()

	key = socketio.NewKey[message]("key")
)

func wrong(ctx context.Context, srv *socketio.Server, n *socketio.Namespace, s *socketio.Socket) {
	_ = both.Emit(s, "text")                                    // ERROR: wrong payload
	_ = both.Emit(s, message{}, message{})                      // ERROR: wrong arity
	_ = pair.Emit(s, "a", 1)                                    // ERROR: wrong arity
	_ = pair.Emit(s, socketio.Args2[int, string]{A: 1, B: "a"}) // ERROR: wrong order
	_ = in.Emit(s, message{})                                   // ERROR: to the server only
	_ = in.Emit(srv.To("room"), message{})                      // ERROR: to the server only
	out.On(n, handler)                                          // ERROR: to the client only
	both.On(n, other)                                           // ERROR: wrong payload in a handler
	_ = call.Emit(s, message{})                                 // ERROR: a call is not emitted
	_ = callOut.Emit(s, message{})                              // ERROR: a call is not emitted
	_, _ = call.Do(ctx, n.To("room"), message{})                // ERROR: Do asks one client
	_, _ = call.Do(ctx, n, message{})                           // ERROR: Do asks one client
	_ = call.DoAll(ctx, s, message{})                           // ERROR: DoAll asks many
	_, _ = callIn.Do(ctx, s, message{})                         // ERROR: to the server only
	callOut.On(n, answer)                                       // ERROR: to the client only
	_ = between.Emit(s, message{})                              // ERROR: not to a client
	_ = between.Emit(n.To("room"), message{})                   // ERROR: not to clients
	between.On(s, betweenHandler)                               // ERROR: not from a client
	_, _ = callBetween.Do(ctx, s, message{})                    // ERROR: not to a client
	_ = key.Set(s, 7)                                           // ERROR: wrong type
	var text string
	text, _ = key.Get(s) // ERROR: wrong type
	_ = text
}

func right(ctx context.Context, srv *socketio.Server, n *socketio.Namespace, s *socketio.Socket, r *socketio.RemoteSocket) {
	for _, to := range []socketio.Target{srv, n, s, s.Volatile(), n.To("room"), r} {
		_ = both.Emit(to, message{})
		_ = out.Emit(to, message{})
	}
	for _, on := range []socketio.Listener{srv, n, s} {
		both.On(on, handler)
		in.Once(on, handler, socketio.Inline)
		callIn.On(on, answer)
	}
	_ = pair.Emit(s, socketio.Args2[string, int]{A: "a", B: 1})
	_ = between.Emit(srv, message{})
	between.On(n, betweenHandler)
	callBetween.On(n, func(context.Context, message) (int, error) { return 0, nil })
	_ = callBetween.DoServers(ctx, n, message{})
	_, _ = call.Do(ctx, s.Volatile(), message{})
	_, _ = callOut.Do(ctx, r, message{})
	_ = call.DoAll(ctx, n.To("room"), message{})
	_ = key.Set(s, message{})
	_, _ = key.Get(r)
}

func handler(context.Context, *socketio.Socket, message) error       { return nil }
func other(context.Context, *socketio.Socket, string) error          { return nil }
func answer(context.Context, *socketio.Socket, message) (int, error) { return 0, nil }
func betweenHandler(context.Context, message) error                  { return nil }
