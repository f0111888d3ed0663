package client

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	engine "github.com/siokit/siokit/engineio/client"
	"github.com/siokit/siokit/sioparser"
)

// What zero values in Config mean; the official client's defaults, but for the
// last three, where it has no bounds.
const (
	DefaultReconnectionDelay    = time.Second
	DefaultReconnectionDelayMax = 5 * time.Second
	DefaultRandomizationFactor  = 0.5
	DefaultTimeout              = 20 * time.Second
	DefaultAckTimeout           = 10 * time.Second
	DefaultBuffer               = 16 << 20
	DefaultInbox                = 16 << 20
)

// Config holds the options of a Client. The zero value is the official client's
// default. It is read by New; what it points to must not change afterwards.
type Config struct {
	// Engine holds the options of the connection: transports, upgrade, headers,
	// TLS, how to dial.
	Engine engine.Config

	// Prepare, if not nil, is called before each attempt to connect and may change
	// the options of that one, a copy of Engine: a fresh header, other transports.
	// Its Header is never nil. attempt counts as OnReconnectAttempt does, 0 is the
	// first one. ctx ends with the attempt, after Timeout at the latest. An error
	// goes to OnConnectError, as if the server had not been there.
	Prepare func(ctx context.Context, attempt int, options *engine.Config) error

	// Auth returns what CONNECT carries for the server's middlewares: a struct or
	// a map, nil for nothing. It is called before each CONNECT, also after
	// reconnections, so that it may fetch a fresh token; Static always gives the
	// same. ctx ends with the connection. An error goes to OnConnectError, and the
	// next attempt follows after the usual delay, unless NoReconnection or
	// ReconnectionAttempts says that there is none. nil: CONNECT carries nothing.
	Auth func(ctx context.Context, namespace string) (any, error)

	// NoReconnection lets the client stay away when a connection was lost or could
	// not be made.
	NoReconnection bool

	// ReconnectionAttempts is the number of attempts after which it gives up. 0
	// means that it never does.
	ReconnectionAttempts int

	// ReconnectionDelay is how long it waits before the first attempt; before each
	// further one twice as long, but no longer than ReconnectionDelayMax. 0 means
	// one second and five seconds.
	ReconnectionDelay    time.Duration
	ReconnectionDelayMax time.Duration

	// RandomizationFactor makes each delay longer or shorter by a random part of
	// it, up to this factor, so that the clients of a server that comes back don't
	// all arrive at once. 0 means 0.5, less than 0 none; more than 1 is an error.
	RandomizationFactor float64

	// Timeout bounds an attempt to connect, and then the server's answer to CONNECT:
	// without one OnConnectError gets ErrTimeout, and if no namespace is joined
	// the connection is given up for a new attempt. 0 means 20 s, less than 0 none.
	Timeout time.Duration

	// Retries lets an event that is not volatile be sent until the server
	// acknowledges it, this many times after the first. Events wait for each other
	// then: the next one leaves when the one before it is acknowledged or given
	// up. The server must acknowledge every event, and may get one twice. 0: an
	// event is sent once.
	Retries int

	// AckTimeout bounds the waiting for an acknowledgement: that of EmitWithAck if
	// its context has no deadline, and each try with Retries. 0 means 10 s, less
	// than 0 no bound.
	AckTimeout time.Duration

	// Buffer is the size in bytes of the events, for each namespace, that wait for
	// a connection or an acknowledgement, 256 counted for each beside its own. When
	// it is full, Emit waits. 0 means 16 MiB.
	Buffer int64

	// Inbox is the size in bytes of the events, for each namespace, that wait for
	// their handlers, 256 counted for each beside its own. A server that sends more
	// is disconnected, with socketio.ErrInboxFull. 0 means 16 MiB.
	Inbox int64

	// Codec is the wire form of packets, and must be the server's. Nil means
	// sioparser.Text.
	Codec sioparser.Codec

	// Values turns Go values into arguments and back. Nil means the options that
	// sioparser documents.
	Values *sioparser.Values

	// Limits bound what the server can make the decoder hold.
	Limits sioparser.Limits

	// Logger receives errors that no OnError hears of. Nil means slog.Default().
	Logger *slog.Logger
}

// Static is a Config.Auth that always returns v.
func Static(v any) func(context.Context, string) (any, error) {
	return func(context.Context, string) (any, error) { return v, nil }
}

// complete fills in defaults and checks the rest.
func (c *Config) complete() error {
	setDefault(&c.ReconnectionDelay, DefaultReconnectionDelay)
	setDefault(&c.ReconnectionDelayMax, max(c.ReconnectionDelay, DefaultReconnectionDelayMax))
	setDefault(&c.RandomizationFactor, DefaultRandomizationFactor)
	setDefault(&c.Timeout, DefaultTimeout)
	setDefault(&c.AckTimeout, DefaultAckTimeout)
	setDefault(&c.Buffer, DefaultBuffer)
	setDefault(&c.Inbox, DefaultInbox)
	c.RandomizationFactor = max(c.RandomizationFactor, 0)
	switch {
	case c.ReconnectionAttempts < 0:
		return errors.New("socketio: Config.ReconnectionAttempts is negative")
	case c.ReconnectionDelay < 0 || c.ReconnectionDelayMax < c.ReconnectionDelay:
		return errors.New("socketio: Config.ReconnectionDelay is negative, or greater than ReconnectionDelayMax")
	case c.RandomizationFactor > 1:
		return errors.New("socketio: Config.RandomizationFactor is greater than 1")
	case c.Retries < 0:
		return errors.New("socketio: Config.Retries is negative")
	case c.Buffer < 0 || c.Inbox < 0:
		return errors.New("socketio: Config.Buffer or Config.Inbox is negative")
	}
	if c.Limits.AttachmentBytes == 0 {
		c.Limits.AttachmentBytes = max(c.Engine.MaxMessage, 100<<20)
	}
	if c.Codec == nil {
		c.Codec = sioparser.Text
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return nil
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// endpoint returns the URL of the server's endpoint.
func endpoint(raw string) (string, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return "", fmt.Errorf("socketio: %w", err)
	}
	switch u.Scheme {
	case "http", "https", "ws", "wss":
	default:
		return "", fmt.Errorf("socketio: the scheme of %q is none of http, https, ws, wss", raw)
	}
	if u.Host == "" {
		return "", fmt.Errorf("socketio: %q has no host", raw)
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/socket.io/"
	}
	if !strings.HasSuffix(u.Path, "/") { // as the official client's addTrailingSlash
		u.Path += "/"
		if u.RawPath != "" {
			u.RawPath += "/"
		}
	}
	return u.String(), nil
}
