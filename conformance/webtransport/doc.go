// Package webtransport holds the conformance cases of Engine.IO over
// WebTransport: sessions that begin there, and upgrades from HTTP long-polling,
// over real HTTP/3. It is a module of its own, so that only who needs it
// downloads a QUIC implementation.
//
//	cases := webtransport.Cases(webtransport.Config{URL: "https://127.0.0.1:3000/engine.io/", TLS: trusted})
//	conformance.Test(t, conformance.URL("https://127.0.0.1:3000"), conformance.Options{Cases: cases, Features: webtransport.Needs})
//
// The server under test echoes messages at the path, over WebTransport and over
// HTTP long-polling, as fixtures/CONTRACT.md of package conformance asks of
// /engine.io/, and with upgrades to webtransport allowed. The cases read the
// intervals from the handshake.
package webtransport
