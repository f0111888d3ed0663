// Package conformance checks whether a server, in whatever language, speaks the
// Engine.IO and Socket.IO protocols.
//
// The suite is some 660 cases. Each has an id for ever, a level (what the
// protocol demands, what the reference server does, what it happens to do), a
// requirement in a sentence and its source. They talk to the server over raw
// HTTP and WebSocket and keep all that goes over the wire.
//
//	report, err := conformance.Run(ctx, conformance.URL("http://127.0.0.1:3000"), conformance.Options{})
//	if err != nil {
//		return err // nothing could be run: no server, no fixture, a wrong option
//	}
//	os.Exit(report.ExitCode())
//
// or, in a test of a server in Go, a subtest for each case:
//
//	conformance.Test(t, conformance.Handler(newFixture()), conformance.Options{})
//
// The server under test runs the small program that fixtures/CONTRACT.md
// describes. What it has beyond the program's basis is asked of it or found
// out; cases that need more are skipped, and counted.
//
// A verdict is only given on evidence. The run begins with a look for the
// program, so that nothing passes against a dead port; a connection that closes
// must not have closed by a ping timeout; and a failure while this process was
// itself starved of time is tried again.
//
// Package report writes the outcome, package chapters holds the cases, package
// spec says what a case is; with packages probe and wire cases of one's own are
// written. The command is cmd/sioconform.
package conformance
