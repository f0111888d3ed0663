// Package eioparser reads and writes the Engine.IO protocol, revision 4: the
// transport layer below Socket.IO. It imports the standard library only and
// knows nothing of sessions, sockets or HTTP, so a proxy, a debugger, a client
// or a server of your own can be built on it.
//
// # What is where
//
// A session's packets travel in three forms, one for each kind of transport:
//
//   - WebSocket: one frame is one packet. [DecodeText] and [DecodeBinary] read
//     it, [AppendPacket] writes it (a binary message is its bytes as they are).
//   - HTTP long-polling: one body is several packets. [Payload] reads it,
//     [AppendPayload] writes it.
//   - Streams (WebTransport, plain TCP): frames with a header. [StreamReader]
//     reads them, [AppendStreamPacket] writes them.
//
// The first packet of a session holds a [Handshake]. Package eio3 has the
// previous revision, package jsonp the bodies of polling by JSONP, which wraps
// payloads of either revision.
//
//	for p, err := range eioparser.Payload(body) {
//		if err != nil {
//			return err // the session ends here
//		}
//		switch p.Type {
//		case eioparser.Ping:
//			reply = eioparser.AppendPacket(reply, eioparser.Packet{Type: eioparser.Pong, Data: p.Data})
//		case eioparser.Message:
//			handle(p.Binary, p.Data)
//		}
//	}
//
// # Guarantees
//
//   - Strict. What is not in the grammar above a function is an [Error]: unknown
//     types, empty packets, text that is not UTF-8, base64 in any but its one
//     form, numbers with anything but digits. The reference implementation is
//     laxer in places; the file DIFFERENCES.md of the module fuzz lists each.
//   - No input makes a function panic, recurse, run longer than in proportion to
//     the input's length, or allocate more than eight times that and 4 KiB.
//   - Decoding text and encoding into a buffer with room allocates nothing.
//     Decoders return parts of their input, never copies; the comment of each
//     says where that is otherwise. Encoders append to a slice of the caller's.
//   - All functions and values are safe for concurrent use, but for
//     [StreamReader].
//
// # Not here
//
// Who may send what, and when: a decoder hands out a ping from a client just as
// one from the server. Compression, HTTP, WebSocket frames: see package engineio.
//
// The protocol's chapters that the comments name are those of
// https://github.com/socketio/engine.io-protocol; the reference is the npm
// package engine.io-parser, 5.2.3.
package eioparser
