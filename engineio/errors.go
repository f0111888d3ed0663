package engineio

import "errors"

var (
	// ErrClosed: the session is over, or is being closed.
	ErrClosed = errors.New("engineio: session closed")

	// ErrSlowClient: the outbox of the session passed its limit; the session is
	// being closed.
	ErrSlowClient = errors.New("engineio: outbox full, the client does not read")

	// ErrServerClosed: the server is shutting down.
	ErrServerClosed = errors.New("engineio: server closed")
)
