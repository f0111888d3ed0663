// Package client is an Engine.IO client: a session with a server over HTTP
// long-polling, WebSocket, or the upgrade from the first to the second, over
// which messages, text or bytes, flow both ways in order. It speaks revision 4
// of the protocol with every server that does; package engineio is one.
//
//	type printer struct{}
//
//	func (printer) Open(s *client.Session)                            { s.Send(engineio.Text("hello")) }
//	func (printer) Message(_ *client.Session, m engineio.Message)     { fmt.Printf("%s\n", m.Data) }
//	func (printer) Close(*client.Session, engineio.Reason, error)     {}
//
//	s, err := client.Dial(ctx, "https://example.org", printer{}, client.Config{})
//
// # Sending
//
// Session.Send copies messages into the session's outbox and never blocks,
// whatever the server does. What is queued together leaves together: in one
// request, as far as the server's maxPayload allows, or in one frame each. When
// the outbox is full Send returns ErrFull; Session.Flush waits for room.
//
// # Goroutines
//
// An open session has one goroutine, which reads; another writes while there is
// something to write, and one tries the upgrade after the handshake. Its only
// timer waits for the server's next ping. All of them are over when Session.Done
// is closed. The package has none of its own, so it works in bubbles of
// testing/synctest with Config.DialContext.
//
// # Guarantees
//
//   - Handler.Open comes before everything else, and Handler.Close once, last.
//     Message and Close are called on one goroutine, one at a time.
//   - Messages arrive in order, both ways, also across an upgrade, and none
//     twice. What was sent before a connection broke may be lost.
//   - Every method may be called from every goroutine and every callback.
//
// A session that has ended does not come back: reconnecting, with what that
// means for what was sent, is a matter of the layer above.
package client
