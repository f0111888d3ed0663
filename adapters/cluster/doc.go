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
// bus. Two packets that one goroutine sends arrive at each socket in that order.
//
// What comes from the bus is decoded into fixed types; what makes no sense is
// counted ([Adapter.Stats]), logged at debug level and dropped. A bus is
// nevertheless a place for servers only: who can write to it can speak for all
// of them.
//
// # Not here
//
// Connection state recovery across servers: the log would have to be the bus's.
package cluster
