// Package coder is a worked example: connections that another library has
// accepted, here WebSockets of github.com/coder/websocket, become sessions by
// engineio.Server.ServeConn.
//
//	srv, err := engineio.NewServer(engineio.Config{Transports: []engineio.Transport{engineio.Polling{}, coder.Transport{}}})
//	…
//	http.Handle("/engine.io/", coder.Handler(srv, nil))
//
// Clients notice no difference: they begin with long-polling and move here, or
// begin here. What is lost is what the built-in WebSocket does beyond framing:
// many messages in one write, idle sessions of four kilobytes, refusals before
// the 101. It is worth it where coder/websocket is in use already, with its
// options, or where the connections are not net/http's.
package coder
