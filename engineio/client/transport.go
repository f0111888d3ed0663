package client

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/siokit/siokit/eioparser"
)

// Transport is a way to a server: a value with its options, given to Dial by
// Config.Transports. Polling and WebSocket are the built-in ones; package
// engineio/webtransport has another.
type Transport interface {
	// Name is the transport's name in the protocol.
	Name() string

	// Dial connects to a server. ctx bounds the dialling, not the link. A refusal
	// of the server is a *StatusError.
	Dial(ctx context.Context, target Target) (Link, error)
}

// Target is what a Transport needs to know to connect.
type Target struct {
	// URL has the scheme http or https, and a query with EIO, transport and, when
	// a session moves to this transport, sid. It belongs to the transport.
	URL *url.URL

	// Header is what every request has to carry. It is to be read only.
	Header http.Header

	Network

	// MaxMessage is the size in bytes of the largest message that may come.
	MaxMessage int64
}

// Link is a connection to a server. Receive and Send are each called by one
// goroutine at a time; Close by any, at any time.
type Link interface {
	// Receive returns the server's next packet and blocks until there is one. The
	// data of a text packet is valid until the next call; that of a binary one is
	// handed over. It returns an error, and io.EOF in its chain where the server
	// has closed the connection, when there is nothing more, and soon after Close.
	Receive() (eioparser.Packet, error)

	// Send sends packets, in order and completely, and keeps nothing of the slice.
	// It may block, though not beyond Close. A packet of type Close is the last
	// one; a transport whose connection has an end of its own sends that instead,
	// and waits briefly for the server to answer it.
	Send(packets []eioparser.Packet) error

	// Close ends the link without waiting. It may be called more than once.
	Close()
}

// Leaver is a Link that a session can move away from.
type Leaver interface {
	// Leave returns when the server has received everything that was sent, and no
	// request is pending. No Send is in progress meanwhile; Receive is called until
	// it returns an error, which is ErrLeft if the link knows that nothing more
	// will come. If the move fails after all, Receive is called again.
	Leave(ctx context.Context) error
}

// ErrLeft is what Receive returns after Leave, when everything was received.
var ErrLeft = errors.New("engineio: the session left this link")
