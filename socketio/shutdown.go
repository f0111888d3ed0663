package socketio

import (
	"context"
	"errors"

	"github.com/siokit/siokit/engineio"
)

// Shutdown ends the server: new connections are refused, every socket is
// disconnected for "server shutting down", what was sent before is flushed, the
// adapters say goodbye, and all handlers return. It waits for that, but not
// for handlers that wait here themselves, with their own context, until ctx ends;
// then it returns ctx's error, and what is left ends on its own. A handler's
// context ends with its socket, which is no reason to stop waiting: a handler
// that won't wait for ever gives it a deadline.
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
	srv.cancel(ErrClosed)
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

// besideHandler returns a context that does not end because the socket, or the
// server, does in whose handler it is used, and the number of handlers that it
// belongs to. A deadline stays; that ctx is cancelled later cannot be told from
// the end of the socket.
func besideHandler(ctx context.Context) (_ context.Context, own int64, _ context.CancelFunc) {
	if ctx.Value(socketKey{}) == nil && ctx.Value(peersKey{}) == nil {
		return ctx, 0, func() {}
	}
	detached := context.WithoutCancel(ctx)
	var end *DisconnectError
	if err := context.Cause(ctx); err != nil && !errors.As(err, &end) && !errors.Is(err, ErrClosed) {
		detached, cancel := context.WithCancelCause(detached)
		cancel(err)
		return detached, 1, func() {}
	}
	if deadline, ok := ctx.Deadline(); ok {
		detached, cancel := context.WithDeadline(detached, deadline)
		return detached, 1, cancel
	}
	return detached, 1, func() {}
}
