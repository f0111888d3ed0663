// Package postgres connects Socket.IO servers through the notifications of
// PostgreSQL. It speaks the wire format of @socket.io/postgres-adapter 0.5.0, so
// that servers on Node and on Go are one cluster.
//
//	pool, err := pgxpool.New(ctx, "postgres://…")
//	err = postgres.CreateTable(ctx, pool, "")
//	server, err := socketio.NewServer(socketio.Config{
//		Adapter: postgres.New(postgres.Config{Pool: pool}),
//	})
//
// # On the wire
//
// Each namespace has the channel prefix#namespace, for requests and responses
// alike. A notification is one message of [cluster.Message] as JSON. What contains
// binary, or is longer than a notification can be, is put as MessagePack into a
// table, and the notification says which row; a server deletes rows that are older
// than Config.CleanupInterval. A namespace whose channel has more than 63 bytes
// can't be served: PostgreSQL's names end there.
//
// # Connections
//
// One connection of the server listens for all its namespaces; it is opened beside
// the pool. When it is lost it is opened again, with pauses of at most a second,
// and listens to everything again; a connection that has been quiet for five
// seconds is tried. What was sent meanwhile is lost.
//
// What gathers while the database is busy is sent in one transaction, and arrives
// in order, attachments included. [NewEmitter] is for processes without sockets.
//
// # When PostgreSQL fails
//
// This server's sockets never wait for the database. What is for other servers
// waits in a bounded queue; a query that takes more than five seconds is given up.
// Delivery between servers is at most once. Config.OnError is told of every
// failure, [cluster.Adapter.Stats] counts what was not sent, and what was received
// and made no sense.
//
// # Not here
//
// Connection state recovery: notifications are not kept. Nor does the official
// adapter have it.
package postgres
