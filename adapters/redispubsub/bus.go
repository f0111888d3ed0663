package redispubsub

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/redis/go-redis/v9"

	"github.com/siokit/siokit/adapters/cluster"
)

// Bus is a [cluster.Bus] on the channels of Redis: PUBLISH and SUBSCRIBE, or, if
// it is sharded, SPUBLISH and SSUBSCRIBE. [New] makes the one that it needs; it is
// exported for adapters of other wire formats.
//
// A Bus has goroutines and connections of its own only while there are
// subscriptions. A subscription outlives the connection to Redis: it is made
// again on the next one. What was published meanwhile is lost.
type Bus struct {
	client  redis.UniversalClient
	sharded bool
	log     *slog.Logger

	mu       sync.Mutex
	channels map[string][]*handler
	patterns map[string][]*handler
	listener *listener // nil without subscriptions
}

var (
	_ cluster.Bus               = (*Bus)(nil)
	_ cluster.SubscriberCounter = (*Bus)(nil)
	_ cluster.BatchPublisher    = (*Bus)(nil)
)

// NewBus returns a bus. client stays the caller's, to be closed when the bus has
// no subscriptions any more; it may be one of a single server, of Sentinel or of
// Redis Cluster. A nil logger means slog.Default.
func NewBus(client redis.UniversalClient, sharded bool, logger *slog.Logger) *Bus {
	if logger == nil {
		logger = slog.Default()
	}
	return &Bus{
		client: client, sharded: sharded, log: logger,
		channels: make(map[string][]*handler), patterns: make(map[string][]*handler),
	}
}

// handler is one subscription.
type handler struct {
	bus     *Bus
	set     map[string][]*handler
	name    string
	receive func(channel, data string)
	ready   chan struct{} // closed when Redis has confirmed the subscription
	confirm func()        // closes it

	stopped atomic.Bool
	running sync.Mutex // held while receive runs
}

func (h *handler) handle(m *redis.Message) {
	h.running.Lock()
	defer h.running.Unlock()
	if !h.stopped.Load() {
		h.receive(m.Channel, m.Payload)
	}
}

// stop ends the subscription and waits for receive, which must not call it.
func (h *handler) stop() {
	h.end()
	h.running.Lock()
	defer h.running.Unlock()
}

// Subscribe implements [cluster.Bus].
func (b *Bus) Subscribe(topic string, receive func(data []byte)) (stop func(), err error) {
	// What receive gets is memory of its own: it may decode in place.
	return b.subscribe(b.channels, topic, func(_, data string) { receive([]byte(data)) }).stop, nil
}

// subscribe adds a handler to a set, that of channels or that of patterns.
func (b *Bus) subscribe(set map[string][]*handler, name string, receive func(channel, data string)) *handler {
	h := &handler{bus: b, set: set, name: name, receive: receive, ready: make(chan struct{})}
	h.confirm = sync.OnceFunc(func() { close(h.ready) })
	b.mu.Lock()
	defer b.mu.Unlock()
	// Copied on write: whoever hands a message on walks over a list unlocked.
	set[name] = append(slices.Clip(set[name]), h)
	if b.listener == nil {
		b.listener = listen(b)
	}
	b.listener.changed()
	return h
}

// end ends the subscription, once. It waits for nothing unless it was the last
// one.
func (h *handler) end() {
	if !h.stopped.CompareAndSwap(false, true) {
		return
	}
	b := h.bus
	b.mu.Lock()
	left := slices.DeleteFunc(slices.Clone(h.set[h.name]), func(x *handler) bool { return x == h })
	if h.set[h.name] = left; len(left) == 0 {
		delete(h.set, h.name)
	}
	l := b.listener
	last := len(b.channels)+len(b.patterns) == 0
	if last {
		b.listener = nil
	}
	b.mu.Unlock()
	if last {
		l.close()
	} else {
		l.changed()
	}
}

// wanted returns what is subscribed to now.
func (b *Bus) wanted() (channels, patterns []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Collect(maps.Keys(b.channels)), slices.Collect(maps.Keys(b.patterns))
}

// dispatch hands a message on. It is called by one goroutine at a time for each
// channel.
func (b *Bus) dispatch(m *redis.Message) {
	b.mu.Lock()
	list := b.channels[m.Channel]
	if m.Pattern != "" {
		list = b.patterns[m.Pattern]
	}
	b.mu.Unlock()
	for _, h := range list {
		h.handle(m)
	}
}

