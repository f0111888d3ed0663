// Package client is a Socket.IO client: for servers of Socket.IO 3 and 4, in
// whatever language, over HTTP long-polling, WebSocket and the upgrade between
// them. What it does by itself, and its defaults, are those of the official
// JavaScript client, npm's socket.io-client 4.8.4.
//
//	var Chat = socketio.DefineEvent[Message]("chat") // as the server has it
//
//	c, err := client.New("https://example.org", client.Config{})
//	defer c.Close()
//	Chat.ToClient().On(c, func(ctx context.Context, m Message) error { … })
//	err = c.Connect(ctx)
//	err = Chat.ToServer().Emit(ctx, c, Message{Text: "hello"})
//
// A [Client] is one connection, and, by embedding, the [Socket] of the main
// namespace; Of gives those of other namespaces, which share the connection.
//
// # Events
//
// The definitions of package socketio serve both ends: what is ToServer is
// emitted and asked here, what is ToClient is handled here, and the wrong
// direction does not compile. On, Emit and EmitWithAck take any name; [Event]'s
// Bind decodes. All that sends takes a context first, since it may have to wait:
// for an acknowledgement, or for room in a buffer.
//
// # Connection
//
// Connect waits until the server has let the socket in; Open doesn't. From then
// on the socket comes back by itself whenever the connection is lost, with
// growing delays (Config.ReconnectionDelay and its neighbours), until Disconnect
// is called or the server sends it away, with DISCONNECT or with a refusal
// (*ConnectError). Hooks tell: OnConnect each time it has joined, OnDisconnect
// with the official client's reason, OnConnectError for each attempt in vain.
// Config.Auth is asked before each CONNECT, so that a token may be fresh.
//
// If the server has connection state recovery, the client takes part: events that
// were missed arrive after the reconnection, the id is the same, and Recovered
// is true.
//
// # What is not lost
//
// An event that is emitted while the socket is not connected waits, and leaves
// when it is, in order; volatile ones don't wait. One that was sent when the
// connection broke may or may not have arrived; EmitWithAck tells so with a
// *DisconnectError. With Config.Retries each event is sent until the server has
// acknowledged it, one after the other: then it arrives at least once, also
// through restarts of the server. As long as the process lives: nothing is
// stored.
//
// # Order and goroutines
//
// The handlers and hooks of one socket run one at a time, in the order of the
// events, on a goroutine that exists while there is something to do; they may
// block, and wait for acknowledgements. What one goroutine sends arrives in
// order. A client that wants to be connected has one goroutine, its connection
// another, which reads. Close ends all of them and waits. Nothing runs at
// package level, so that clients work in bubbles of testing/synctest; package
// siotest has servers for them.
//
// # Bounds
//
// What waits to be sent and what waits for handlers is bounded (Config.Buffer,
// Inbox): Emit waits when the first is full, and a server that fills the second
// is disconnected. Config.Limits bounds what a single packet may hold. A server
// that sends what is no packet is left with the reason "parse error".
//
// # Differences from the official client
//
// A path in the URL is where the server is mounted, not a namespace. Delays vary
// also when they have reached their greatest value. A namespace that is waiting
// for the answer to CONNECT when the connection breaks reports OnConnectError
// rather than OnDisconnect. An acknowledgement never goes over another connection
// than its event came over. A CONNECT that is never answered counts as a failed
// attempt after Config.Timeout. EmitWithAck has a timeout by default.
package client
