// Package nats connects Socket.IO servers through NATS, with connection state
// recovery by JetStream if that is wanted.
//
//	conn, err := natsgo.Connect(url, natsgo.MaxReconnects(-1), natsgo.ReconnectWait(250*time.Millisecond))
//	server, err := socketio.NewServer(socketio.Config{
//		Adapter:  nats.New(nats.Config{Conn: conn, Recovery: &nats.Recovery{}}),
//		Recovery: &socketio.Recovery{},
//	})
//
// natsgo is github.com/nats-io/nats.go. There is no official adapter for NATS: all
// servers of a cluster are ones of this package.
//
// # On the wire
//
// The messages of [cluster.Message] as MessagePack, binary included, on these
// subjects, where NAMESPACE and UID have other bytes than letters, digits, "-" and
// "_" as "%" and two hex digits:
//
//	socketio.all.NAMESPACE      for all servers of a namespace
//	socketio.to.NAMESPACE.UID   responses to one of them
//	socketio.log.NAMESPACE      with recovery: what may be replayed, in a stream
//
// A message can't be larger than the server's max_payload, 1 MiB if it isn't set.
//
// # Recovery
//
// With Config.Recovery, broadcasts and emits to single sockets are messages of a
// JetStream stream. A packet's offset is its place in the stream, so that all
// servers deliver in one order, and a client that comes back, to whichever server,
// is sent exactly what it has missed; sessions wait in a key-value bucket. Both
// outlive the servers, NATS ones included, unless Recovery.Memory is set.
//
// A packet has its offset when JetStream has answered: until then, a millisecond or
// two, it waits. If there is no answer for a second, packets go out without, and
// their sockets can't be recovered until they are sent something with an offset
// again. Appending is repeated until it has worked; what comes twice is recognised.
// See [cluster.Recovering].
//
// # When NATS fails
//
// This server's sockets are served on, with recovery after that second. Without
// recovery, delivery between servers is at most once, and the client library keeps
// some megabytes for the time when it is connected again. With it, what was sent in
// between follows when JetStream is back, as far as the bounded queue has held it.
package nats
