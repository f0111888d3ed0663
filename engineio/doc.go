// Package engineio is an Engine.IO server: sessions that a client opens over
// HTTP long-polling and moves to WebSocket, kept alive by heartbeats, over
// which messages, text or bytes, flow both ways in order. Socket.IO stands on
// it; it is of use without. It speaks revision 4 of the protocol, and revision
// 3 behind an option.
//
// A Server is an http.Handler, and calls one Handler, the application:
//
//	type echo struct{}
//
//	func (echo) Open(s *engineio.Session) error                    { return nil }
//	func (echo) Message(s *engineio.Session, m engineio.Message)   { s.Send(m) }
//	func (echo) Close(*engineio.Session, engineio.Reason, error)   {}
//
//	srv, err := engineio.NewServer(engineio.Config{})
//	…
//	srv.Handle(echo{})
//	http.Handle("/engine.io/", srv)
//
// # Sending
//
// Session.Send copies messages into the session's outbox and writes what can be
// written without waiting. It never blocks, whatever the client does; a client
// that does not read is closed when its outbox is full (Limits.Outbox). Those
// who send more than a client may read call Session.Flush now and then.
//
// What is sent while Session.Cork holds leaves in one write, and so does what a
// handler sends in answer to messages that arrived together. A cork holds for a
// millisecond or two at most.
//
// A message to many is made once: Prepare, Session.Push for each, then
// Server.Uncork; Session.Subscribe and Server.Publish do that by topic.
//
// # Goroutines and memory
//
// An idle WebSocket session has one goroutine, which reads; an idle
// long-polling session has none. A writer exists while a client takes less than
// it is sent. Times are entries of one wheel a server; a server without
// sessions has no timer. After Server.Shutdown nothing of a server runs.
//
// # Guarantees
//
//   - Messages of one session are handed over in order, one at a time, and what
//     one goroutine sends arrives in order, also across an upgrade. Nothing
//     arrives twice. What was sent before a connection broke may be lost.
//   - Handler.Open comes before everything else of a session, Handler.Close once
//     for every Open that returned nil.
//   - Every method may be called from every goroutine and every callback.
//   - No input ends the process, grows memory beyond the limits, or reaches
//     another client. A panic of the Handler, of a Trace or of a transport's Link
//     ends the session that it was called for, and is logged.
//
// # Transports
//
// Polling and WebSocket are the built-in transports, in that order of a
// session's life. Config.Transports replaces or adds to them; what a transport
// has to do is said by Transport, Link and Port, and checked by package
// transporttest. The built-in ones use nothing else.
//
// # Differences from the reference server
//
// It follows engine.io 6.6.12, except where that guesses or gives in: base64
// and UTF-8 are strict; WebSocket handshakes of pages from another origin are
// refused unless Config.CORS lets them in; refused WebSocket handshakes are
// answered before the 101, with 403 where the request is forbidden; methods
// other than GET and POST get 405, and a GET whose body does not come 400; a
// ping that was sent before an upgrade still has to be answered after it;
// NoUpgrades is enforced; JSONP has to be asked for.
package engineio
