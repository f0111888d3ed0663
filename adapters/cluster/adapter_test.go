package cluster_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/socketio/adapter"
	"github.com/siokit/siokit/socketio/adapter/adaptertest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// cable is one server's end of a bus; it can be cut.
type cable struct {
	*cluster.MemoryBus
	cut      atomic.Bool
	counting func() // called before the bus counts
}

func (c *cable) Subscribers(ctx context.Context, topic string) (int, error) {
	if c.counting != nil {
		c.counting()
	}
	return c.MemoryBus.Subscribers(ctx, topic)
}

func (c *cable) Publish(ctx context.Context, topic string, data []byte) error {
	if c.cut.Load() {
		return nil
	}
	return c.MemoryBus.Publish(ctx, topic, data)
}

func (c *cable) Subscribe(topic string, receive func([]byte)) (func(), error) {
	return c.MemoryBus.Subscribe(topic, func(data []byte) {
		if !c.cut.Load() {
			receive(data)
		}
	})
}

// killable is an adapter that the suite can cut off the bus.
type killable struct {
	*cluster.Adapter
	end *cable
}

func start(config cluster.Config) func(testing.TB) adapter.New {
	return func(testing.TB) adapter.New {
		bus := &cluster.MemoryBus{}
		return func(local adapter.Local) (adapter.Adapter, error) {
			end := &cable{MemoryBus: bus}
			config := config
			config.Bus = end
			a, err := cluster.New(config)(local)
			if err != nil {
				return nil, err
			}
			return killable{a.(*cluster.Adapter), end}, nil
		}
	}
}

func kill(a adapter.Adapter) { a.(killable).end.cut.Store(true) }

func TestAdapter(t *testing.T) {
	for name, config := range map[string]cluster.Config{
		"heartbeats": {},
		"counted":    {HeartbeatInterval: -1},
		"both":       {CountSubscribers: true},
	} {
		t.Run(name, func(t *testing.T) {
			adaptertest.RunCluster(t, adaptertest.Cluster{
				Servers: 3, Start: start(config), Kill: kill, Within: 5 * time.Second,
			})
		})
	}
}
