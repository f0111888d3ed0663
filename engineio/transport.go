package engineio

// Transport is a way in which packets travel.
type Transport interface {
	// Name is the transport's name in the protocol: the value of the query
	// parameter transport, and the entry in the handshake's upgrades.
	Name() string
}

// Polling is HTTP long-polling.
type Polling struct{}

// Name returns "polling".
func (Polling) Name() string { return "polling" }

// WebSocket is the transport of the same name.
type WebSocket struct{}

// Name returns "websocket".
func (WebSocket) Name() string { return "websocket" }
