// Package tcp is a worked example: an Engine.IO transport over bare TCP, in both
// directions, on the exported parts of engineio alone.
//
// What travels is the protocol's own framing for streams (eioparser.StreamReader
// and AppendStreamPacket). The client speaks first, as over WebTransport: it
// sends an open packet, without data for a new session, or with {"sid":"…"} to
// move a session of long-polling here.
//
// A transport is three things, each in a file of its own:
//
//   - transport.go: its name, and how connections get to the server (Transport,
//     Serve)
//   - link.go: one client's connection (Read, Write, Close)
//   - client.go: the other end, for engineio/client
//
// transport_test.go proves it with transporttest.Run.
package tcp
