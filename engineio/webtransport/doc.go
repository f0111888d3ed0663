// Package webtransport carries Engine.IO sessions over WebTransport: one
// bidirectional stream of an HTTP/3 connection, on quic-go/webtransport-go.
// Browsers that have it move there from HTTP long-polling, as they move to
// WebSocket, or begin there.
//
//	srv, err := engineio.NewServer(engineio.Config{Transports: []engineio.Transport{
//		engineio.Polling{}, engineio.WebSocket{}, webtransport.Transport{},
//	}})
//	…
//	h3 := &http3.Server{Addr: ":443", TLSConfig: certificates, Handler: mux}
//	mux.Handle("/engine.io/", webtransport.NewHandler(srv, &wt.Server{H3: h3}))
//
// The README has the whole set-up, with TLS and Alt-Svc.
//
// # On the wire
//
// As with engine.io 6.6.12, the client opens the stream and sends an open
// packet: alone for a new session, with {"sid":"…"} to move one here. Packets
// are frames of eioparser's stream framing. Whoever closes the WebTransport
// session ends the session of Engine.IO.
//
// # Differences from other transports
//
// A connection costs the goroutines of quic-go, some ten of them, and every
// write one more while it lasts: it is the transport for clients on bad
// networks, not for the largest number of idle ones. Config.Middleware of
// engineio sees no requests of WebTransport; Config.Connect does, and
// Config.CORS decides which pages may connect.
package webtransport
