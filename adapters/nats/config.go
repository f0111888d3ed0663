package nats

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Config says how a server takes part in a cluster over NATS. Conn must be set;
// Prefix, Recovery and the heartbeats are those of all servers of the cluster.
type Config struct {
	// Conn is the connection that everything goes over. It stays open when the
	// adapters are closed. Let it reconnect for ever and soon:
	// MaxReconnects(-1), ReconnectWait(250*time.Millisecond). FlusherTimeout bounds
	// how long a frozen NATS holds up Close, whatever its context says; the
	// client's default is a minute.
	Conn *natsgo.Conn
	// Prefix begins every subject: one or more tokens. Empty means "socketio".
	Prefix string
	// Recovery switches connection state recovery on. Nil means off; then JetStream
	// isn't needed.
	Recovery *Recovery

	// UID, HeartbeatInterval, HeartbeatTimeout, RequestTimeout and MaxQueued are
	// those of cluster.Config. There is no negative HeartbeatInterval.
	UID               string
	HeartbeatInterval time.Duration
	HeartbeatTimeout  time.Duration
	RequestTimeout    time.Duration
	MaxQueued         int64

	// Logger takes warnings; nil means slog.Default.
	Logger *slog.Logger
}

// Recovery says how JetStream keeps what clients may miss. The zero value is
// usable. The stream and the bucket are made if they aren't there, and brought in
// line if they are.
type Recovery struct {
	// MaxDisconnection is for how long a client can come back. Zero means two
	// minutes. Give socketio.Config.Recovery the same.
	MaxDisconnection time.Duration
	// OffsetTimeout is that of cluster.Config: for how long this server's sockets
	// wait for a packet's offset. Zero means a second.
	OffsetTimeout time.Duration
	// MaxAge is how long packets are kept. A client that vanishes is noticed by the
	// heartbeat only, and misses what was sent until then too; zero means
	// MaxDisconnection and one minute.
	MaxAge time.Duration
	// MaxBytes bounds the stream. Zero means 256 MiB.
	MaxBytes int64
	// Memory keeps stream and bucket in the servers' memory instead of in files.
	Memory bool
	// Replicas is on how many servers of a NATS cluster both are kept. Zero means 1.
	Replicas int
	// Stream is the name of the stream, and Bucket that of the key-value bucket of
	// sessions. Empty means those that Prefix suggests: "socketio" and
	// "socketio_sessions".
	Stream, Bucket string
}

const (
	defaultPrefix        = "socketio"
	defaultDisconnection = 2 * time.Minute
	defaultMaxBytes      = 256 << 20
)

func (c Config) withDefaults() (Config, error) {
	if c.Conn == nil {
		return c, errors.New("nats: Config.Conn is nil")
	}
	if c.Prefix == "" {
		c.Prefix = defaultPrefix
	}
	for part := range strings.SplitSeq(c.Prefix, ".") {
		if part == "" || strings.ContainsAny(part, "*> \t\r\n") {
			return c, errors.New("nats: Config.Prefix is no subject")
		}
	}
	if c.HeartbeatInterval < 0 {
		return c, errors.New("nats: Config.HeartbeatInterval is negative")
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Recovery != nil {
		r, err := c.Recovery.withDefaults(c.Prefix)
		if err != nil {
			return c, err
		}
		c.Recovery = &r
	}
	return c, nil
}

func (r Recovery) withDefaults(prefix string) (Recovery, error) {
	if r.MaxDisconnection < 0 || r.MaxAge < 0 || r.MaxBytes < 0 || r.Replicas < 0 {
		return r, errors.New("nats: negative limit in Recovery")
	}
	if r.MaxDisconnection == 0 {
		r.MaxDisconnection = defaultDisconnection
	}
	if r.MaxAge == 0 {
		r.MaxAge = r.MaxDisconnection + time.Minute
	}
	if r.MaxBytes == 0 {
		r.MaxBytes = defaultMaxBytes
	}
	if r.Replicas == 0 {
		r.Replicas = 1
	}
	name := strings.ReplaceAll(prefix, ".", "_")
	if r.Stream == "" {
		r.Stream = name
	}
	if r.Bucket == "" {
		r.Bucket = name + "_sessions"
	}
	for _, name := range []string{r.Stream, r.Bucket} {
		if strings.ContainsFunc(name, notName) {
			return r, fmt.Errorf("nats: %q is no name of a stream or bucket: set Recovery.Stream and Bucket", name)
		}
	}
	return r, nil
}

// notName holds for what a bucket's name can't have.
func notName(c rune) bool {
	return !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_')
}

func (r *Recovery) storage() jetstream.StorageType {
	if r.Memory {
		return jetstream.MemoryStorage
	}
	return jetstream.FileStorage
}
