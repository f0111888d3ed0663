package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/socketio"
)

// fixture is all servers of the process, by the prefix of their path.
type fixture struct {
	settings settings
	probes   probes
	handlers map[string]http.Handler // "/socket.io/" and so on
	closers  []func(context.Context) error
	bus      bus
}

func newFixture(s settings) (*fixture, error) {
	for _, name := range list(s.transports) {
		if name != "polling" && name != "websocket" {
			return nil, fmt.Errorf("no transport %q, there are polling and websocket", name)
		}
	}
	bus, err := openBus(s)
	if err != nil {
		return nil, fmt.Errorf("adapter: %w", err)
	}
	f := &fixture{settings: s, handlers: map[string]http.Handler{}, bus: bus}
	if s.load {
		err = f.addLoad()
	} else {
		err = errors.Join(f.addEngines(), f.addSocket())
	}
	if err != nil {
		return nil, errors.Join(err, f.shutdown(context.Background()))
	}
	return f, nil
}

// ServeHTTP routes by itself: http.ServeMux would redirect /engine.io, which
// Engine.IO leaves to others.
func (f *fixture) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/debug/goroutines":
		fmt.Fprintln(w, runtime.NumGoroutine())
		return
	case "/debug/sessions":
		fmt.Fprintln(w, f.sessions())
		return
	}
	if end := strings.IndexByte(strings.TrimPrefix(r.URL.Path, "/"), '/'); end >= 0 {
		if h, ok := f.handlers[r.URL.Path[:end+2]]; ok {
			h.ServeHTTP(w, r)
			return
		}
	}
	http.NotFound(w, r)
}

// sessions returns how many sessions there are on all paths.
func (f *fixture) sessions() int {
	n := 0
	for _, h := range f.handlers {
		switch h := h.(type) {
		case *engineio.Server:
			n += h.Len()
		case *socketio.Server:
			n += h.Engine().Len()
		case *ending:
			n += h.server().Engine().Len()
		}
	}
	return n
}

// shutdown ends every server and waits for it, until ctx ends.
func (f *fixture) shutdown(ctx context.Context) error {
	errs := make([]error, len(f.closers))
	done := make(chan int)
	for i, close := range f.closers {
		go func() { // joined below
			errs[i] = close(ctx)
			done <- i
		}()
	}
	for range f.closers {
		<-done
	}
	f.bus.close()
	return errors.Join(errs...)
}
