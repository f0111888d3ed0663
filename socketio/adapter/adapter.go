package adapter

import (
	"context"

	"github.com/siokit/siokit/sioparser"
)

// Adapter knows which sockets of one namespace are in which rooms and gets
// packets to them, on this server and, if it talks to a bus, on the others.
// There is one for each namespace. Every method may be called from any number
// of goroutines. What an adapter can do beyond these five methods it says by
// implementing the optional interfaces of this package ([AckBroadcaster],
// [Fetcher], [Mover], [ServerEmitter], [Counter], [SessionStore], [Index],
// [Observable]); the server looks for them by assertion.
//
// No method of an adapter waits for a client, and none but Close waits for
// another server.
type Adapter interface {
	// Join puts s into rooms; rooms that it is in already are left as they are.
	// The first Join registers the socket, which makes it one of "everyone";
	// the server names the socket's own id among the rooms then. With no rooms
	// it only registers.
	//
	// After Remove it returns [ErrRemoved] and changes nothing, so that a join
	// which races with a disconnect leaves no trace. A socket in too many rooms
	// gets [ErrTooManyRooms], after Close it is [ErrClosed]; then, too, nothing
	// has changed.
	Join(s Socket, rooms ...string) error

	// Leave takes s out of rooms; those that it isn't in are ignored. Once Leave
	// has returned, no broadcast to these rooms queues anything more on s on
	// their account.
	Leave(s Socket, rooms ...string)

	// Remove takes s out of everything, for good, and returns the rooms that it
	// was in (the caller's to keep, in no particular order). Once it has
	// returned, no broadcast queues anything more on s. Removing twice is
	// harmless and returns nil.
	Remove(s Socket) []string

	// Broadcast hands p to every socket that sel selects. It queues and writes
	// what it can without blocking, and returns. A socket that can't take it is
	// not an error; a packet that can't be encoded is, and so is a bus that
	// refused it: then the sockets of this server have it all the same.
	//
	// p is read during the call only, and never changed; attachment buffers are
	// kept and must not change any more.
	Broadcast(p *sioparser.Packet, sel Selection) error

	// Close says goodbye to the other servers, stops everything that the adapter
	// started and waits for it until ctx ends. Sockets may still be removed
	// afterwards; calling it again is harmless.
	Close(ctx context.Context) error
}

// New makes the adapter of one namespace. It must not block: an adapter that
// has to reach a bus does so in the background or was given an open connection
// by its own constructor.
type New func(Local) (Adapter, error)

// Socket is what an adapter sees of a socket of this server. Two Socket values
// are the same socket if they are ==, so a pointer type implements it.
type Socket interface {
	// ID is the public id of the socket, unique in the cluster; it never changes.
	ID() string

	// Push queues d for this socket. It never blocks, never writes and never
	// calls an adapter: it is called while an index lock is held. If d was made
	// by Local.PrepareAck it also registers, before it queues, that the
	// acknowledgement is awaited. A socket that can't take d drops it (and, for
	// an acknowledged packet, reports ErrGone).
	Push(d Delivery)

	// Membership returns this socket's own Membership, always the same one. It
	// is the half of the room index that says in which rooms a socket is; a
	// socket embeds one, in its zero state, and leaves it alone otherwise.
	Membership() *Membership
}

// Delivery is a packet made ready for sending, once for all its receivers. It
// is made by [Local] and taken by [Socket]; to an adapter it is opaque and
// immutable, and may be kept and pushed again.
type Delivery any

// Flags say how a packet is to be sent.
type Flags uint8

const (
	// Volatile packets are dropped where they could not be sent at once, and
	// never stored.
	Volatile Flags = 1 << iota
	// NoCompress asks the transports not to compress the packet.
	NoCompress
	// LocalOnly restricts an operation to the sockets of this server.
	LocalOnly
)

// Selection says which sockets are meant: all that are in at least one of Rooms
// (everyone when Rooms is empty), each once, without those that are in any of
// Except. A socket's own id is a room. Adapters never change or keep the
// slices.
type Selection struct {
	Rooms  []string
	Except []string
	Flags  Flags
}

// Local is what a server gives the adapter of a namespace to reach that
// namespace's own sockets and handlers. All methods may be called from any
// goroutine; none may be called while an index lock is held except Prepare and
// PrepareAck, which only encode.
type Local interface {
	// Namespace is the name of the namespace, beginning with "/".
	Namespace() string

	// Prepare encodes p, once, for any number of sockets. The namespace is
	// Namespace(), whatever p says. p is read during the call only; the result
	// refers to p's attachment buffers but to nothing else of p.
	Prepare(p *sioparser.Packet, f Flags) (Delivery, error)

	// PrepareAck is Prepare for a packet that asks for an acknowledgement. The
	// server gives the packet its id. For each socket that the delivery is
	// pushed on, reply is called at most once: with what the client answered, or
	// with ErrGone when the socket won't answer any more. forget drops what is
	// still awaited on the given sockets; no reply of theirs is reported once it
	// has returned.
	PrepareAck(p *sioparser.Packet, f Flags, reply ReplyFunc) (d Delivery, forget func([]Socket), err error)

	// Flush writes what Push has queued on these sockets, as far as that does
	// not block, and leaves the rest to the sockets' writers. It is called after
	// all locks are released and does not keep the slice.
	Flush(sockets []Socket)

	// Describe returns what other servers may know of a socket: its handshake
	// and its data, each as one JSON text, the caller's to keep. It fails for a
	// socket that is not connected (yet, or any more).
	Describe(s Socket) (handshake, data []byte, err error)

	// Disconnect ends a socket as a server does, closing its connection too if
	// closeConn is set. It starts the end and returns.
	Disconnect(s Socket, closeConn bool)

	// ServerEvent hands an event that another server emitted to the handlers of
	// this namespace, in the order of the calls. It does not wait for them. p is
	// valid during the call. reply is nil if no acknowledgement was asked for;
	// else it takes the answer, once, from any goroutine and without blocking.
	ServerEvent(p *sioparser.Packet, reply func(sioparser.Args))
}

// ReplyFunc receives what became of an acknowledged packet on one socket: its
// answer, or an error (ErrGone). It is called from any goroutine, perhaps under
// a lock, so it never blocks and calls nothing back. args is valid during the
// call, except for its attachments, which are handed over.
type ReplyFunc func(s Socket, args sioparser.Args, err error)
