package nats

import (
	"crypto/rand"
	"encoding/hex"

	"github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/adapters/cluster/msgpack"
	"github.com/siokit/siokit/socketio/adapter"
)

// New returns what makes the adapters of one server: each a [*cluster.Adapter],
// with recovery a [cluster.Recovering]. A config that isn't usable is reported
// when the first is made.
func New(config Config) adapter.New {
	config, err := config.withDefaults()
	var s *store // shared by all namespaces; nil without recovery
	if err == nil && config.Recovery != nil {
		s, err = newStore(&config)
	}
	return func(local adapter.Local) (adapter.Adapter, error) {
		if err != nil {
			return nil, err
		}
		uid := config.UID
		if uid == "" {
			uid = randomID()
		}
		c := cluster.Config{
			Codec:  msgpack.Always,
			Prefix: config.Prefix, UID: uid,
			HeartbeatInterval: config.HeartbeatInterval, HeartbeatTimeout: config.HeartbeatTimeout,
			RequestTimeout: config.RequestTimeout, MaxQueued: config.MaxQueued,
			Logger: config.Logger,
		}
		b := &bus{config.Conn, subjects{config.Prefix, local.Namespace()}}
		c.Bus = b
		if s != nil {
			c.Bus, c.MaxDisconnection = newLog(b, s), config.Recovery.MaxDisconnection
			c.OffsetTimeout = config.Recovery.OffsetTimeout
		}
		return cluster.New(c)(local)
	}
}

// randomID returns a name as the reference's cluster adapter gives itself.
func randomID() string {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
