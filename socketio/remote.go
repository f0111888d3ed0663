package socketio

import (
	"context"
	"errors"
	"time"

	"github.com/siokit/siokit/socketio/adapter"
)

// RemoteSocket is a socket of any server of the cluster, as FetchSockets found
// it: a description, and a way to reach it.
type RemoteSocket struct {
	nsp       *Namespace
	id        string
	node      string
	rooms     []string
	handshake []byte
	data      *Data
	local     *Socket // if it is one of this server's
	timeout   time.Duration
}

func newRemoteSocket(nsp *Namespace, info adapter.SocketInfo) *RemoteSocket {
	r := &RemoteSocket{nsp: nsp, id: info.ID, node: info.Node, rooms: info.Rooms, handshake: info.Handshake}
	if s, ok := info.Local.(*Socket); ok {
		r.local, r.data = s, &s.data
		return r
	}
	r.data = &Data{values: nsp.server.config.Values}
	if err := r.data.restore(info.Data, nil); err != nil {
		nsp.server.config.Logger.Warn("socketio: data of a remote socket", "namespace", nsp.name, "error", err)
	}
	return r
}

// ID is the socket's id.
func (r *RemoteSocket) ID() string { return r.id }

// Node names the server that the socket is on; empty for this one.
func (r *RemoteSocket) Node() string { return r.node }

// Rooms are the rooms that the socket was in when it was fetched.
func (r *RemoteSocket) Rooms() []string { return r.rooms }

// Data is the socket's data as it was when it was fetched; of a socket of this
// server, as it is.
func (r *RemoteSocket) Data() *Data { return r.data }

// Handshake is the reference's handshake object as JSON.
func (r *RemoteSocket) Handshake() []byte {
	if r.local == nil {
		return r.handshake
	}
	text, err := r.local.Handshake().MarshalJSON()
	if err != nil {
		return nil // it has no member that cannot be encoded
	}
	return text
}

// Local returns the socket itself if it is one of this server's, else nil.
func (r *RemoteSocket) Local() *Socket { return r.local }

// Timeout is the same socket, with a bound on the waiting for acknowledgements.
func (r *RemoteSocket) Timeout(d time.Duration) *RemoteSocket {
	bounded := *r
	bounded.timeout = d
	return &bounded
}

func (r *RemoteSocket) broadcast() Broadcast { return r.nsp.To(r.id).Timeout(r.timeout) }

// Emit sends an event to the socket.
func (r *RemoteSocket) Emit(event string, args ...any) error {
	return r.broadcast().Emit(event, args...)
}

// EmitWithAck sends an event to the socket and waits for its acknowledgement,
// as Socket.EmitWithAck does.
func (r *RemoteSocket) EmitWithAck(ctx context.Context, event string, args ...any) (*Ack, error) {
	for reply, err := range r.broadcast().EmitWithAck(ctx, event, args...) {
		return reply.Value, singly(err)
	}
	return nil, ErrDisconnected
}

// singly says of one socket what a PartialError says of many.
func singly(err error) error {
	var partial *PartialError
	switch {
	case !errors.As(err, &partial):
		return err
	case errors.Is(partial.Err, adapter.ErrGone):
		return ErrDisconnected
	}
	return partial.Err
}

// Join puts the socket into rooms.
func (r *RemoteSocket) Join(rooms ...string) error { return r.broadcast().SocketsJoin(rooms...) }

// Leave takes the socket out of rooms.
func (r *RemoteSocket) Leave(rooms ...string) error { return r.broadcast().SocketsLeave(rooms...) }

// Disconnect ends the socket as Socket.Disconnect does.
func (r *RemoteSocket) Disconnect(closeConnection bool) error {
	return r.broadcast().DisconnectSockets(closeConnection)
}
