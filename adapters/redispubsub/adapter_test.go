package redispubsub_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/siokit/siokit/adapters/redispubsub"
	"github.com/siokit/siokit/adapters/redispubsub/redistest"
	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio/adapter"
	"github.com/siokit/siokit/socketio/adapter/adaptertest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// prefixes keep tests on one server apart.
var prefixes atomic.Int64

func freshPrefix() string { return fmt.Sprint("test", prefixes.Add(1)) }

var modes = map[string]redispubsub.Config{
	"classic":          {},
	"classic specific": {SpecificResponses: true},
	"static":           {Mode: redispubsub.ShardedStatic},
	"dynamic":          {Mode: redispubsub.ShardedDynamic},
	"dynamic private":  {Mode: redispubsub.ShardedDynamicPrivate},
}

func TestAdapter(t *testing.T) {
	server := redistest.Start(t)
	for name, config := range modes {
		t.Run(name, func(t *testing.T) {
			var p plugs
			adaptertest.RunCluster(t, adaptertest.Cluster{
				Servers: 3, Within: time.Minute, Kill: p.pull, // tens of thousands of channels, on a machine that may be busy
				Start: func(t testing.TB) adapter.New {
					config := config
					config.Prefix = freshPrefix()
					return p.start(t, server, config)
				},
			})
		})
	}
}

// plugs are the connections of adapters to Redis, to be pulled.
type plugs struct {
	mu      sync.Mutex
	clients map[adapter.Adapter]*redis.Client
}

func (p *plugs) pull(a adapter.Adapter) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.clients[a].Close()
}

func (p *plugs) forget(a adapter.Adapter) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.clients, a)
}

// start returns what makes adapters with a client each.
func (p *plugs) start(t testing.TB, server *redistest.Server, config redispubsub.Config) adapter.New {
	private := config.Mode == redispubsub.ShardedDynamicPrivate
	c := &patient{
		probe: server.Open(t), prefix: config.Prefix,
		private: private, dynamic: private || config.Mode == redispubsub.ShardedDynamic,
		between: strings.Contains(t.Name(), "/Cluster/"),
	}
	return func(local adapter.Local) (adapter.Adapter, error) {
		client := server.Open(t)
		config := config
		config.Client = client
		a, err := redispubsub.New(config)(local)
		if err != nil {
			return nil, err
		}
		w := &waiting{Adapter: a.(*redispubsub.Adapter), all: c, namespace: local.Namespace()}
		w.closed = func() {
			c.remove(w)
			p.forget(w)
		}
		c.add(w)
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.clients == nil {
			p.clients = make(map[adapter.Adapter]*redis.Client)
		}
		p.clients[w] = client
		return w, nil
	}
}

// patient waits until Redis knows of the subscriptions of a cluster: rooms become
// channels in the background, and who joins is reached a moment later.
type patient struct {
	probe            *redis.Client
	prefix           string
	dynamic, private bool
	between          bool // the test is about several servers

	mu       sync.Mutex
	adapters []*waiting
}

func (c *patient) add(w *waiting) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.adapters = append(c.adapters, w)
}

func (c *patient) remove(w *waiting) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.adapters = slices.DeleteFunc(c.adapters, func(x *waiting) bool { return x == w })
}

func (c *patient) await() {
	if !c.dynamic || !c.between {
		return
	}
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); <-time.After(time.Millisecond) {
		want := c.subscriptions()
		got, err := c.probe.PubSubShardNumSub(context.Background(), slices.Collect(maps.Keys(want))...).Result()
		known := err == nil
		for channel, n := range want {
			known = known && got[channel] >= n
		}
		if known {
			return
		}
	}
}

// subscriptions counts the servers with somebody in a room by the room's channel.
func (c *patient) subscriptions() map[string]int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	want := map[string]int64{}
	for _, w := range c.adapters {
		for room := range w.Rooms() {
			if c.private || len(room) != 20 {
				want[c.prefix+"#"+w.namespace+"#"+room+"#"]++
			}
		}
	}
	return want
}

// waiting is an adapter that does nothing before the subscriptions are there.
type waiting struct {
	*redispubsub.Adapter
	all       *patient
	namespace string
	closed    func()
}

func (w *waiting) Broadcast(p *sioparser.Packet, sel adapter.Selection) error {
	w.all.await()
	return w.Adapter.Broadcast(p, sel)
}

func (w *waiting) Close(ctx context.Context) error {
	w.closed()
	return w.Adapter.Close(ctx)
}

// Servers counts those whose names are known, which takes a greeting longer than
// the count.
func (w *waiting) Servers(ctx context.Context) (int, error) {
	n, err := w.Adapter.Servers(ctx)
	return min(n, 1+len(w.Nodes())), err
}
