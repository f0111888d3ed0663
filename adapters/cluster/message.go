package cluster

import (
	"time"

	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio/adapter"
)

// Type says what a message is.
//
// Source: socket.io-adapter 2.5.8, cluster-adapter, MessageType.
type Type uint8

// The message types, as on the wire.
const (
	InitialHeartbeat       Type = iota + 1 // a new server: all others answer with a Heartbeat
	Heartbeat                              // the sender is alive
	Broadcast                              // send a packet; with a RequestID, and report acknowledgements
	SocketsJoin                            // make sockets join rooms
	SocketsLeave                           // make sockets leave rooms
	DisconnectSockets                      // disconnect sockets
	FetchSockets                           // describe your sockets
	FetchSocketsResponse                   // here they are
	ServerSideEmit                         // an event for servers; with a RequestID, and acknowledge it
	ServerSideEmitResponse                 // the acknowledgement
	BroadcastClientCount                   // so many sockets were asked to acknowledge
	BroadcastAck                           // one has
	AdapterClose                           // the sender leaves
)

var typeNames = [...]string{
	InitialHeartbeat:       "INITIAL_HEARTBEAT",
	Heartbeat:              "HEARTBEAT",
	Broadcast:              "BROADCAST",
	SocketsJoin:            "SOCKETS_JOIN",
	SocketsLeave:           "SOCKETS_LEAVE",
	DisconnectSockets:      "DISCONNECT_SOCKETS",
	FetchSockets:           "FETCH_SOCKETS",
	FetchSocketsResponse:   "FETCH_SOCKETS_RESPONSE",
	ServerSideEmit:         "SERVER_SIDE_EMIT",
	ServerSideEmitResponse: "SERVER_SIDE_EMIT_RESPONSE",
	BroadcastClientCount:   "BROADCAST_CLIENT_COUNT",
	BroadcastAck:           "BROADCAST_ACK",
	AdapterClose:           "ADAPTER_CLOSE",
}

// String is the name of the type in the reference.
func (t Type) String() string {
	if t >= InitialHeartbeat && t <= AdapterClose {
		return typeNames[t]
	}
	return "unknown"
}

// response reports whether a message of this type answers a request.
func (t Type) response() bool {
	switch t {
	case FetchSocketsResponse, ServerSideEmitResponse, BroadcastClientCount, BroadcastAck:
		return true
	}
	return false
}

// Anonymous is the UID that a Codec gives to a response if its wire doesn't say
// who has sent it. It may be any of the servers that send no heartbeats.
const Anonymous = "*"

// logged reports whether a message belongs into a log: servers that come back to
// it later do with it what they would have done.
func (m *Message) logged() bool {
	switch m.Type {
	case Broadcast:
		return m.RequestID == ""
	case SocketsJoin, SocketsLeave, DisconnectSockets:
		return true
	}
	return false
}

// Message is any message between servers. Which fields count depends on Type.
type Message struct {
	Type      Type
	UID       string // the sender
	Namespace string
	// Serial numbers the messages that a server puts into a log: who has one of it
	// already knows it for a repetition. 0 says nothing; official adapters neither
	// send nor mind it.
	Serial uint64
	// RequestID ties responses to a request. In a Broadcast or ServerSideEmit, not
	// being empty asks for acknowledgements.
	RequestID string

	// Selection is set in Broadcast, SocketsJoin, SocketsLeave, DisconnectSockets
	// and FetchSockets. LocalOnly never travels.
	Selection adapter.Selection
	// Timeout is how long the sender waits for acknowledgements of a Broadcast,
	// zero if it doesn't say.
	Timeout time.Duration

	// Name is the event's, in Broadcast and ServerSideEmit.
	Name []byte
	// Args are the event's arguments, or what was answered in
	// ServerSideEmitResponse and BroadcastAck.
	Args sioparser.Args

	Rooms   []string  // SocketsJoin, SocketsLeave
	Close   bool      // DisconnectSockets: the connections too
	Sockets []Details // FetchSocketsResponse
	Clients int       // BroadcastClientCount

	// The rest is ours: official adapters neither send nor mind it.

	// Detail in a Broadcast says that the sender understands the fields below.
	Detail bool
	// Socket is the id of the socket that a BroadcastAck is about.
	Socket string
	// Gone in a BroadcastAck says that this socket won't acknowledge.
	Gone bool
}

// Details describe a socket of the sender's.
type Details struct {
	ID        string
	Rooms     []string
	Handshake []byte // JSON
	Data      []byte // JSON
}

// Codec turns messages into bytes and back. It must be safe for concurrent use.
type Codec interface {
	// Append appends the encoding of m to dst. It keeps nothing of m.
	Append(dst []byte, m *Message) ([]byte, error)
	// Decode fills m, which is zero, from data, which comes from a network and may
	// be anything. What it allocates is bounded by a small multiple of data. m may
	// refer to data, except for attachments, which are kept.
	Decode(data []byte, m *Message) error
}
