package client

import (
	"errors"
	"fmt"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/socketio"
)

// Besides these there are those of package socketio: ErrDisconnected,
// ErrAckTimeout, ErrReserved, ErrAcked, *ArgumentError, *RemoteError …
var (
	// ErrClosed: the Client was closed.
	ErrClosed = errors.New("socketio: client is closed")

	// ErrTimeout: the server did not answer within Config.Timeout.
	ErrTimeout = errors.New("socketio: timeout")

	// ErrVersion: the server speaks the protocol of Socket.IO 2, which this client
	// does not.
	ErrVersion = errors.New("socketio: the server is one of Socket.IO 2")

	// ErrHandlersRun: Close did not wait any longer for handlers to return; it may
	// have been called by one, where Shutdown or Disconnect is meant.
	ErrHandlersRun = errors.New("socketio: client is closed, but handlers still run")
)

// A Reason says in the official client's words why a socket was disconnected.
// Besides those below there are engineio's: "ping timeout", "transport close",
// "transport error", "parse error" and "forced close".
type Reason = engineio.Reason

const (
	// ServerDisconnect: the server took the socket out of its namespace. The
	// client does not come back by itself: the server meant it.
	ServerDisconnect Reason = "io server disconnect"

	// ClientDisconnect: Disconnect, Close or Shutdown was called, or a handler
	// panicked.
	ClientDisconnect Reason = "io client disconnect"
)

// A DisconnectError says why a socket was disconnected.
type DisconnectError = socketio.DisconnectError

// A ConnectError is the server's refusal of a CONNECT: what a middleware of its
// returned, or that there is no such namespace.
type ConnectError struct {
	Namespace string
	// Message is the server's text.
	Message string
	// Data is the raw JSON that came beside it, nil when absent.
	Data []byte
}

func (e *ConnectError) Error() string {
	return fmt.Sprintf("socketio: the server refuses %s: %s", e.Namespace, e.Message)
}
