package main

import (
	"context"
	"net/http"
	"sync"

	"github.com/siokit/siokit/socketio"
)

// ending is a path whose server the event end closes, so that its clients see
// how a server goes. The next client finds another in its place.
type ending struct {
	config  socketio.Config
	leaving sync.WaitGroup // servers that were closed

	mu      sync.Mutex
	current *socketio.Server
	closed  bool
}

// addEnding adds /sio-end/.
func (f *fixture) addEnding(config socketio.Config) error {
	config.Path = "/sio-end/"
	e := &ending{config: config}
	if err := e.begin(); err != nil {
		return err
	}
	f.handlers[config.Path] = e
	f.closers = append(f.closers, e.shutdown)
	return nil
}

// begin makes the server that the next client finds.
func (e *ending) begin() error {
	io, err := socketio.NewServer(e.config)
	if err != nil {
		return err
	}
	io.On("end", func(context.Context, *socketio.Event) error { return e.end(io) })
	e.current = io
	return nil
}

// end closes io, unless it is leaving already.
func (e *ending) end(io *socketio.Server) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed || e.current != io {
		return nil
	}
	if err := e.begin(); err != nil {
		return err
	}
	e.leaving.Go(func() { // shutdown waits
		_ = io.Close() // its clients judge how it went
		ctx, cancel := context.WithTimeout(context.Background(), shutdownTime)
		defer cancel()
		_ = io.Shutdown(ctx)
	})
	return nil
}

func (e *ending) shutdown(ctx context.Context) error {
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()
	err := e.server().Shutdown(ctx)
	e.leaving.Wait()
	return err
}

func (e *ending) server() *socketio.Server {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.current
}

func (e *ending) ServeHTTP(w http.ResponseWriter, r *http.Request) { e.server().ServeHTTP(w, r) }
