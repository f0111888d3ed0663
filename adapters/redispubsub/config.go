package redispubsub

import (
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/sioparser"
)

// Mode is which of the wire formats of @socket.io/redis-adapter is spoken. All
// servers of a cluster, and their emitters, need the same one.
type Mode uint8

const (
	// Classic is what the reference's createAdapter speaks: PUBLISH and SUBSCRIBE,
	// on any version of Redis. Every server gets every message of its namespaces.
	Classic Mode = iota
	// ShardedDynamic is the default of the reference's createShardedAdapter:
	// SPUBLISH and SSUBSCRIBE, which need Redis 7, with a channel for each room
	// except a socket's own. A server gets a broadcast to one room only if it has
	// somebody in there.
	ShardedDynamic
	// ShardedStatic is its "static": two channels a namespace and server, however
	// many rooms there are.
	ShardedStatic
	// ShardedDynamicPrivate is its "dynamic-private": a channel for each room, those
	// of single sockets too.
	ShardedDynamicPrivate
)

func (m Mode) sharded() bool { return m != Classic }

// Config says how a server takes part in a cluster. Client must be set; all
// servers of a cluster need the same Mode and Prefix.
type Config struct {
	// Client reaches Redis: a single server, Sentinel or Redis Cluster. It stays
	// the caller's, to be closed after the Socket.IO server. Subscriptions have
	// connections of their own beside its pool. Its ReadTimeout bounds how long a
	// frozen Redis holds up what waits to be published.
	Client redis.UniversalClient
	// Mode is the wire format; the zero value is Classic.
	Mode Mode
	// Prefix begins every channel: the reference's key, or channelPrefix. Empty
	// means "socket.io".
	Prefix string
	// UID names this server in the cluster, in the errors about servers that have
	// not answered; see cluster.Config. Empty means random.
	UID string
	// SpecificResponses answers requests on a channel that only the server which
	// has asked is subscribed to: the reference's publishOnSpecificResponseChannel.
	// Servers with and without it understand each other. Sharded modes always do
	// so.
	SpecificResponses bool

	// HeartbeatInterval, HeartbeatTimeout, RequestTimeout and MaxQueued are those of
	// cluster.Config. Official servers neither send heartbeats nor mind them; how
	// many servers there are is asked of Redis, who they are is known of ours.
	HeartbeatInterval, HeartbeatTimeout, RequestTimeout time.Duration
	MaxQueued                                           int64

	// Values encodes the arguments of emitters; nil means the defaults. Adapters
	// don't need it.
	Values *sioparser.Values
	// Logger takes warnings about Redis; nil means slog.Default.
	Logger *slog.Logger
}

const defaultPrefix = "socket.io"

func (c Config) withDefaults() (Config, error) {
	if c.Client == nil {
		return c, errNoClient
	}
	if _, ring := c.Client.(*redis.Ring); ring {
		return c, errRing
	}
	if c.Prefix == "" {
		c.Prefix = defaultPrefix
	}
	if c.Mode > ShardedDynamicPrivate {
		return c, errMode
	}
	return c, nil
}

// cluster returns the configuration below this package's.
func (c *Config) cluster(bus cluster.Bus, codec cluster.Codec) cluster.Config {
	return cluster.Config{
		Bus: bus, Codec: codec, Prefix: c.Prefix, UID: c.UID,
		HeartbeatInterval: c.HeartbeatInterval, HeartbeatTimeout: c.HeartbeatTimeout, CountSubscribers: true,
		RequestTimeout: c.RequestTimeout, MaxQueued: c.MaxQueued,
		Logger: c.Logger,
	}
}
