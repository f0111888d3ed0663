package engineio

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/rs/cors"
)

// Config holds the options of a Server. The zero value is a server with the
// reference's defaults. It is read once, by NewServer.
type Config struct {
	// Path, if not empty, is the exact path prefix that the server answers, such
	// as "/engine.io/"; everything else is 404. Empty: wherever it is mounted.
	Path string

	// Transports are the ways in, by preference. nil means Polling{} and
	// WebSocket{}. With one transport no other is offered as an upgrade.
	Transports []Transport

	// PingInterval is the time between two pings of a session. 0 means 25 s.
	PingInterval time.Duration

	// PingTimeout is how long a client may take to answer a ping, and how long a
	// write may make no progress. 0 means 20 s.
	PingTimeout time.Duration

	// UpgradeTimeout is how long an upgrade may take. 0 means 10 s.
	UpgradeTimeout time.Duration

	// MaxPayload is the size in bytes of the largest message, and of the largest
	// body of a long-polling request, that a client may send. 0 means 1,000,000.
	MaxPayload int64

	// NoUpgrades keeps every session on the transport it began with.
	NoUpgrades bool

	// AllowEIO3 also accepts clients of protocol revision 3 (socket.io-client 2).
	AllowEIO3 bool

	// Connect, if not nil, is asked once before a session exists, whatever the
	// transport. An error refuses with code 4 and its text. The values of the
	// context reach the session's context; nil stands for the request's own.
	Connect func(*http.Request) (context.Context, error)

	// GenerateID, if not nil, makes the session ids. They must be unguessable,
	// unique, and safe in a URL. nil: 15 bytes of crypto/rand.
	GenerateID func(*http.Request) (string, error)

	// InitialPacket, if not nil, is a message that every session sends right
	// after its handshake.
	InitialPacket *Message

	// Cookie, if not nil, is set with the session id as its value by the answer
	// to the handshake. Empty fields: Name "io", Path "/", SameSite Lax; HttpOnly
	// is always set.
	Cookie *http.Cookie

	// CORS, if not nil, lets pages of other origins in, over every transport. nil:
	// no CORS headers, and WebSocket handshakes from another origin are refused.
	CORS *cors.Options

	// Logger receives what an operator must know. nil means slog.Default().
	Logger *slog.Logger
}
