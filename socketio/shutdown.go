package socketio

import (
	"context"
	"errors"
	"time"

	"github.com/siokit/siokit/engineio"
)

// Shutdown ends the server: new connections are refused, every socket is
// disconnected for "server shutting down", what was sent before is flushed, the
// adapters say goodbye, and all handlers return. It waits for that, but not
// for the handler whose context it is given, until ctx ends; then it returns
// ctx's error, and what is left ends on its own.
//
// Call it before http.Server.Shutdown, which knows neither hijacked connections
// nor polls that wait. It may be called again, and from any goroutine.
func (srv *Server) Shutdown(ctx context.Context) error {
	ctx, own, cancel := besideHandler(ctx)
	defer cancel()
	srv.endSockets()
	errs := []error{srv.engine.Shutdown(ctx), srv.closeAdapters(ctx), srv.crew.wait(ctx, own)}
	return errors.Join(errs...)
}

// Close begins the end of the server and returns at once: sockets are
// disconnected and connections closed without waiting for anything. It is legal
// anywhere. Shutdown, called after it, waits for the rest.
func (srv *Server) Close() error {
	srv.endSockets()
	err := srv.engine.Close()
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // an adapter that would wait doesn't
	if e := srv.closeAdapters(ctx); !errors.Is(e, context.Canceled) {
		err = errors.Join(err, e)
	}
	return err
}

func (srv *Server) endSockets() {
	srv.cancel()
	for _, c := range srv.clients.close() {
		c.end(engineio.ServerShuttingDown, nil)
	}
}

func (srv *Server) closeAdapters(ctx context.Context) error {
	srv.mu.Lock()
	srv.closed = true
	srv.mu.Unlock()
	var errs []error
	for n := range srv.Namespaces() {
		errs = append(errs, n.adapter.Close(ctx))
	}
	return errors.Join(errs...)
}

// besideHandler returns a context that does not end because the socket does in
// whose handler it is used, and the number of handlers that it belongs to.
func besideHandler(ctx context.Context) (_ context.Context, own int64, _ context.CancelFunc) {
	if ctx.Value(socketKey{}) == nil && ctx.Value(peersKey{}) == nil {
		return ctx, 0, func() {}
	}
	detached := context.WithoutCancel(ctx)
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) > 0 {
		ctx, cancel := context.WithDeadline(detached, deadline)
		return ctx, 1, cancel
	}
	return detached, 1, func() {}
}
