package redispubsub

import (
	"github.com/siokit/siokit/adapters/cluster"
)

// NewEmitter returns an emitter: it speaks to the sockets and servers of a cluster
// from a process that has none. Of config it needs Client, Mode and Prefix, the
// same as the servers have, and Values. It reaches official servers, in the way of
// @socket.io/redis-emitter.
func NewEmitter(config Config) (*cluster.Emitter, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	bus := NewBus(config.Client, config.Mode.sharded(), config.Logger)
	_, codec := wire(&config, bus, "/") // it is the same for all
	return cluster.NewEmitter(cluster.EmitterConfig{
		Bus: &emitterBus{bus, config}, Codec: codec, Prefix: config.Prefix, Values: config.Values, Timeout: config.RequestTimeout,
	})
}

// emitterBus is the bus of an emitter, which is one for all namespaces.
type emitterBus struct {
	*Bus
	config Config
}

// Route implements [cluster.Router].
func (b *emitterBus) Route(topic string, m *cluster.Message) string {
	bus, _ := wire(&b.config, b.Bus, m.Namespace)
	return bus.(cluster.Router).Route(topic, m)
}
