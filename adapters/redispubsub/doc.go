// Package redispubsub connects Socket.IO servers through the channels of Redis. It
// speaks the wire formats of @socket.io/redis-adapter 8.3.0, so that servers on
// Node and on Go are one cluster, and so are their emitters.
//
//	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:6379"})
//	server, err := socketio.NewServer(socketio.Config{
//		Adapter: redispubsub.New(redispubsub.Config{Client: client}),
//	})
//
// # Modes
//
// [Classic] is what createAdapter of the official package speaks, and works with
// every Redis. The sharded modes are those of createShardedAdapter: they need
// Redis 7, spread over the servers of a Redis Cluster, and, if dynamic, bring a
// broadcast to one room only to servers that have somebody in there. All servers
// of a cluster need the same mode.
//
// # On the wire
//
// With the prefix "socket.io" and a namespace nsp, the classic channels are
// socket.io#nsp# and socket.io#nsp#room# for broadcasts in MessagePack,
// socket.io-request#nsp# for requests and socket.io-response#nsp#, with the name
// of a server behind it if SpecificResponses is set, for responses, in JSON or
// MessagePack. The sharded channels are socket.io#nsp#, socket.io#nsp#uid# and
// socket.io#nsp#room# with the messages of [cluster.Message], in JSON or, when
// they contain binary, MessagePack.
//
// Beyond the official format, responses say which server and which socket they are
// from, and servers send heartbeats; official servers pass both over.
//
// # Who is there
//
// Redis counts the subscribers of a channel: that many servers are waited for. Ours
// are known by name through their heartbeats, so that an [adapter.PartialError]
// names those that are silent; official ones are counted in its MoreNodes.
//
// # When Redis fails
//
// This server's sockets never wait for Redis. While it is out of reach, what is for
// others waits in a bounded queue for as long as a command may take, and is then
// dropped: delivery between servers is at most once, nothing is sent twice.
// Subscriptions are made again as soon as Redis is back. A Redis that freezes is
// given up after five seconds of silence and dialled anew.
//
// In the dynamic modes the subscription of a room begins with its first member, and
// takes a round trip: what another server sends to that room before is missed, as
// with the official adapter. Only for a second after SocketsJoin, what the same
// server sends to those rooms goes to all servers.
//
// In Redis Cluster, the sharded modes keep no order between broadcasts to a room
// and to everyone, as their channels are on different servers.
//
// # Not here
//
// Connection state recovery: channels keep nothing. See package redisstreams.
package redispubsub
