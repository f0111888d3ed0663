package main

import (
	"context"
	"os"
	"time"

	"github.com/siokit/siokit/sioparser/msgpack"
	"github.com/siokit/siokit/socketio"
)

// features are the names of the optional parts that are there.
var features = []string{"limits", "longping", "options", "servercmd", "events", "rooms", "nsps", "recovery", "msgpack", "eio3"}

// recoveryTime is how long a client of /sio-csr/ may be away.
const recoveryTime = 2 * time.Second

// addSocket adds /socket.io/ and its variants.
func (f *fixture) addSocket() error {
	config := f.settings.socketConfig()
	main := config
	main.Adapter = f.bus.adapter
	if f.settings.client != "" {
		main.ServeClient = os.DirFS(f.settings.client)
	}
	if err := f.addServer("/socket.io/", main); err != nil {
		return err
	}
	recovering := config
	recovering.Recovery = &socketio.Recovery{MaxDisconnection: recoveryTime}
	if err := f.addServer("/sio-csr/", recovering); err != nil {
		return err
	}
	packed := config
	packed.Codec = msgpack.Codec
	if err := f.addServer("/sio-msgpack/", packed); err != nil {
		return err
	}
	if err := f.addEnding(config); err != nil {
		return err
	}
	old := config
	old.EngineConfig.AllowEIO3 = true
	return f.addServer("/sio-v3/", old)
}

func (s settings) socketConfig() socketio.Config {
	c := socketio.Config{
		EngineConfig:                s.engineConfig(),
		ConnectTimeout:              s.connectTimeout,
		CleanupEmptyChildNamespaces: s.cleanup,
	}
	if s.recovery > 0 {
		c.Recovery = &socketio.Recovery{MaxDisconnection: s.recovery}
	}
	return c
}

// addServer makes a Socket.IO server with every handler there is.
func (f *fixture) addServer(path string, config socketio.Config) error {
	io, err := f.newServer(path, config)
	if err != nil {
		return err
	}
	io.OnNewNamespace(f.probes.watch)
	f.probes.watch(io.Namespace)
	io.OnConnection(greet)
	handleMessages(io.Namespace)
	handleIdentity(io.Namespace)
	addCustom(io, "/custom")
	io.On("features", func(_ context.Context, ev *socketio.Event) error { return ev.Ack(features) })
	handleEvents(io.Namespace)
	handleMembership(io.Namespace)
	handleRooms(io.Namespace)
	addNamespaces(io)
	f.probes.handle(io)
	handleLoad(io)
	return nil
}

// addLoad adds a /socket.io/ with the handlers of load.go alone.
func (f *fixture) addLoad() error {
	config := f.settings.socketConfig()
	config.Adapter = f.bus.adapter
	io, err := f.newServer("/socket.io/", config)
	if err != nil {
		return err
	}
	handleMembership(io.Namespace)
	handleLoad(io)
	return nil
}

func (f *fixture) newServer(path string, config socketio.Config) (*socketio.Server, error) {
	config.Path = path
	io, err := socketio.NewServer(config)
	if err != nil {
		return nil, err
	}
	f.handlers[path] = io
	f.closers = append(f.closers, io.Shutdown)
	return io, nil
}