// confirmed notes that Redis knows of a subscription.
func (b *Bus) confirmed(m *redis.Subscription) {
	b.mu.Lock()
	defer b.mu.Unlock()
	set := b.channels
	switch m.Kind {
	case "psubscribe":
		set = b.patterns
	case "subscribe", "ssubscribe":
	default:
		return
	}
	for _, h := range set[m.Channel] {
		h.confirm()
	}
}

// once is a command that go-redis must not send again: after a timeout, nobody
// knows whether the first one was executed, and a message twice is worse than
// none.
type once struct{ *redis.IntCmd }

// NoRetry implements [redis.Cmder].
func (once) NoRetry() bool { return true }

func (b *Bus) publication(ctx context.Context, topic string, data []byte) once {
	if b.sharded {
		return once{redis.NewIntCmd(ctx, "spublish", topic, data)}
	}
	return once{redis.NewIntCmd(ctx, "publish", topic, data)}
}

// publisher is the client to publish with. In a Redis Cluster every server tells
// all others what is published on it, in no common order: to keep the order,
// everything goes to one.
func (b *Bus) publisher(ctx context.Context) (redis.UniversalClient, error) {
	shards, ok := b.client.(*redis.ClusterClient)
	if !ok || b.sharded {
		return b.client, nil
	}
	return shards.MasterForKey(ctx, defaultPrefix)
}

// relearn has a cluster client look at the cluster anew after a failure.
func (b *Bus) relearn(ctx context.Context) {
	if shards, ok := b.client.(*redis.ClusterClient); ok {
		shards.ReloadState(ctx)
	}
}

// Publish implements [cluster.Bus].
func (b *Bus) Publish(ctx context.Context, topic string, data []byte) error {
	client, err := b.publisher(ctx)
	if err == nil {
		err = client.Process(ctx, b.publication(ctx, topic, data))
	}
	if err != nil {
		b.relearn(ctx)
	}
	return err
}

// PublishBatch implements [cluster.BatchPublisher]. In Redis Cluster, batches keep
// the order of messages whose channels are on the same server.
func (b *Bus) PublishBatch(ctx context.Context, messages []cluster.Publication) (n int, err error) {
	client, err := b.publisher(ctx)
	if err != nil {
		b.relearn(ctx)
		return 0, err
	}
	pipe := client.Pipeline()
	list := make([]once, len(messages))
	for i, m := range messages {
		list[i] = b.publication(ctx, m.Topic, m.Data)
		_ = pipe.Process(ctx, list[i]) // only queues
	}
	if _, err = pipe.Exec(ctx); err != nil {
		b.relearn(ctx)
	}
	for _, cmd := range list {
		if cmd.Err() == nil {
			n++
		}
	}
	return n, err
}

// Subscribers implements [cluster.SubscriberCounter].
func (b *Bus) Subscribers(ctx context.Context, topic string) (int, error) {
	count := func(ctx context.Context, c redis.Cmdable) (int64, error) {
		var counts *redis.MapStringIntCmd
		if b.sharded {
			counts = c.PubSubShardNumSub(ctx, topic)
		} else {
			counts = c.PubSubNumSub(ctx, topic)
		}
		return counts.Val()[topic], counts.Err()
	}
	shards, ok := b.client.(*redis.ClusterClient)
	if !ok {
		n, err := count(ctx, b.client)
		return int(n), err
	}
	// Each server of a cluster counts its own subscribers only.
	var mu sync.Mutex
	var sum int64
	err := shards.ForEachShard(ctx, func(ctx context.Context, c *redis.Client) error {
		n, err := count(ctx, c)
		mu.Lock()
		defer mu.Unlock()
		sum += n
		return err
	})
	return int(sum), err
}

// place says which server of a Redis Cluster has a channel's slot; "" for any, or
// where there is only one.
func (b *Bus) place(ctx context.Context, channel string) (addr string, client redis.UniversalClient, err error) {
	shards, ok := b.client.(*redis.ClusterClient)
	if !ok || !b.sharded {
		return "", b.client, nil
	}
	node, err := shards.MasterForKey(ctx, channel)
	if err != nil {
		return "", nil, fmt.Errorf("redispubsub: %w", err)
	}
	return node.Options().Addr, node, nil
}
