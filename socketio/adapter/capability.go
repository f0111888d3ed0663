package adapter

import (
	"context"
	"iter"

	"github.com/siokit/siokit/sioparser"
)

// Reply is one acknowledgement of a broadcast or of a server-side event.
type Reply struct {
	// Args are the arguments that were answered with; the receiver's to keep. Of
	// a reply that came from another server's official adapter there is only the
	// first one.
	Args sioparser.Args
	// Node names the server that it came from; empty for this one.
	Node string
	// Socket is the id of the socket that answered; empty for a server-side
	// event, and for replies from servers whose wire doesn't tell.
	Socket string
}

// AckBroadcaster is implemented by adapters that can broadcast a packet and
// collect the acknowledgements.
type AckBroadcaster interface {
	// BroadcastAck sends p to every socket that sel selects, as Broadcast does,
	// when the iteration begins, and yields the replies as they arrive, on the
	// goroutine that ranges. The sequence ends when all selected sockets of all
	// servers have answered, or, with one last element that is a *PartialError,
	// when ctx ends or when some of them can't answer any more. It also ends, and
	// what is awaited is forgotten, when the loop is left.
	//
	// p must stay unchanged until the first element has been yielded. Each
	// iteration broadcasts anew. An adapter with other servers gives a ctx without
	// deadline one of its own.
	BroadcastAck(ctx context.Context, p *sioparser.Packet, sel Selection) iter.Seq2[Reply, error]
}

// SocketInfo describes a socket of any server of the cluster.
type SocketInfo struct {
	ID    string
	Rooms []string
	// Local is the socket itself if it is one of this server; then Handshake and
	// Data are nil, as the socket has them. Otherwise it is nil.
	Local Socket
	// Node names the server that the socket is on; empty for this one.
	Node string
	// Handshake and Data are JSON texts, as the other server sent them.
	Handshake, Data []byte
}

// Fetcher is implemented by adapters that can list sockets.
type Fetcher interface {
	// Fetch yields the sockets that sel selects, those of this server first, those
	// of the others as their answers arrive. If some server does not answer
	// until ctx ends, the last element is a *PartialError.
	Fetch(ctx context.Context, sel Selection) iter.Seq2[SocketInfo, error]
}

// Mover is implemented by adapters that can change many sockets at once. The
// methods act on this server's sockets before they return and tell the other
// servers without waiting for them. A socket that is removed meanwhile is
// passed over; the error is the bus's, or ErrTooManyRooms joined for those
// sockets that could not join.
type Mover interface {
	JoinAll(sel Selection, rooms ...string) error
	LeaveAll(sel Selection, rooms ...string) error
	// DisconnectAll disconnects the sockets from the namespace, or, with
	// closeConn, closes their connections.
	DisconnectAll(sel Selection, closeConn bool) error
}

// ServerEmitter is implemented by adapters that carry events between servers.
type ServerEmitter interface {
	// ServerEmit hands the event p (Name and Args count) to the handlers of this
	// namespace on all other servers.
	ServerEmit(p *sioparser.Packet) error
	// ServerEmitAck does so when the iteration begins and yields one reply for
	// each other server as it arrives; the last element is a *PartialError if
	// some did not answer until ctx ended.
	ServerEmitAck(ctx context.Context, p *sioparser.Packet) iter.Seq2[Reply, error]
}

// Counter is implemented by adapters that know how many servers there are.
type Counter interface {
	// Servers returns the number of servers of the cluster, this one included.
	Servers(ctx context.Context) (int, error)
}

// Index is implemented by adapters whose index of this server's sockets can be
// looked into. The sequences and slices are snapshots: nothing is locked while
// they are walked.
type Index interface {
	// Rooms yields the rooms that have members on this server.
	Rooms() iter.Seq[string]
	// SocketRooms returns the rooms of the socket with that id, nil if there is
	// none.
	SocketRooms(id string) []string
	// Sockets returns this server's sockets that sel selects.
	Sockets(sel Selection) []Socket
	// Len returns how many sockets and rooms there are.
	Len() (sockets, rooms int)
}

// Observable is implemented by adapters that report changes of rooms.
type Observable interface {
	// Observe calls h for every change from now on until stop is called; see
	// Hook for what h may rely on.
	Observe(h Hook) (stop func())
}

// Session is what connection state recovery keeps of a socket that was
// disconnected.
type Session struct {
	// SocketID is the public id, which the socket has again after recovery.
	SocketID string
	// PrivateID is what the client presents to get its session back.
	PrivateID string
	// Rooms are the rooms that the socket was in, filled in by Persist.
	Rooms []string
	// Data is the socket's data as a JSON text.
	Data []byte
	// Unbound means that the store can't tell which namespace the session was
	// saved in, such as one of a server of another make: that its client passed
	// the middlewares of some namespace says nothing about this one's, so they
	// are run.
	Unbound bool
	// Value goes along with the session as long as that stays in this process;
	// a store outside loses it.
	Value any

	// position is the store's own: where in its log the session stands.
	position *position
}

// SessionStore is implemented by adapters with connection state recovery: they
// append an offset to the packets that they send, keep a log of them and can
// replay what a client missed. Sending, joining, leaving, persisting and
// resuming have one common order then, in which a packet either goes to a
// socket or is replayed to it, never both and never neither.
type SessionStore interface {
	// Send sends p to one socket in the common order, whatever rooms that is in.
	// As in a Broadcast, p gets an offset and is logged if it is an event without
	// acknowledgement id that isn't volatile. The caller flushes s.
	Send(s Socket, p *sioparser.Packet, f Flags) error

	// Persist removes s from the index, as Remove does, and stores its session in
	// the same step. It returns the rooms that s was in. A socket that was
	// removed before is not stored: ErrRemoved.
	Persist(s Socket, session Session) (rooms []string, err error)

	// Take takes the session stored under privateID out of the store; whoever
	// asks first gets it, nobody a second time. offset is the last one that the
	// client has seen, empty if it has seen none. ErrUnrecoverable if there is no
	// such session, or if what the client missed since offset isn't known
	// completely any more; the session is gone then, too.
	Take(ctx context.Context, privateID, offset string) (*Session, error)

	// Resume registers s, which has the session's SocketID, in the session's
	// rooms and in the same step pushes everything that it has missed, in the
	// order in which the others got it. The caller flushes s. If the log has lost
	// something of it since Take, nothing has changed and the error is
	// ErrUnrecoverable.
	Resume(ctx context.Context, s Socket, session *Session) error
}

// Restorer is implemented by a SessionStore that takes sessions back.
type Restorer interface {
	// Restorable returns what puts a session from Take back as it was, from before
	// Resume is called until the socket has joined: its client may be cut off
	// meanwhile, and has received nothing then.
	Restorable(session *Session) (restore func())
}
