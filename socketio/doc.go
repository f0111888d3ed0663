// Package socketio is a Socket.IO server: namespaces, rooms, acknowledgements,
// binary, broadcasts and recovery, for every official client from version 2 on,
// over whatever transports the Engine.IO server below has. The reference, in these
// comments, is the npm package socket.io, 4.8.4.
//
//	var Chat = socketio.DefineEvent[Message]("chat")
//
//	io, err := socketio.NewServer(socketio.Config{})
//	Chat.On(io, func(ctx context.Context, s *socketio.Socket, m Message) error {
//		return Chat.Emit(s.To("lobby"), m)
//	})
//	io.OnConnection(func(ctx context.Context, s *socketio.Socket) { s.Join("lobby") })
//	http.Handle("/socket.io/", io)
//
// A [Server] is an http.Handler and, by embedding, the main [Namespace]. A
// client that joins a namespace is a [Socket] there; one client may have many.
//
// # Events
//
// Events are typed or not. [DefineEvent] and [DefineCall] fix a name, its
// arguments and its direction once; the definition then handles, emits,
// broadcasts and asks, and what does not fit does not compile. On, Emit and
// EmitWithAck take any name; [Event.Bind] decodes. Arguments stay as they came
// until somebody binds them, and [Event.Args] relays them so. Arguments that a
// client leaves out bind as zero values, those that it sends too many are ignored:
// check what must be there. What the reference announces as events has hooks here:
// OnConnection, OnDisconnecting, OnDisconnect, OnError, OnNewNamespace.
//
// # Order and goroutines
//
// The handlers of one socket run one at a time, in the order of the events, on
// a goroutine that exists while there is something to do: they may block, wait
// for the same client's acknowledgement, and call everything in this package.
// Pongs, acknowledgements and disconnects never wait behind them. Modes change
// that for a handler: [Inline] and [Concurrent]. What one goroutine sends
// arrives in order at each client. Sending never blocks: it puts a pointer into
// a bounded outbox, and a client that does not read until that is full is
// disconnected.
//
// Connection middlewares and hooks run on the same goroutine, before the first
// event, and so do the functions given to EmitFunc. A panic in any of it is
// recovered, reported to OnError with its stack, and ends that socket as
// Disconnect does: the client sees "io server disconnect", and official clients
// don't come back by themselves after it.
//
// # Ends
//
// A socket ends exactly once: its context is cancelled, its rooms are left and
// its pending acknowledgements fail at the moment when the reason is seen;
// OnDisconnecting and OnDisconnect follow behind the events that had arrived.
// Reasons are the reference server's texts. [Server.Shutdown] ends everything
// and waits.
//
// # Bytes
//
// A []byte anywhere in an argument is sent as an attachment. Emit copies it,
// once for all receivers, unless it comes from [Shared]. What Bind stored and
// the attachments that arrived are the handler's own.
//
// # Many servers
//
// Rooms, broadcasts and recovery are an adapter's work: Config.Adapter. The
// default knows the sockets of this process. Everything that reaches across
// servers takes a context and gives a [PartialError] with what is missing
// instead of waiting for ever.
//
// # What it is not
//
// Not a client (that is socketio/client), not a store of messages (delivery is at
// most once; recovery replays what a short outage missed, once), and not an
// authority on who may do what: that is a middleware's decision.
package socketio
