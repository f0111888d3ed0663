// Package cluster connects Socket.IO servers over any message bus: a broadcast
// on one reaches the sockets of all, sockets of all servers can be looked up,
// moved and disconnected from each, and servers send each other events.
//
//	adapters := cluster.New(cluster.Config{Bus: bus})
//	server, err := socketio.NewServer(socketio.Config{Adapter: adapters})
//
// All that an engine needs to become an adapter is a [Bus]: publish and
// subscribe. [MemoryBus] is one within a process, for tests.
//
// # What is on the bus
//
// The 13 messages of the cluster adapter of socket.io-adapter 2.5.8, as
// [Message]. In which bytes is a [Codec]'s business; [JSON] is the default, and
// package msgpack below has more. Topics are prefix#namespace# for all servers
// of a namespace, and prefix#namespace#uid# for responses to one of them.
// Official adapters and
// this one understand each other; what this one says beyond them (which socket
// has acknowledged, which has gone) is in members that the official ones ignore.
//
// # Who is there
//
// A server announces itself, says goodbye, and in between is never silent for
// longer than the heartbeat interval; after the heartbeat timeout it is given
// up. Where the engine can count subscribers, heartbeats can be turned off.
//
// # Requests
//
// Fetching sockets, broadcasts with acknowledgements and server-side events with
// acknowledgements yield what arrives as it arrives. They end when everybody
// has answered, or when the context ends (after Config.RequestTimeout, if it has
// no deadline); then the last element is an [adapter.PartialError] that names
// the servers that have not answered. A server that leaves is not waited for.
//
// # Guarantees
//
// This server's own sockets never wait for the bus: they are served at once,
// also when it is frozen or gone. What is for other servers waits in a bounded
// queue, in order. Between servers, delivery is at most once: as good as the
// bus. Two packets that one goroutine sends arrive at each socket in that order; on a
// [Log], which does not hold what asks for acknowledgements, that may overtake what
// doesn't on its way to other servers.
//
// What comes from the bus is decoded into fixed types; what makes no sense is
// counted ([Adapter.Stats]), logged at debug level and dropped. A bus is
// nevertheless a place for servers only: who can write to it can speak for all
// of them.
//
// # Recovery
//
// A bus that is a [Log] keeps what may have to be replayed, in one order. With
// Config.MaxDisconnection the adapters are [Recovering]: a client that comes back,
// to whichever server, is sent exactly what it has missed. A packet's offset is the
// place of its entry, known after a round trip, and all servers deliver in the
// order of the log: until an entry of its own has come back, a server's sockets
// wait for it, and so does what is sent after it. After a second without an answer
// packets go out without an offset, and their sockets can't be recovered until an
// offset reaches them again.
//
// Two things follow. A socket that joins or leaves a room while a broadcast to that
// room waits is in it, or not, when that goes out; and a packet sent just before
// its socket is disconnected may not reach it, unless DisconnectAll does that.
// Broadcasts for this server alone are not in the log.
//
// An append that fails is repeated until it works, so nothing that fits into the
// queue is lost; repetitions are known by [Message.Serial], which official adapters
// don't look at: to them, something may come twice after such a failure.
package cluster
