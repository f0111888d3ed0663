package redispubsub

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"

	"github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/adapters/cluster/msgpack"
	"github.com/siokit/siokit/socketio/adapter"
)

var (
	errNoClient = errors.New("redispubsub: Config.Client is nil")
	errMode     = errors.New("redispubsub: Config.Mode is not one")
	errRing     = errors.New("redispubsub: Config.Client is a redis.Ring, which is no bus: its servers don't know of each other")
)

// Adapter is the adapter of one namespace on one server. All that it does is what
// [cluster.Adapter] does.
type Adapter struct {
	*cluster.Adapter
	classic *classic // one of these is set
	sharded *sharded
	ignore  func() // ends the hook of sharded
}

// New returns what makes the adapters (each an [*Adapter]) of a server. A config
// that isn't usable is reported when the first is made. It does not wait for
// Redis: until it is there, this server's sockets are served alone.
func New(config Config) adapter.New {
	config, err := config.withDefaults()
	bus := NewBus(config.Client, config.Mode.sharded(), config.Logger)
	return func(local adapter.Local) (adapter.Adapter, error) {
		if err != nil {
			return nil, err
		}
		config := config
		if config.UID == "" {
			config.UID = randomID()
		}
		return start(config, bus, local)
	}
}

// randomID returns a name as the reference's cluster adapter gives itself.
func randomID() string {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

func start(config Config, bus *Bus, local adapter.Local) (*Adapter, error) {
	a := &Adapter{}
	below, codec := wire(&config, bus, local.Namespace())
	inner, err := cluster.New(config.cluster(below, codec))(local)
	if err != nil {
		return nil, err
	}
	a.Adapter = inner.(*cluster.Adapter)
	switch below := below.(type) {
	case *classic:
		a.classic = below
		below.index.Store(a.Memory)
	case *sharded:
		a.sharded = below
		a.ignore = a.Observe(below.observe)
	}
	return a, nil
}

// wire returns how a namespace is on the bus.
func wire(config *Config, bus *Bus, namespace string) (cluster.Bus, cluster.Codec) {
	if config.Mode.sharded() {
		return newSharded(bus, config, namespace), msgpack.WhenBinary
	}
	return newClassic(bus, config, namespace), ownIDs{classicCodec{namespace}, config.UID + "."}
}

// Close implements [adapter.Adapter].
func (a *Adapter) Close(ctx context.Context) error {
	if a.sharded != nil {
		a.ignore()
		a.sharded.close()
	}
	err := a.Adapter.Close(ctx)
	if a.classic != nil {
		a.classic.asked.Wait() // bounded by the timeout of each
	}
	return err
}
