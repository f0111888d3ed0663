package redisstreams

import (
	"errors"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/siokit/siokit/sioparser"
)

// Config says how a server takes part in a cluster. Client must be set; Stream,
// Streams, ChannelPrefix, ShardedChannels and SessionPrefix are those of all
// servers of the cluster, and their defaults those of the official adapter.
type Config struct {
	// Client reaches Redis: a single server, Sentinel or Redis Cluster. It stays
	// the caller's, to be closed after the Socket.IO server. What waits for new
	// entries and messages has connections of its own beside its pool. Its
	// ReadTimeout bounds how long one attempt to append may take.
	Client redis.UniversalClient
	// Stream is the name of the stream: streamName. Empty means "socket.io".
	Stream string
	// Streams is over how many streams namespaces are spread, for the servers of a
	// Redis Cluster: streamCount. Zero means 1. More have "-" and a number behind
	// the name.
	Streams int
	// MaxLen is about how many entries a stream keeps: maxLen. Zero means 10,000. A
	// client that has missed more can't be recovered.
	MaxLen int64
	// ReadCount is how many entries are read at once: readCount. Zero means 100.
	ReadCount int64
	// ChannelPrefix begins the channels for requests and responses, which no stream
	// keeps: channelPrefix. Empty means "socket.io".
	ChannelPrefix string
	// ShardedChannels uses the sharded channels of Redis 7: useShardedPubSub.
	ShardedChannels bool
	// SessionPrefix begins the keys of sessions: sessionKeyPrefix. Empty means
	// "sio:session:".
	SessionPrefix string

	// MaxDisconnection switches connection state recovery on: it is for how long a
	// client can come back, to any server of the cluster. Give
	// socketio.Config.Recovery the same. Zero means no recovery.
	MaxDisconnection time.Duration
	// OffsetTimeout is that of cluster.Config: for how long, with recovery, this
	// server's sockets wait for a packet's offset. Zero means a second.
	OffsetTimeout time.Duration

	// UID names this server in the cluster; see cluster.Config. Empty means random.
	UID string
	// HeartbeatInterval, HeartbeatTimeout, RequestTimeout and MaxQueued are those of
	// cluster.Config. Official servers send no heartbeats: how many servers there
	// are is asked of Redis, who they are is known of ours.
	HeartbeatInterval, HeartbeatTimeout, RequestTimeout time.Duration
	MaxQueued                                           int64

	// Values encodes the arguments of emitters; nil means the defaults. Adapters
	// don't need it.
	Values *sioparser.Values
	// Logger takes warnings about Redis; nil means slog.Default.
	Logger *slog.Logger
}

const (
	defaultStream        = "socket.io"
	defaultMaxLen        = 10_000
	defaultReadCount     = 100
	defaultChannels      = "socket.io"
	defaultSessionPrefix = "sio:session:"
)

func (c Config) withDefaults() (Config, error) {
	if c.Client == nil {
		return c, errors.New("redisstreams: Config.Client is nil")
	}
	if _, ring := c.Client.(*redis.Ring); ring {
		return c, errors.New("redisstreams: Config.Client is a redis.Ring, which is no bus: its servers don't know of each other")
	}
	if c.Streams < 0 || c.MaxLen < 0 || c.ReadCount < 0 || c.MaxDisconnection < 0 {
		return c, errors.New("redisstreams: negative limit in Config")
	}
	if c.Stream == "" {
		c.Stream = defaultStream
	}
	if c.Streams == 0 {
		c.Streams = 1
	}
	if c.MaxLen == 0 {
		c.MaxLen = defaultMaxLen
	}
	if c.ReadCount == 0 {
		c.ReadCount = defaultReadCount
	}
	if c.ChannelPrefix == "" {
		c.ChannelPrefix = defaultChannels
	}
	if c.SessionPrefix == "" {
		c.SessionPrefix = defaultSessionPrefix
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c, nil
}
