package engineio

import (
	"errors"
	"net/http"
)

// Transport is a way in which packets travel: a value with its options, given
// to a server by Config.Transports and shared by all of its sessions. For each
// client it makes a Link.
//
// Polling and WebSocket are written against this file and Port, as every other
// transport can be; transporttest.Run checks one.
//
// A transport may also implement RequestChecker, UpgradeTarget and Unlisted.
type Transport interface {
	// Name is the transport's name in the protocol: the value of the query
	// parameter transport, and the entry in the handshake's upgrades.
	Name() string

	// Accept makes the link of a handshake, or of an upgrade, that came over HTTP
	// and passed the server's checks. The header of w already holds what the
	// answer must carry (cookie, CORS, hooks); Accept may answer through w, take
	// the connection over (http.Hijacker), or leave the answer to the link's
	// ServeHTTP, which the server calls next with the same request.
	//
	// It runs on the goroutine of the HTTP request and may block as long as that
	// may. An error refuses the request: the server answers it with code 3 unless
	// Accept wrote an answer. A transport that HTTP does not reach returns
	// ErrNoHTTP; its connections come in by Server.ServeConn.
	Accept(w http.ResponseWriter, r *http.Request, p *Port) (Link, error)
}

// ErrNoHTTP is what Accept returns for a transport that has listeners of its
// own. To HTTP requests such a transport is unknown (code 0).
var ErrNoHTTP = errors.New("engineio: the transport is not reached by HTTP")

// RequestChecker is a Transport that can tell whether a request could become a
// link, before Config.Connect is asked. An error refuses with code 3.
type RequestChecker interface {
	CheckRequest(r *http.Request) error
}

// UpgradeTarget is a Transport to which a session may move from another one.
type UpgradeTarget interface {
	// UpgradesFrom reports whether a session on the named transport may move to
	// this one. The handshake lists this transport in upgrades if so, unless it is
	// Unlisted.
	UpgradesFrom(name string) bool
}

// Unlisted is an UpgradeTarget that some sessions may move to without being
// told: their handshake does not list it, because official clients would try, and
// cannot leave the transport that they are on.
type Unlisted interface {
	Unlisted(from string) bool
}

// Link is one client's connection over a transport: the sending side. What it
// receives it hands to the Port that it was made with.
//
// How a link receives it says by implementing Reader (it owns a connection) or
// http.Handler (it lives on the session's later requests), or both.
type Link interface {
	// Write sends the packets of batch, in order and completely. Of Write and
	// TryWrite one call is in progress at a time. A link with TryWrite is asked to
	// Write only after that left something, first with an empty batch, to send
	// what is left, then with what was queued meanwhile. It may block, but no longer than Port.WriteTimeout without progress, and not beyond
	// Close. The slice is the server's again when Write returns; the packets' bytes
	// stay unchanged for good and may be kept.
	//
	// An error ends the session with TransportError and the error as its cause.
	//
	// A packet of type Close is the last one. A transport whose connection has an
	// end of its own leaves it out.
	Write(batch []Outgoing) error

	// Close ends the link. It tells the peer if that can be done without waiting,
	// makes Read and Write return soon, and lets go of everything. It returns at
	// once. It may be called more than once, from any goroutine, also while the
	// other methods run.
	Close()
}

// Reader is a Link that reads a connection.
type Reader interface {
	// Read reads until the connection ends or Close is called, and hands every
	// packet to Port.Receive. The server calls it once, on a goroutine that does
	// nothing else, after Handler.Open returned. Its result says why the session
	// ended: nil or io.EOF is TransportClose; an eioparser.Error in the chain is
	// ParseError; everything else is TransportError. When Port.Receive returns an
	// error Read must end; which error it returns is then of no interest.
	//
	// Between two packets Read may return ErrReadOn.
	Read() error
}

// ErrReadOn is what Reader.Read returns to be called again at once, on a
// goroutine that has just begun. A goroutine keeps a stack of the size that it
// needed once; a link that has worked on input, and is now going to wait for
// some time, waits on a small one so. Under Server.ServeConn it is called on
// the same goroutine.
var ErrReadOn = errors.New("engineio: to be read on")

// ErrWouldBlock is what TryWrite returns if something is left to be written.
var ErrWouldBlock = errors.New("engineio: write would block")

// TryWriter is a Link that can write without blocking. Without it every write
// costs a goroutine.
type TryWriter interface {
	// TryWrite takes batch as Write does and writes what the peer takes at once.
	// If something is left it returns ErrWouldBlock, keeps the rest, and is not
	// called again until a Write has returned. It is also called with an empty
	// batch, after Port.Wake.
	TryWrite(batch []Outgoing) error
}

// Outgoing is what travels together, and how.
type Outgoing struct {
	*Prepared
	NoCompress bool // send it as it is, also where compression is on
}
