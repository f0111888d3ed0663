// Package adapter is the contract between a Socket.IO server and what knows
// where its sockets are: which are in which rooms, on this server and, with a
// bus, on others. It holds two adapters for a single server and what is needed
// to write more.
//
//	server, err := socketio.NewServer(socketio.Config{
//		Adapter: cluster.New(cluster.Config{Bus: bus}), // without this line: NewMemory
//	})
//
// # For those who use one
//
// [NewMemory] makes the adapter of a single server; it is the default.
// [NewRecovery] adds connection state recovery: sessions of clients that were
// cut off, and a bounded log of what they may have missed. Adapters for several
// servers are modules of their own below adapters/.
//
// [Index] and [Observable] are what an application may want of an adapter: to
// look into its rooms, and to hear when they are created, joined, left and
// deleted.
//
// # For those who write one
//
// An [Adapter] has five methods. What more it can do it says by implementing
// optional interfaces, which the server finds by assertion: [AckBroadcaster],
// [Fetcher], [Mover], [ServerEmitter], [Counter], [SessionStore], [Restorer], [Index] and
// [Observable]. [Local] is what it is given to reach this server's sockets.
//
// An adapter that connects servers is best built around a [Memory]
// ([MakeMemory]), which is the index of its own sockets: embed it, send what
// concerns the others over the bus, and hand what comes from there to the
// Memory. [Memory.DeliverAck] and [Gather] help with acknowledgements and with
// answers from several servers. Package adapters/cluster does all of it over a
// bus of two methods. Whatever you write, run it through package adaptertest.
//
// # Guarantees
//
// A socket gets a broadcast once, however many of its rooms are selected. What
// one goroutine sends arrives at each socket in that order; with recovery, all
// sockets see one order. After Leave or Remove has returned, nothing more is
// queued on their account. A socket that was removed can't join again. Nothing
// blocks on a client. Memory is in proportion to what is there now, not to what
// once was.
//
// Locks are taken in this order: a socket's [Membership], the shards of the
// index by number, what [Socket.Push] locks. With recovery one lock comes
// before all of these. Hooks, Flush and everything else of the server's is
// called with none of them held.
//
// # Not here
//
// Encoding, middleware, handlers and sessions of the transport are the server's;
// this package imports nothing of it. An in-memory store loses sessions and log
// with the process.
package adapter
