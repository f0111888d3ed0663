package nats

import (
	"context"
	"strings"

	"github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/adapters/cluster/msgpack"
)

// NewEmitter returns an emitter, for a process without sockets. Of config, Conn,
// Prefix and Recovery count. When a call returns, what it sends is on its way;
// with recovery, it is in the log.
func NewEmitter(config Config) (*cluster.Emitter, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	e := emitterBus{&bus{config.Conn, subjects{prefix: config.Prefix}}}
	c := cluster.EmitterConfig{Bus: e, Codec: msgpack.Always, Prefix: config.Prefix}
	if config.Recovery != nil {
		s, err := newStore(&config)
		if err != nil {
			return nil, err
		}
		c.Bus = emitterLog{e, newLog(e.bus, s)}
	}
	return cluster.NewEmitter(c)
}

// emitterBus publishes for an emitter, to any namespace.
type emitterBus struct{ *bus }

// Publish implements [cluster.Bus]. An emitter answers nobody, so the topic is
// prefix#namespace#.
func (b emitterBus) Publish(ctx context.Context, topic string, data []byte) error {
	namespace := strings.TrimSuffix(strings.TrimPrefix(topic, b.prefix+"#"), "#")
	to := &bus{b.conn, subjects{b.prefix, namespace}}
	return to.Publish(ctx, topic, data)
}

// emitterLog appends for an emitter.
type emitterLog struct {
	emitterBus
	*log
}

var _ cluster.Log = emitterLog{}

// Publish implements [cluster.Bus].
func (e emitterLog) Publish(ctx context.Context, topic string, data []byte) error {
	return e.emitterBus.Publish(ctx, topic, data)
}

// Subscribe implements [cluster.Bus]; an emitter doesn't listen.
func (e emitterLog) Subscribe(topic string, receive func([]byte)) (func(), error) {
	return e.emitterBus.Subscribe(topic, receive)
}
