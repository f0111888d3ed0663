package main

import (
	"context"
	"time"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/socketio"
)

// How long a silent connection is believed to live, and how long its user
// counts as there although it is gone: a tunnel, a lift, a restarted router.
const (
	heartbeat = 25 * time.Second
	patience  = 2 * time.Minute
)

// The events: who is there, and what they write.
var (
	Here = socketio.DefineEvent[string]("here").ToClient()
	Gone = socketio.DefineEvent[string]("gone").ToClient()
	Say  = socketio.DefineEvent[string]("say")
)

// newServer tells everybody who comes and who goes. Who is away for less than
// the patience has never been gone: the client gets its id, its rooms, its
// data and what it missed, and the others hear nothing.
func newServer() (*socketio.Server, error) {
	var io *socketio.Server
	io, err := socketio.NewServer(socketio.Config{
		EngineConfig: engineio.Config{PingInterval: heartbeat, PingTimeout: 20 * time.Second},
		Recovery: &socketio.Recovery{
			MaxDisconnection: patience,
			OnExpired:        func(namespace, id string) { _ = Gone.Emit(io, id) },
		},
	})
	if err != nil {
		return nil, err
	}
	io.OnConnection(func(ctx context.Context, s *socketio.Socket) {
		if !s.Recovered() {
			_ = Here.Emit(s.Broadcast(), s.ID())
		}
	})
	io.OnDisconnect(func(ctx context.Context, s *socketio.Socket, why *socketio.DisconnectError) {
		if why.Reason == socketio.ClientNamespaceDisconnect { // has said goodbye and won't be recovered
			_ = Gone.Emit(io, s.ID())
		}
	})
	Say.On(io, func(ctx context.Context, s *socketio.Socket, text string) error {
		return Say.Emit(s.Broadcast(), text)
	})
	return io, nil
}
