package adapter

import (
	"errors"
	"fmt"
	"strings"
)

var (
	// ErrRemoved is returned by Join for a socket that was removed.
	ErrRemoved = errors.New("adapter: the socket was removed")
	// ErrTooManyRooms is returned by Join for a socket that would be in more than
	// MaxRooms rooms.
	ErrTooManyRooms = errors.New("adapter: too many rooms")
	// ErrClosed is returned after Close.
	ErrClosed = errors.New("adapter: closed")
	// ErrGone says that a socket will not acknowledge any more: it was
	// disconnected, or could not take the packet.
	ErrGone = errors.New("adapter: the socket is gone")
	// ErrUnrecoverable is returned by a SessionStore that can't restore a session
	// completely.
	ErrUnrecoverable = errors.New("adapter: the session can't be recovered")
)

// PartialError is the last element of a sequence of replies or sockets that is
// not complete: everything before it is valid, and this says what is missing.
type PartialError struct {
	// Nodes are the names of the servers that have not answered, or not for all
	// of their sockets.
	Nodes []string
	// MoreNodes counts further servers that have not answered and whose names are
	// not known here.
	MoreNodes int
	// Sockets are the ids of the sockets that have not acknowledged.
	Sockets []string
	// MoreSockets counts further sockets, of other servers, that have not
	// acknowledged and whose ids are not known here.
	MoreSockets int
	// Err is why nobody waits any longer: the context's cause, ErrClosed, why a
	// server was given up, or ErrGone if all are accounted for but some can't
	// answer any more.
	Err error
}

func (e *PartialError) Error() string {
	var missing []string
	if n := len(e.Nodes) + e.MoreNodes; n > 0 {
		names := e.Nodes
		if e.MoreNodes > 0 {
			names = append(names[:len(names):len(names)], fmt.Sprintf("%d more", e.MoreNodes))
		}
		missing = append(missing, fmt.Sprintf("%d servers (%s)", n, strings.Join(names, ", ")))
	}
	if n := len(e.Sockets) + e.MoreSockets; n > 0 {
		missing = append(missing, fmt.Sprintf("%d sockets", n))
	}
	return fmt.Sprintf("adapter: no answer from %s: %v", strings.Join(missing, " and "), e.Err)
}

// Unwrap returns Err.
func (e *PartialError) Unwrap() error { return e.Err }
