package redispubsub

import (
	"sync"

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
		Bus: &emitterBus{Bus: bus, config: config, routers: make(map[string]cluster.Router)}, Codec: codec, Prefix: config.Prefix, Values: config.Values, Timeout: config.RequestTimeout,
	})
}

// emitterBus is the bus of an emitter, which is one for all namespaces.
type emitterBus struct {
	*Bus
	config Config

	mu      sync.Mutex
	routers map[string]cluster.Router // by namespace: they know what is settling
}

// Route implements [cluster.Router].
func (b *emitterBus) Route(topic string, m *cluster.Message) string {
	b.mu.Lock()
	router := b.routers[m.Namespace]
	if router == nil {
		bus, _ := wire(&b.config, b.Bus, m.Namespace)
		router = bus.(cluster.Router)
		b.routers[m.Namespace] = router
	}
	b.mu.Unlock()
	return router.Route(topic, m)
}
