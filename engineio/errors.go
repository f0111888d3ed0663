package engineio

import (
	"errors"
	"fmt"
	"net/http"
)

var (
	// ErrClosed: the session is over, or is being closed.
	ErrClosed = errors.New("engineio: session closed")

	// ErrSlowClient: the outbox of the session passed its limit; the session is
	// being closed.
	ErrSlowClient = errors.New("engineio: outbox full, the client does not read")

	// ErrServerClosed: the server is shutting down.
	ErrServerClosed = errors.New("engineio: server closed")
)

// Code says in the protocol's numbers why a request was refused.
type Code int

// The codes of the reference server, and the texts that clients see.
const (
	UnknownTransport   Code = iota // Transport unknown
	UnknownSession                 // Session ID unknown
	BadHandshakeMethod             // Bad handshake method
	BadRequest                     // Bad request
	Forbidden                      // Forbidden
	UnsupportedVersion             // Unsupported protocol version
)

// String returns the text that the client sees, unless there is a better one.
func (c Code) String() string {
	switch c {
	case UnknownTransport:
		return "Transport unknown"
	case UnknownSession:
		return "Session ID unknown"
	case BadHandshakeMethod:
		return "Bad handshake method"
	case BadRequest:
		return "Bad request"
	case Forbidden:
		return "Forbidden"
	case UnsupportedVersion:
		return "Unsupported protocol version"
	}
	return fmt.Sprintf("code %d", int(c))
}

// ConnectionError is a request that was refused: what Config.OnConnectionError
// is told, and what Server.ServeConn returns.
type ConnectionError struct {
	// Code is what the client was told.
	Code Code

	// Message is the text that the client was told with it.
	Message string

	// Context says what was wrong, by the reference's names: transport, sid,
	// method, protocol, origin, message; for BadRequest name is one of
	// INVALID_ORIGIN, TRANSPORT_MISMATCH, PROTOCOL_MISMATCH,
	// TRANSPORT_HANDSHAKE_ERROR, ID_GENERATION_ERROR, ADDRESS_MISMATCH.
	Context map[string]any

	// Err is the error behind it, if there is one.
	Err error

	// Request is the refused request. It must not be kept.
	Request *http.Request

	status int // of the HTTP answer; 0: what Code calls for
}

// Error returns code, message and cause.
func (e *ConnectionError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("engineio: refused with code %d, %s: %v", int(e.Code), e.Message, e.Err)
	}
	return fmt.Sprintf("engineio: refused with code %d, %s", int(e.Code), e.Message)
}

// Unwrap returns Err.
func (e *ConnectionError) Unwrap() error { return e.Err }

// refused makes a ConnectionError; context is a list of keys and values.
func refused(code Code, err error, context ...any) *ConnectionError {
	e := &ConnectionError{Code: code, Message: code.String(), Err: err, Context: make(map[string]any, len(context)/2)}
	for i := 0; i+1 < len(context); i += 2 {
		e.Context[context[i].(string)] = context[i+1]
	}
	return e
}
