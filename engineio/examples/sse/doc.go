// Package sse is a worked example: an Engine.IO transport over plain HTTP, in
// which the server sends by server-sent events (one GET whose answer does not
// end) and the client by POST. Unlike long-polling it costs one request for all
// that the server sends; unlike WebSocket it passes every proxy that lets answers
// through as they come.
//
// In both directions a packet is the JSON string of its text form, so that line
// ends in it are harmless: an event of the server is
//
//	data: "4hello"
//
// and the body of a POST is any number of such strings:
//
//	"4hello" "bAQID"
//
// The files: transport.go (how requests get to the server, how packets look),
// link.go (the GET), post.go (the POSTs), client.go (the other end, for
// engineio/client). transport_test.go proves it with transporttest.Run.
package sse
