package engineio

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/rs/cors"
)

// Config holds the options of a Server. The zero value is a server with the
// reference's defaults. It is read once, by NewServer; what it points to must
// not change afterwards.
type Config struct {
	// Path, if not empty, is the path that the server answers, such as
	// "/engine.io/", with all that begins with it; the rest is 404. A path without
	// a slash at its end also matches itself. Empty: wherever the server is
	// mounted.
	Path string

	// Transports are the ways in. nil means Polling{} and WebSocket{}, with the
	// upgrade from the first to the second.
	Transports []Transport

	// PingInterval is the time between two pings of a session. 0 means 25 s. This
	// and the next two are at least 1 ms and at most 12 days.
	PingInterval time.Duration

	// PingTimeout is how long a client may take to answer a ping, how long a write
	// may make no progress, and how long Session.Close waits for the client to
	// take what is left. 0 means 20 s.
	PingTimeout time.Duration

	// UpgradeTimeout is how long an upgrade may take. 0 means 10 s.
	UpgradeTimeout time.Duration

	// MaxPayload is the size in bytes of the largest message, and of the largest
	// body of a long-polling request, that a client may send. Messages count
	// after decompression. 0 means 1,000,000; at most 1 TiB.
	MaxPayload int64

	// NoUpgrades keeps every session on the transport that it began with.
	NoUpgrades bool

	// AllowEIO3 also accepts clients of protocol revision 3, such as
	// socket.io-client 2.
	AllowEIO3 bool

	// Connect, if not nil, is asked once before a session exists, whatever the
	// transport. An error refuses with code 4 and its text. The values of the
	// context reach the session's context and so every handler; nil stands for
	// the request's own context.
	Connect func(*http.Request) (context.Context, error)

	// GenerateID, if not nil, makes the session ids, which must be unique, hard to
	// guess, and safe in a URL. An error, or an id that is in use, refuses the
	// client with code 3. nil: 15 bytes of crypto/rand, as base64.
	GenerateID func(*http.Request) (string, error)

	// InitialPacket, if not nil, is a message that every session sends right
	// after its handshake.
	InitialPacket *Message

	// Cookie, if not nil, is set by the answer to the handshake, with the session
	// id as its value. Fields that are not set: Name "io", Path "/", SameSite Lax.
	// HttpOnly is always set.
	Cookie *http.Cookie

	// CORS, if not nil, lets pages of other origins in, over every transport:
	// those in AllowedOrigins, or everybody if that list is empty. An origin is
	// written as browsers send it, such as "https://app.example:8443", without a
	// path. nil: no CORS headers, and WebSocket handshakes of a page from another
	// origin are refused with 403.
	CORS *cors.Options

	// Middleware wraps the server's own handling of every request, the first one
	// outermost.
	Middleware []func(http.Handler) http.Handler

	// InitialHeaders, if not nil, may change the header of the answer with which a
	// session begins; Headers that of every answer to a session.
	InitialHeaders, Headers func(http.Header, *http.Request)

	// OnConnectionError, if not nil, is told of every request that is refused.
	OnConnectionError func(*ConnectionError)

	// Trace, if not nil, is told of packets and upgrades.
	Trace *Trace

	// TrustedProxies are the networks whose Forwarded, X-Forwarded-For and
	// X-Forwarded-Host headers count. The first two must agree where both are
	// there, since a proxy passes on what it does not write. nil: nobody's.
	TrustedProxies []netip.Prefix

	// ClientAddr, if not nil, says where a request comes from, in place of
	// TrustedProxies.
	ClientAddr func(*http.Request) string

	// PinAddress refuses requests to a session from another address than the one
	// that it began with. Telephones change theirs: it is off by default.
	PinAddress bool

	// AdaptiveTimeout waits for a pong four times the smoothed round trip, but at
	// least 1 s and at most PingTimeout, so that a dead client is noticed sooner
	// than the protocol promises.
	AdaptiveTimeout bool

	// Limits bound what clients may use.
	Limits Limits

	// Logger receives what an operator must know. nil means slog.Default().
	Logger *slog.Logger
}

