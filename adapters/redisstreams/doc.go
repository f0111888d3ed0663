// Package redisstreams connects Socket.IO servers through Redis Streams, with
// connection state recovery across servers and restarts. It speaks the format of
// @socket.io/redis-streams-adapter 0.3.1, sessions included: servers on Node and on
// Go are one cluster, and a client that was on one is recovered on the other.
//
//	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:6379"})
//	server, err := socketio.NewServer(socketio.Config{
//		Adapter:  redisstreams.New(redisstreams.Config{Client: client, MaxDisconnection: 2 * time.Minute}),
//		Recovery: &socketio.Recovery{MaxDisconnection: 2 * time.Minute},
//	})
//
// # In Redis
//
// What all servers get and may have to read again (broadcasts, joining, leaving and
// disconnecting many sockets) are entries of the stream "socket.io", with the
// fields uid, nsp, type and data: JSON, or, with binary in it, MessagePack in
// base64. With several streams, a namespace is in one of them. Requests, responses
// and server-side events, which are of no use later, go through the channels
// socket.io#nsp# and socket.io#nsp#uid# in MessagePack. Sessions are strings under
// sio:session: and the client's private id, in MessagePack and base64, and expire.
//
// Beyond the official format, an entry has a serial number, by which repetitions
// are known, a session notes where its socket has been, responses say which socket
// they are from, and servers send heartbeats. Official servers pass all of it over.
//
// # Order
//
// With recovery, a server's own packets too are delivered when the server reads
// them in the stream: all sockets of all servers get them in the order of the
// stream, and the last offset that a client has seen says exactly what it missed.
// That costs one round trip to Redis before delivery. Without recovery, a server
// serves its own sockets at once.
//
// An official server delivers its own packets when Redis has answered, which may
// be before those of other servers that stand earlier in the stream: what its
// sockets missed in such a moment is not replayed. That is its limit, not the
// format's.
//
// # When Redis fails
//
// If a packet's offset has not come within a second, it is delivered without one,
// and so are those after it, at once, until the stream is readable again. A socket
// that was sent one of these can't be recovered until it gets a packet with an
// offset. What is for the stream waits in a bounded queue and is appended when
// Redis is back, as often as it takes: as long as Redis keeps what it has
// acknowledged (appendfsync always) nothing is lost, and servers of ours deliver
// nothing twice. A client that is recovered while Redis is away begins anew.
//
// The stream is trimmed to about Config.MaxLen entries. A server that was away for
// more goes on at the end and says so in the log; a client that has missed more is
// not recovered.
//
// # Not here
//
// RecoveryConfig.OnExpired of package adapter: sessions expire in Redis, which tells
// nobody.
package redisstreams
