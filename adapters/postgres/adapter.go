package postgres

import (
	"github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/socketio/adapter"
)

// New returns what makes the adapters (each a [*cluster.Adapter]) of one server.
// They share a connection that listens; it is there while one of them is open. A
// config that isn't usable is reported when the first is made.
func New(config Config) adapter.New {
	config, err := config.withDefaults()
	l := newListener(&config)
	return func(local adapter.Local) (adapter.Adapter, error) {
		if err != nil {
			return nil, err
		}
		c := cluster.Config{
			Codec:  codec{local.Namespace(), config.PayloadThreshold},
			Prefix: config.ChannelPrefix, UID: config.UID,
			HeartbeatInterval: config.HeartbeatInterval, HeartbeatTimeout: config.HeartbeatTimeout,
			RequestTimeout: config.RequestTimeout, MaxQueued: config.MaxQueued,
			Logger: config.Logger,
		}
		if c.UID == "" {
			c.UID = randomID()
		}
		c.Bus = newBus(&config, l, c.UID, local.Namespace())
		return cluster.New(c)(local)
	}
}

// NewEmitter returns an emitter, for a process without sockets. Of config, Pool,
// ChannelPrefix, TableName and PayloadThreshold count.
func NewEmitter(config Config) (*cluster.Emitter, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	return cluster.NewEmitter(cluster.EmitterConfig{
		Bus:    emitterBus{sender: newSender(&config)},
		Codec:  codec{threshold: config.PayloadThreshold},
		Prefix: config.ChannelPrefix,
	})
}
