package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Config holds the options of a session. The zero value is the official
// client's default. It is read by Dial; what it points to must not change while
// the session lives.
type Config struct {
	// Transports are the ways to the server. The session begins on the first one
	// and then tries to move to one of the others that the server offers, the last
	// one first. nil means Polling{} and WebSocket{}.
	Transports []Transport

	// NoUpgrade keeps the session on the transport that it began with.
	NoUpgrade bool

	// TryAllTransports begins the session on the next transport where one fails.
	TryAllTransports bool

	// UpgradeTimeout is how long the attempt to move to a transport may take. 0
	// means 10 s.
	UpgradeTimeout time.Duration

	// Header is sent with every request.
	Header http.Header

	// Query is added to the query of every request.
	Query url.Values

	// Network says how connections are made.
	Network

	// MaxMessage is the size in bytes of the largest message, and of the largest
	// answer to a poll, that the server may send. 0 means 100 MiB; more than 1 TiB
	// means 1 TiB.
	MaxMessage int64

	// Outbox is the size in bytes of what may wait to be sent, 64 counted for each
	// message beside its own. 0 means 16 MiB.
	Outbox int

	// Logger is told of panics of the Handler. nil means slog.Default().
	Logger *slog.Logger
}

// Network says how connections are made, whatever the transport. The zero value
// is what net/http does by default.
type Network struct {
	// DialContext, if not nil, opens the connections, such as those of a test that
	// has no network.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)

	// TLS, if not nil, is the configuration for https and wss.
	TLS *tls.Config

	// Proxy says which proxy to use for a request. nil: what the environment says
	// (http.ProxyFromEnvironment), or none if there is a DialContext.
	Proxy func(*http.Request) (*url.URL, error)

	// Jar, if not nil, keeps cookies, such as those of sticky sessions.
	Jar http.CookieJar
}

// largestMessage bounds MaxMessage, which more is added to.
const largestMessage = 1 << 40

// complete fills in defaults and checks the rest.
func (c *Config) complete() error {
	if c.Transports == nil {
		c.Transports = []Transport{Polling{}, WebSocket{}}
	}
	if len(c.Transports) == 0 {
		return errors.New("engineio: no transports")
	}
	if c.UpgradeTimeout == 0 {
		c.UpgradeTimeout = 10 * time.Second
	}
	if c.MaxMessage == 0 {
		c.MaxMessage = 100 << 20
	}
	c.MaxMessage = min(c.MaxMessage, largestMessage)
	if c.Outbox == 0 {
		c.Outbox = 16 << 20
	}
	for name, v := range map[string]int64{
		"UpgradeTimeout": int64(c.UpgradeTimeout), "MaxMessage": c.MaxMessage, "Outbox": int64(c.Outbox),
	} {
		if v < 0 {
			return fmt.Errorf("engineio: %s is less than 0", name)
		}
	}
	if c.Proxy == nil && c.DialContext == nil {
		c.Proxy = http.ProxyFromEnvironment
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return nil
}
