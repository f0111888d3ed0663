// Command refserver is the server that the suites, benchmarks and clients of
// this project talk to. It uses exported API only, like any application.
//
// On one address it serves
//
//   - /engine.io/: Engine.IO that echoes every message, and variants of it under
//     /eio-…/ (engine.go);
//   - /socket.io/: Socket.IO with the handlers of the public protocol suites
//     (basic.go) and many more, and variants of it under /sio-…/ (socket.go);
//   - /debug/goroutines: the number of goroutines.
//
// Which optional parts there are it says itself: the acknowledgement of the
// event features is a list of their names. Handlers that begin with x: look into
// the server (probes.go). With -load it answers the few events of load.go and
// nothing else, for measuring.
//
// It prints one line when it listens and ends with status 0 on SIGTERM, after a
// graceful shutdown.
package main
