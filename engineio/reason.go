package engineio

import "fmt"

// Reason says in the reference's words why a session ended.
type Reason string

const (
	// PingTimeout: the peer did not answer a ping in time.
	PingTimeout Reason = "ping timeout"

	// ParseError: the peer sent what is no packet.
	ParseError Reason = "parse error"

	// TransportError: the connection broke, or the peer broke a rule of the
	// transport or a limit; the error says which.
	TransportError Reason = "transport error"

	// TransportClose: the peer closed the connection.
	TransportClose Reason = "transport close"

	// ForcedClose: Session.Close or Session.Discard was called.
	ForcedClose Reason = "forced close"

	// ServerShuttingDown: Server.Shutdown or Server.Close was called.
	ServerShuttingDown Reason = "server shutting down"
)

// DisconnectError is the cause (see context.Cause) with which a session's
// context ends.
type DisconnectError struct {
	Reason Reason
	Err    error // what lies behind the reason; may be nil
}

// Error returns the reason and, if there is one, the error behind it.
func (e *DisconnectError) Error() string {
	if e.Err == nil {
		return "engineio: " + string(e.Reason)
	}
	return fmt.Sprintf("engineio: %s: %v", e.Reason, e.Err)
}

// Unwrap returns the error behind the reason.
func (e *DisconnectError) Unwrap() error { return e.Err }

// State is where a session is in its life.
type State int32

const (
	Opening State = iota // the handshake is not finished
	Open                 // messages flow
	Closing              // Close was called; what was queued before still leaves
	Closed               // over
)

// String returns the reference's name of the state.
func (s State) String() string {
	switch s {
	case Opening:
		return "opening"
	case Open:
		return "open"
	case Closing:
		return "closing"
	default:
		return "closed"
	}
}
