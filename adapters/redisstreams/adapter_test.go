package redisstreams_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/adapters/redispubsub/redistest"
	"github.com/siokit/siokit/adapters/redisstreams"
	"github.com/siokit/siokit/socketio/adapter"
	"github.com/siokit/siokit/socketio/adapter/adaptertest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// names keep tests on one server apart.
var names atomic.Int64

func fresh(config redisstreams.Config) redisstreams.Config {
	name := fmt.Sprint("test", names.Add(1))
	config.Stream, config.ChannelPrefix, config.SessionPrefix = name, name, name+":"
	return config
}

// plain and recovering are adapters with their plug to Redis.
type (
	plain struct {
		*cluster.Adapter
		client *redis.Client
	}
	recovering struct {
		cluster.Recovering
		client *redis.Client
	}
)

func (p plain) pull()      { _ = p.client.Close() }
func (r recovering) pull() { _ = r.client.Close() }

// Servers counts those whose names are known, which takes a greeting longer than
// the count.
func (p plain) Servers(ctx context.Context) (int, error) { return named(ctx, p.Adapter) }

func (r recovering) Servers(ctx context.Context) (int, error) { return named(ctx, r.Adapter) }

func named(ctx context.Context, a *cluster.Adapter) (int, error) {
	n, err := a.Servers(ctx)
	return min(n, 1+len(a.Nodes())), err
}

// patience is how long packets wait for their offsets where a Redis that is slow,
// since the machine is, must not switch recovery off.
const patience = 20 * time.Second

func TestAdapter(t *testing.T) {
	server := redistest.Start(t)
	for name, config := range map[string]redisstreams.Config{
		"plain":            {},
		"recovery":         {MaxDisconnection: time.Minute, OffsetTimeout: patience},
		"sharded channels": {MaxDisconnection: time.Minute, OffsetTimeout: patience, ShardedChannels: true, Streams: 4},
	} {
		t.Run(name, func(t *testing.T) {
			adaptertest.RunCluster(t, adaptertest.Cluster{
				Servers: 3, Within: 20 * time.Second,
				Kill: func(a adapter.Adapter) { a.(interface{ pull() }).pull() },
				Start: func(t testing.TB) adapter.New {
					config := fresh(config)
					return func(local adapter.Local) (adapter.Adapter, error) {
						config := config
						client := server.Open(t)
						config.Client = client
						a, err := redisstreams.New(config)(local)
						switch a := a.(type) {
						case cluster.Recovering:
							return recovering{a, client}, err
						case *cluster.Adapter:
							return plain{a, client}, err
						}
						return nil, err
					}
				},
			})
		})
	}
}
