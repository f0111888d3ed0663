package socketio

import (
	"errors"
	"fmt"

	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio/adapter"
)

// Sentinel errors. Those that say something about one event come wrapped in a
// type that names it; compare with errors.Is.
var (
	// ErrDisconnected: the socket has left its namespace, or never joined it.
	// What Emit was given is dropped. A *DisconnectError matches it.
	ErrDisconnected = errors.New("socketio: socket is disconnected")

	// ErrAckTimeout: the acknowledgement did not arrive in time. One that
	// arrives later is ignored.
	ErrAckTimeout = errors.New("socketio: operation has timed out")

	// ErrReserved: the event's name belongs to the protocol (connect,
	// connect_error, disconnect, disconnecting, newListener, removeListener).
	ErrReserved = errors.New("socketio: event name is reserved")

	// ErrAcked: the event was acknowledged before.
	ErrAcked = errors.New("socketio: event is acknowledged already")

	// ErrClosed: the server is shutting down or closed.
	ErrClosed = errors.New("socketio: server is closed")

	// ErrInboxFull: a client sent faster than its handlers work, until what
	// waited passed four times MaxPayload or 65,536 events. Its connection ends.
	ErrInboxFull = errors.New("socketio: too many events wait for their handlers")

	// ErrConnectTimeout is the cancellation cause of a middleware's context
	// when Config.ConnectTimeout has passed, and the cause of the end of a
	// connection that joined no namespace until then.
	ErrConnectTimeout = errors.New("socketio: connect timeout")

	// ErrInvalidState: the client sent a packet that its connection's state
	// does not allow, such as an event for a namespace that it did not join.
	ErrInvalidState = errors.New("socketio: packet out of place")

	// ErrTooManyNamespaces: the client joined more namespaces over one
	// connection than Config.MaxNamespaces.
	ErrTooManyNamespaces = errors.New("socketio: too many namespaces over one connection")

	// ErrTooManyRooms: the socket would be in more rooms than the adapter allows
	// one socket; the built-in one, 65,536.
	ErrTooManyRooms = adapter.ErrTooManyRooms

	// ErrUnsupported: the namespace's adapter has not the optional interface
	// that the call needs.
	ErrUnsupported = errors.New("socketio: not supported by the adapter")
)

// A DisconnectError says why a socket left its namespace. It is the
// cancellation cause of the socket's context, and what OnDisconnecting and
// OnDisconnect receive. errors.Is(err, ErrDisconnected) holds.
type DisconnectError struct {
	// Reason is the reference's text.
	Reason Reason
	// Err is the cause, nil when there is none beside the reason: what the
	// transport or a decoder reported, or a *PanicError.
	Err error
}

func (e *DisconnectError) Error() string {
	if e.Err == nil {
		return "socketio: disconnected: " + string(e.Reason)
	}
	return "socketio: disconnected: " + string(e.Reason) + ": " + e.Err.Error()
}

// Unwrap gives errors.Is and errors.As the cause.
func (e *DisconnectError) Unwrap() error { return e.Err }

// Is makes every DisconnectError an ErrDisconnected.
func (e *DisconnectError) Is(target error) bool { return target == ErrDisconnected }

// A PublicError is an error that may be shown to the client. Returned (also
// wrapped) by a connection middleware it becomes CONNECT_ERROR with message and
// data; returned by the handler of a call, the error in its acknowledgement.
type PublicError struct {
	Message string
	// Data is encoded beside the message unless it is nil.
	Data any
}

func (e *PublicError) Error() string { return e.Message }

// A RemoteError is an error that the other side put into an acknowledgement:
// {"error":{"message":…}} as its only argument. Do and DoAll return it.
type RemoteError struct {
	Message string
	// Data is the raw JSON of the member data, nil when absent.
	Data []byte
}

func (e *RemoteError) Error() string { return "socketio: remote: " + e.Message }

// A PanicError is a panic of a handler, a middleware or a hook. The socket that
// it ran for has been disconnected.
type PanicError struct {
	// Event is the event whose handler or middleware it was; empty for a hook, or
	// a middleware of connections.
	Event string
	// Value is what was given to panic.
	Value any
	// Stack is the panicking goroutine's, as runtime/debug.Stack writes it.
	Stack []byte
}

func (e *PanicError) Error() string {
	if e.Event == "" {
		return fmt.Sprintf("socketio: panic: %v", e.Value)
	}
	return fmt.Sprintf("socketio: panic in a handler of %q: %v", e.Event, e.Value)
}

// Unwrap gives the panic's value if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// A HandlerError is what an event's handler returned.
type HandlerError struct {
	Event string
	Err   error
}

func (e *HandlerError) Error() string {
	return fmt.Sprintf("socketio: handler of %q: %v", e.Event, e.Err)
}

// Unwrap gives the handler's own error.
func (e *HandlerError) Unwrap() error { return e.Err }

// A MiddlewareError is what a middleware returned: of a connection when Event
// is empty, else of that event.
type MiddlewareError struct {
	Event string
	Err   error
}

func (e *MiddlewareError) Error() string {
	if e.Event == "" {
		return fmt.Sprintf("socketio: connection refused: %v", e.Err)
	}
	return fmt.Sprintf("socketio: event %q refused: %v", e.Event, e.Err)
}

// Unwrap gives the middleware's own error.
func (e *MiddlewareError) Unwrap() error { return e.Err }

// An ArgumentError says that arguments from outside do not fit the Go values
// that they should go into (a handler of a typed event was not called then), or
// that values given to Emit have no form on the wire (nothing was sent).
type ArgumentError struct {
	Event string
	Err   error
}

func (e *ArgumentError) Error() string {
	return fmt.Sprintf("socketio: arguments of %q: %v", e.Event, e.Err)
}

// Unwrap gives the decoder's error.
func (e *ArgumentError) Unwrap() error { return e.Err }

// A PartialError ends the replies of a broadcast, or what a request to other
// nodes brought, when something is missing: it names the nodes and sockets.
// errors.Is(err, ErrAckTimeout) holds if time was what ended it.
type PartialError = adapter.PartialError

// checkName refuses an event's name that the protocol keeps for itself.
func checkName(event string) error {
	if sioparser.Reserved(event) {
		return fmt.Errorf("%w: %q", ErrReserved, event)
	}
	return nil
}

// Texts that go over the wire.
const (
	invalidNamespaceText = "Invalid namespace" // CONNECT_ERROR for an unknown namespace
	internalErrorText    = "internal error"    // instead of an error whose text is not the client's business
	argumentsText        = "invalid arguments" // a call's arguments did not fit
	connectTimeoutText   = "connect timeout"   // a middleware took too long
	disconnectedText     = "disconnected"      // a middleware disconnected the socket
)
