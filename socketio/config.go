package socketio

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"reflect"
	"time"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio/adapter"
)

// Defaults of Config's fields.
const (
	DefaultConnectTimeout  = 45 * time.Second
	DefaultAckTimeout      = 10 * time.Second
	DefaultDisconnectGrace = 5 * time.Second
	DefaultMaxNamespaces   = 4096
)

// Bounds of what waits for the handlers of one connection: the number of
// events, and their bytes as a multiple of the largest message.
const (
	maxQueuedEvents = 65_536
	inboxFactor     = 4
)

// Config is what a Server is made of. The zero value is a server with every
// default of the reference. It is copied by NewServer and never changed after.
type Config struct {
	// Engine is an Engine.IO server of the caller's own, with its transports and
	// limits, that nothing handles yet; the new Server becomes its handler and
	// ends it in Shutdown. Nil makes one from EngineConfig.
	Engine *engineio.Server
	// EngineConfig configures the sessions and transports. It must be zero when
	// Engine is set.
	EngineConfig engineio.Config

	// Path, if not empty, is the only prefix that ServeHTTP answers, such as
	// "/socket.io/"; other paths get 404. It begins with a slash. Empty means
	// wherever it is mounted.
	Path string

	// ConnectTimeout is how long a connection may live without joining a
	// namespace, and how long the middlewares of one CONNECT may take.
	// 0 means 45 s; negative, for ever.
	ConnectTimeout time.Duration

	// AckTimeout bounds the waiting for acknowledgements where the caller's
	// context has no deadline. 0 means 10 s; negative, no bound.
	AckTimeout time.Duration

	// DisconnectGrace is how long OnDisconnecting and OnDisconnect wait for a
	// handler of the socket that still runs, before they run beside it.
	// 0 means 5 s; negative, for ever.
	DisconnectGrace time.Duration

	// MaxNamespaces bounds the namespaces that one connection may be in; one more
	// ends it. Those that it has left count too while hooks and handlers of their
	// sockets still run, but for 64. 0 means 4,096; it may not be negative.
	MaxNamespaces int

	// Adapter makes the adapter of each namespace. Nil means the rooms of this
	// process (adapter.NewMemory), with a log of recent packets if Recovery is
	// set.
	Adapter adapter.New

	// Codec is the wire form of packets; every client must use the same one.
	// Nil means sioparser.Text, the protocol's own.
	Codec sioparser.Codec

	// Limits bound what a decoder accepts: attachments of a packet and their bytes,
	// nesting, the length of a namespace's name. A field that is 0 means the
	// parser's default (10 attachments of 10 MB together, 1,000 levels, 512 bytes);
	// negative, no limit.
	Limits sioparser.Limits

	// Values turns Go values into arguments and back. Nil means json/v2 with the
	// options that sioparser documents.
	Values *sioparser.Values

	// Recovery switches connection state recovery on. Nil means off. An Adapter
	// must be an adapter.SessionStore then.
	Recovery *Recovery

	// CleanupEmptyChildNamespaces removes a namespace that a ParentNamespace
	// made when its last socket has left, and with it the sessions that Recovery
	// keeps there: a client that was alone is not recovered.
	CleanupEmptyChildNamespaces bool

	// ServeClient is the folder (dist of npm's socket.io-client) whose browser
	// bundles ServeHTTP gives out beside the endpoint, to pages of the origins that
	// the Engine.IO server lets in: these eight names and no others, compressed by
	// gzip or deflate, or by brotli where the folder has a file of the same name
	// with .br behind it. They are read once, by NewServer. Nil serves none.
	ServeClient fs.FS

	// Logger receives what an operator must know. Nil means slog.Default().
	Logger *slog.Logger
}

// Recovery configures connection state recovery: a client whose connection
// broke gets its id, rooms, data and the packets that it missed back when it
// returns in time, unless they take more than half of an outbox (Limits.Outbox of
// engineio). No number may be negative. With a Config.Adapter of one's own only
// RunMiddlewares counts here: that adapter has the other settings.
type Recovery struct {
	// MaxDisconnection is how long a client may stay away. 0 means two minutes.
	MaxDisconnection time.Duration
	// RunMiddlewares makes a recovered socket pass the connection middlewares
	// again. By default they are skipped: the client passed them before.
	RunMiddlewares bool
	// OnExpired is called, on a goroutine of the server's, with the id of each
	// socket whose stored session ran out without its client coming back. Nil:
	// nobody is told.
	OnExpired func(namespace, socketID string)
	// MaxPackets bounds the packets that a namespace keeps for replaying. 0 means
	// 100,000.
	MaxPackets int
	// MaxBytes bounds their text and attachments. 0 means 64 MiB.
	MaxBytes int64
	// MaxSessions bounds the sessions of a namespace that wait for their clients;
	// the one that has waited longest goes for a new one. 0 means 100,000.
	MaxSessions int
}

func (r *Recovery) expired(namespace, socketID string) (err error) {
	defer recovered(&err)
	r.OnExpired(namespace, socketID)
	return nil
}

// withDefaults checks c and fills in what is zero.
func (c Config) withDefaults() (Config, error) {
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = DefaultConnectTimeout
	}
	if c.AckTimeout == 0 {
		c.AckTimeout = DefaultAckTimeout
	}
	if c.DisconnectGrace == 0 {
		c.DisconnectGrace = DefaultDisconnectGrace
	}
	if c.MaxNamespaces == 0 {
		c.MaxNamespaces = DefaultMaxNamespaces
	}
	if c.MaxNamespaces < 0 {
		return c, errors.New("socketio: Config.MaxNamespaces is negative")
	}
	if c.Path != "" && c.Path[0] != '/' {
		return c, fmt.Errorf("socketio: Config.Path %q does not begin with a slash", c.Path)
	}
	if c.Path != "" && c.EngineConfig.Path != "" {
		return c, errors.New("socketio: Config has both Path and EngineConfig.Path")
	}
	if c.Codec == nil {
		c.Codec = sioparser.Text
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c, nil
}

// newEngine returns the Engine.IO server: the caller's, or one of ours.
func (c *Config) newEngine() (*engineio.Server, error) {
	if c.Engine == nil {
		return engineio.NewServer(c.EngineConfig)
	}
	if !reflect.ValueOf(c.EngineConfig).IsZero() {
		return nil, errors.New("socketio: Config has both Engine and EngineConfig")
	}
	return c.Engine, nil
}

// newAdapter returns what makes the adapter of a namespace.
// outbox is the limit of what may wait for one client.
func (c *Config) newAdapter(name string, outbox int, l adapter.Local) (adapter.Adapter, error) {
	switch {
	case c.Adapter != nil:
		return c.Adapter(l)
	case c.Recovery == nil:
		return adapter.NewMemory(l)
	}
	r := *c.Recovery
	log := adapter.RecoveryConfig{
		MaxDisconnection: r.MaxDisconnection,
		MaxPackets:       r.MaxPackets,
		MaxBytes:         r.MaxBytes,
		MaxSessions:      r.MaxSessions,
		MaxReplay:        int64(max(outbox/2, 1)),
	}
	if r.OnExpired != nil {
		log.OnExpired = func(s *adapter.Session) {
			if err := r.expired(name, s.SocketID); err != nil {
				c.warn("OnExpired", err, "namespace", name)
			}
		}
	}
	return adapter.NewRecovery(log)(l)
}
