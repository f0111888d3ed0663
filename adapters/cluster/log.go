package cluster

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"
)

// Log is implemented by a [Bus] whose engine keeps what was published, in one
// order for each namespace, for a while. With it an adapter has connection state
// recovery across servers and restarts, if Config.MaxDisconnection says so.
//
// What is for all servers and may be replayed goes through Append and Follow;
// requests and responses go through Publish and Subscribe, since a server that
// was not there has nothing to answer.
//
// All methods are called from any goroutine.
type Log interface {
	Bus

	// Append puts messages at the end of the namespace's log, in order, and returns
	// how many of them are in it for certain. It may block until the engine has
	// them, and returns when ctx ends. The memory is the adapter's again when it
	// returns.
	Append(ctx context.Context, namespace string, batch [][]byte) (n int, err error)

	// Follow calls f's methods, one at a time, with every entry that is appended
	// from now on, this server's own included, in order. It does not wait for the
	// engine. After an outage it goes on where it was. Once stop has returned, no
	// method of f is running or called any more; stop is not called by f.
	Follow(namespace string, f Follower) (stop func(), err error)

	// Read yields the entries after the given place, up to the end that the log
	// has when the iteration begins. Its last element is an error if that can't be
	// done: ErrTrimmed if entries after the place may have been dropped. The
	// memory of an entry is the receiver's.
	Read(ctx context.Context, namespace string, after Offset) iter.Seq2[Entry, error]

	// SaveSession stores a session for so long, under its private id.
	SaveSession(ctx context.Context, s *SavedSession, keep time.Duration) error

	// TakeSession takes a session out of the store: who asks first gets it, nobody
	// a second time. ErrNoSession if there is none.
	TakeSession(ctx context.Context, privateID string) (*SavedSession, error)
}

// Follower receives the entries of a log.
type Follower interface {
	// Begin says that what follows are the entries after at, the end of the log at
	// that moment. It is called before the first entry, and again if the follower
	// has lost its place and missed something.
	Begin(at Offset)
	// Entry hands over an entry; e.Data is valid until it returns.
	Entry(e Entry)
}

// Passer is implemented by a Follower that has use for places without an entry of
// its namespace.
type Passer interface {
	// Passed says that all entries of the namespace up to at were handed over, where
	// others' may be the last of them. A session that is saved then does not depend
	// on an old entry, which the others may push out of the log.
	Passed(at Offset)
}

// Entry is one message in a log.
type Entry struct {
	At   Offset
	Data []byte
}

// Offset is a place in a log: that of the entry which has it, and, as the
// argument of Read, the one behind that entry. Later entries have greater
// offsets; the zero Offset is before all of them. Clients see its text.
type Offset struct{ Major, Minor uint64 }

// String returns two decimal numbers with a dash between them, the form of the
// entry ids of Redis streams, which is what official adapters use.
func (o Offset) String() string {
	return strconv.FormatUint(o.Major, 10) + "-" + strconv.FormatUint(o.Minor, 10)
}

// MarshalText returns the text of String.
func (o Offset) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText is ParseOffset.
func (o *Offset) UnmarshalText(text []byte) (err error) {
	*o, err = ParseOffset(string(text))
	return err
}

// After reports whether o is a later place than p.
func (o Offset) After(p Offset) bool {
	return o.Major > p.Major || o.Major == p.Major && o.Minor > p.Minor
}

// ParseOffset reads what String has written, and nothing else.
func ParseOffset(text string) (Offset, error) {
	major, minor, _ := strings.Cut(text, "-")
	var o Offset
	var err1, err2 error
	o.Major, err1 = strconv.ParseUint(major, 10, 64)
	o.Minor, err2 = strconv.ParseUint(minor, 10, 64)
	if err1 != nil || err2 != nil || o.String() != text {
		return Offset{}, fmt.Errorf("cluster: %.60q is no offset", text)
	}
	return o, nil
}

// SavedSession is what a log keeps of a socket that was disconnected: the
// members that the sessions of official adapters have, and one of ours.
type SavedSession struct {
	SocketID  string
	PrivateID string
	Rooms     []string
	Data      []byte // the socket's data as JSON
	// Trail is what this package notes beside, in a form of its own; a session that
	// an official adapter has saved has none.
	Trail []byte
}

var (
	// ErrTrimmed is returned by Log.Read for a place that the log does not reach
	// back to.
	ErrTrimmed = errors.New("cluster: the log does not reach back so far")
	// ErrNoSession is returned by Log.TakeSession.
	ErrNoSession = errors.New("cluster: no such session")
)
