// Somebody who has a server and asks it, in a test of their own, whether it
// speaks the protocols.
package main

import (
	"context"
	"testing"
	"time"

	"github.com/siokit/siokit/conformance"
	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio"
)

func TestConformance(t *testing.T) {
	server, err := newServer()
	if err != nil {
		t.Fatal(err)
	}
	conformance.Test(t, conformance.Handler(server), conformance.Options{})
	if err := server.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}

// newServer is the server with the little program that the suite talks to.
func newServer() (*socketio.Server, error) {
	server, err := socketio.NewServer(socketio.Config{
		EngineConfig: engineio.Config{
			Path:         "/socket.io/",
			PingInterval: 300 * time.Millisecond,
			PingTimeout:  200 * time.Millisecond,
		},
		ConnectTimeout: time.Second,
	})
	if err != nil {
		return nil, err
	}
	greet := func(_ context.Context, s *socketio.Socket) { s.Emit("auth", sioparser.RawArg(s.Handshake().Auth)) }
	server.OnConnection(greet)
	server.Of("/custom").OnConnection(greet)
	server.On("message", func(_ context.Context, ev *socketio.Event) error {
		return ev.Socket().Emit("message-back", ev.Args())
	})
	server.On("message-with-ack", func(_ context.Context, ev *socketio.Event) error { return ev.Ack(ev.Args()) })
	return server, nil
}