// Limits bound what clients may use of a server. Zero fields have defaults.
type Limits struct {
	// Outbox is the size in bytes of what may wait to be sent to one session, 64
	// counted for each message beside its own. A session that passes it is closed:
	// it does not read, or it is sent more than its connection carries. A message
	// that passes it alone is taken, but nothing behind it until it has been written:
	// set this to more than the largest message that you send. 0 means 16 MiB.
	Outbox int

	// Sessions is how many sessions there may be; more are refused with 503. 0: no
	// limit.
	Sessions int

	// SessionsPerAddr is the same for one client address, with 429. 0: no limit.
	SessionsPerAddr int

	// EventsPerSecond is how many messages a client may send on average, with
	// bursts of as many. A session that sends more is closed. 0: no limit.
	EventsPerSecond int
}

// longestTime is what the two times that clients are told may come to: the
// timers of JavaScript count in 31 bits of milliseconds, and fire at once for
// more.
const longestTime = (1<<31 - 1) * time.Millisecond / 2

// largestPayload keeps what is computed from a limit from overflowing.
const largestPayload = 1 << 40

// complete fills in defaults and checks the rest.
func (c *Config) complete() error {
	if c.Path != "" && !strings.HasPrefix(c.Path, "/") {
		return fmt.Errorf("engineio: path %q does not begin with a slash", c.Path)
	}
	for _, d := range []struct {
		name string
		v    *time.Duration
		def  time.Duration
	}{
		{"PingInterval", &c.PingInterval, 25 * time.Second},
		{"PingTimeout", &c.PingTimeout, 20 * time.Second},
		{"UpgradeTimeout", &c.UpgradeTimeout, 10 * time.Second},
	} {
		if *d.v == 0 {
			*d.v = d.def
		}
		if *d.v < time.Millisecond || *d.v > longestTime {
			return fmt.Errorf("engineio: %s is %v, not between a millisecond and %v", d.name, *d.v, longestTime)
		}
	}
	if c.MaxPayload == 0 {
		c.MaxPayload = 1_000_000
	}
	if c.Limits.Outbox == 0 {
		c.Limits.Outbox = 16 << 20
	}
	if c.MaxPayload > largestPayload {
		return fmt.Errorf("engineio: MaxPayload is %d, more than %d", c.MaxPayload, int64(largestPayload))
	}
	for _, limit := range []struct {
		name  string
		value int64
	}{
		{"MaxPayload", c.MaxPayload},
		{"Limits.Outbox", int64(c.Limits.Outbox)},
		{"Limits.Sessions", int64(c.Limits.Sessions)},
		{"Limits.SessionsPerAddr", int64(c.Limits.SessionsPerAddr)},
		{"Limits.EventsPerSecond", int64(c.Limits.EventsPerSecond)},
	} {
		if limit.value < 0 {
			return fmt.Errorf("engineio: %s is %d, less than 0", limit.name, limit.value)
		}
	}
	if c.Transports == nil {
		c.Transports = []Transport{Polling{}, WebSocket{}}
	}
	if len(c.Transports) == 0 {
		return errors.New("engineio: no transports")
	}
	if c.CORS != nil {
		for _, origin := range c.CORS.AllowedOrigins {
			if err := checkListedOrigin(origin); err != nil {
				return err
			}
		}
	}
	if c.CORS != nil && c.CORS.AllowCredentials && cors.New(*c.CORS).OriginAllowed(stranger()) {
		return errors.New("engineio: CORS with credentials needs a list of origins")
	}
	if c.Cookie != nil {
		k := *c.Cookie
		if k.Name == "" {
			k.Name = "io"
		}
		if k.Path == "" {
			k.Path = "/"
		}
		if k.SameSite == 0 {
			k.SameSite = http.SameSiteLaxMode
		}
		k.HttpOnly = true
		k.Value = "x"
		if err := k.Valid(); err != nil {
			return fmt.Errorf("engineio: cookie: %w", err)
		}
		c.Cookie = &k
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return nil
}
