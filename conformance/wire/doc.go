// Package wire is an HTTP and WebSocket client that can break the rules.
//
// Ordinary clients refuse to send what a conformance suite must send: unmasked
// or badly fragmented frames, text that is not UTF-8, bodies that stop halfway,
// header bytes no library lets through, several requests at once on purpose.
// Here every byte is the caller's. What comes back is parsed strictly, so that
// a server that breaks the rules is noticed too, and everything that went over
// a connection, in both directions, is kept in a [Trace].
//
// The client does nothing by itself: it follows no redirect, keeps no
// connection for later, answers no ping. Reading and writing one connection
// from two goroutines is fine; two readers or two writers are not.
package wire
