package redisstreams

import (
	"crypto/rand"
	"encoding/hex"

	"github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/adapters/cluster/msgpack"
	"github.com/siokit/siokit/socketio/adapter"
)

// New returns what makes the adapters of one server: each a [*cluster.Adapter],
// with recovery a [cluster.Recovering]. A config that isn't usable is reported
// when the first is made. It does not wait for Redis.
func New(config Config) adapter.New {
	config, err := config.withDefaults()
	var log *log
	if err == nil {
		log = newLog(config) // shared by all namespaces
	}
	return func(local adapter.Local) (adapter.Adapter, error) {
		if err != nil {
			return nil, err
		}
		uid := config.UID
		if uid == "" {
			uid = randomID()
		}
		return cluster.New(cluster.Config{
			Bus: log, Codec: msgpack.Always, LogCodec: entryCodec{},
			Prefix: config.ChannelPrefix, UID: uid,
			HeartbeatInterval: config.HeartbeatInterval, HeartbeatTimeout: config.HeartbeatTimeout, CountSubscribers: true,
			RequestTimeout: config.RequestTimeout, MaxQueued: config.MaxQueued,
			MaxDisconnection: config.MaxDisconnection, OffsetTimeout: config.OffsetTimeout,
			Logger: config.Logger,
		})(local)
	}
}

// randomID returns a name as the reference's cluster adapter gives itself.
func randomID() string {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// NewEmitter returns an emitter: it speaks to the sockets and servers of a cluster
// from a process that has none. Of config it needs Client, Stream, Streams,
// MaxLen and ChannelPrefix, the same as the servers have, and Values. It reaches
// official servers: what it adds to the stream is what @socket.io/redis-streams-adapter
// reads.
func NewEmitter(config Config) (*cluster.Emitter, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	return cluster.NewEmitter(cluster.EmitterConfig{
		Bus: newLog(config), Codec: msgpack.Always, LogCodec: entryCodec{},
		Prefix: config.ChannelPrefix, Values: config.Values, Timeout: config.RequestTimeout,
	})
}
