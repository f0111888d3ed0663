// Package siotest tests applications of package socketio: a server and any number
// of clients in one process, on a network in memory that can be cut, silenced
// and slowed down.
//
//	func TestEcho(t *testing.T) {
//		synctest.Test(t, func(t *testing.T) {
//			io := siotest.New(t, socketio.Config{})
//			register(io.Server) // the application's handlers
//			c := io.Connect(client.Config{})
//			reply, err := Echo.Do(t.Context(), c, "hello")
//			…
//		})
//	}
//
// Everything that a real connection has is there: HTTP, polling, WebSocket,
// upgrade, heartbeats. In a bubble of testing/synctest time passes when nobody
// has anything to do; so heartbeats, timeouts, delays of reconnections and
// windows of recovery are tested as they will be configured, in milliseconds.
// synctest.Wait waits until everything that was sent has been handled, unless an
// upgrade or a delay holds it back for a while. Outside of a bubble it works too,
// in real time.
//
// [New] makes a server of a configuration; [Serve] takes the application's own,
// behind the handler that it serves it with. Client and Connect make clients of
// package socketio/client, each with a network of its own: Cut, Unreachable,
// Stall and Delay disturb that, MoveTo leads to another server of the test.
//
// When a test fails, its log ends with everything that its clients sent and
// received, with times (simulated ones, in a bubble), and what server and clients
// have logged:
//
//	 0.000s client 1 websocket -> 40
//	 0.000s client 1 websocket <- 40{"sid":"6N7rA3OG4lvcAQ1BVEFy"}
//	25.000s client 1 websocket <- 2
//	25.000s client 1 websocket -> 3
//
// Client and server end with the test; goroutines that outlive a bubble fail it.
// The handlers of a client run on a goroutine of its own: what they share with the
// test needs a channel, a lock or an atomic, as in a program.
package siotest
