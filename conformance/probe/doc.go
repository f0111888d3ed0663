// Package probe is what a conformance case talks with: connections to the
// server under test, sessions of the protocol on them, and checks that end the
// case with what was expected beside what came.
//
// A case is a function of a [T]. A check that fails ends the function; the
// runner keeps the failure and the trace of every connection. Expectations are
// packets as they stand on the wire, with masks for what the server chooses:
//
//	s := t.Join("/")
//	s.Send(`421["message-with-ack","x"]`)
//	s.Expect(`431["x"]`)
//
// Waiting is bounded by [Timing]: a server has Patience to do what it must, and
// Quiet to show that it does nothing. Everything that depends on a server's
// timers is relative to the intervals that it announces.
package probe
