package socketio

import "github.com/siokit/siokit/engineio"

// A Reason says in the reference's words why a socket left its namespace.
// Besides those below there are engineio's: "transport close", "transport
// error", "ping timeout", "parse error", "forced close" and "server shutting
// down".
type Reason = engineio.Reason

const (
	// ClientNamespaceDisconnect: the client left the namespace.
	ClientNamespaceDisconnect Reason = "client namespace disconnect"

	// ServerNamespaceDisconnect: Socket.Disconnect was called, or a handler of
	// the socket panicked. Official clients ("io server disconnect") do not come
	// back by themselves after it: to them the server meant it. That is chosen for
	// panics too, since an event that makes its handler panic would else do so
	// again and again; a client that is to come back calls connect.
	ServerNamespaceDisconnect Reason = "server namespace disconnect"

	// ForcedServerClose: the connection was ended because the client joined no
	// namespace in time, or sent a packet that its state does not allow.
	ForcedServerClose Reason = "forced server close"
)

// recoverable reports whether a client that was lost for this reason may have
// its session back: not after a deliberate disconnect, nor after nonsense.
func recoverable(r Reason) bool {
	switch r {
	case ClientNamespaceDisconnect, ServerNamespaceDisconnect, engineio.ParseError:
		return false
	}
	return true
}
