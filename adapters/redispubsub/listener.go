package redispubsub

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// pingEvery is after how much silence a connection is asked whether it lives.
	pingEvery = time.Second
	// deadAfter is after how much silence it is given up. A frozen Redis that comes
	// back before goes on where it was.
	deadAfter = 5 * time.Second
	// maxChannels is how many channels a command names.
	maxChannels = 512
	// retryEvery is the pause between attempts to reach Redis.
	retryEvery = 100 * time.Millisecond
)

// listener keeps what a Bus is subscribed to and what Redis knows of it the
// same. Its goroutine runs from the first subscription until close.
type listener struct {
	bus    *Bus
	ctx    context.Context
	cancel context.CancelFunc
	wake   chan struct{}
	all    sync.WaitGroup // the goroutine, and one for each link

	// Owned by the goroutine.
	links map[string]*link // by the address of the server; "" where there is only one
}

func listen(b *Bus) *listener {
	l := &listener{bus: b, wake: make(chan struct{}, 1), links: make(map[string]*link)}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	l.all.Add(1)
	go l.run()
	return l
}

// changed says that the subscriptions have changed.
func (l *listener) changed() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// close ends the connections and waits for the goroutines.
func (l *listener) close() {
	l.cancel()
	l.all.Wait()
}

func (l *listener) run() {
	defer l.all.Done()
	defer func() {
		for _, k := range l.links {
			k.close()
		}
	}()
	for {
		var retry <-chan time.Time
		if err := l.update(); err != nil {
			l.bus.log.Debug("redispubsub: subscribe", "error", err)
			retry = time.After(retryEvery)
		}
		select {
		case <-l.wake:
		case <-retry:
		case <-l.ctx.Done():
			return
		}
	}
}

// update subscribes and unsubscribes on each link what has changed.
func (l *listener) update() error {
	for addr, k := range l.links {
		if k.broken() {
			k.close()
			delete(l.links, addr)
		}
	}
	channels, patterns := l.bus.wanted()
	type want struct{ channels, patterns []string }
	plan := map[string]*want{}
	clients := map[string]redis.UniversalClient{}
	var failed error
	for _, name := range channels {
		addr, client, err := l.bus.place(l.ctx, name)
		if err != nil {
			failed = err
			continue
		}
		if plan[addr] == nil {
			plan[addr], clients[addr] = &want{}, client
		}
		plan[addr].channels = append(plan[addr].channels, name)
	}
	if len(patterns) > 0 {
		if plan[""] == nil {
			plan[""], clients[""] = &want{}, l.bus.client
		}
		plan[""].patterns = patterns
	}
	for addr, w := range plan {
		k := l.links[addr]
		if k == nil {
			k = l.dial(clients[addr])
			l.links[addr] = k
		}
		failed = errors.Join(failed, k.subscribe(w.channels, w.patterns))
	}
	for addr, k := range l.links {
		if plan[addr] == nil {
			k.close()
			delete(l.links, addr)
		}
	}
	return failed
}

// link is a connection that is subscribed to channels, and the goroutine that
// reads from it. When it breaks, the listener makes a new one.
type link struct {
	l      *listener
	pubsub *redis.PubSub
	cancel context.CancelFunc

	// Owned by the listener's goroutine.
	channels, patterns map[string]bool

	mu       sync.Mutex
	over     bool
	dropping map[string]int // unsubscriptions of shard channels that Redis has not confirmed
}

// dial returns a link that is not connected yet.
func (l *listener) dial(client redis.UniversalClient) *link {
	k := &link{l: l, channels: map[string]bool{}, patterns: map[string]bool{}, dropping: map[string]int{}}
	if l.bus.sharded {
		k.pubsub = client.SSubscribe(l.ctx)
	} else {
		k.pubsub = client.Subscribe(l.ctx)
	}
	var ctx context.Context
	ctx, k.cancel = context.WithCancel(l.ctx)
	l.all.Add(1)
	go k.run(ctx)
	return k
}

func (k *link) close() {
	k.cancel()
	_ = k.pubsub.Close() // its reader ends
}

func (k *link) broken() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.over
}

// subscribe makes the link's subscriptions these.
func (k *link) subscribe(channels, patterns []string) error {
	add, drop := k.pubsub.Subscribe, k.pubsub.Unsubscribe
	if k.l.bus.sharded {
		add, drop = k.pubsub.SSubscribe, k.drop
	}
	atOnce := maxChannels
	if _, ok := k.l.bus.client.(*redis.ClusterClient); ok && k.l.bus.sharded {
		atOnce = 1 // a command is about one slot
	}
	return errors.Join(
		change(k.l.ctx, atOnce, k.channels, channels, add, drop),
		change(k.l.ctx, maxChannels, k.patterns, patterns, k.pubsub.PSubscribe, k.pubsub.PUnsubscribe),
	)
}

func (k *link) drop(ctx context.Context, channels ...string) error {
	k.mu.Lock()
	for _, name := range channels {
		k.dropping[name]++
	}
	k.mu.Unlock()
	return k.pubsub.SUnsubscribe(ctx, channels...)
}

// dropped notes that Redis has ended a subscription, and reports whether it was
// asked to: if not, the slot has moved to another server of the cluster.
func (k *link) dropped(channel string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.dropping[channel] == 0 {
		return false
	}
	if k.dropping[channel]--; k.dropping[channel] == 0 {
		delete(k.dropping, channel)
	}
	return true
}

// change subscribes to what is wanted and not there, and the other way round.
// PubSub remembers what it could not tell Redis and tells the next connection.
func change(ctx context.Context, atOnce int, has map[string]bool, want []string, add, drop func(context.Context, ...string) error) error {
	var more, less []string
	stay := make(map[string]bool, len(want))
	for _, name := range want {
		stay[name] = true
		if !has[name] {
			has[name] = true
			more = append(more, name)
		}
	}
	for name := range has {
		if !stay[name] {
			delete(has, name)
			less = append(less, name)
		}
	}
	var failed []error
	for list := range slices.Chunk(more, atOnce) {
		failed = append(failed, add(ctx, list...))
	}
	for list := range slices.Chunk(less, atOnce) {
		failed = append(failed, drop(ctx, list...))
	}
	return errors.Join(failed...)
}

// run reads until the link is closed. It hands on what arrives itself: what a
// subscriber does with a message doesn't wait for anybody.
func (k *link) run(ctx context.Context) {
	defer k.l.all.Done()
	heard, asked := time.Now(), false
	for ctx.Err() == nil {
		m, err := k.pubsub.ReceiveTimeout(ctx, pingEvery)
		var timeout net.Error
		switch {
		case err == nil:
			heard, asked = time.Now(), false
			if k.handle(m) {
				continue
			}
		case errors.As(err, &timeout) && timeout.Timeout():
			if asked && time.Since(heard) >= deadAfter {
				break
			}
			asked = true
			if k.pubsub.Ping(ctx) == nil {
				continue
			}
		}
		if ctx.Err() != nil {
			return
		}
		k.l.bus.log.Debug("redispubsub: connection", "error", err)
		k.end()
		return
	}
}

// end has the listener make a new link.
func (k *link) end() {
	k.mu.Lock()
	k.over = true
	k.mu.Unlock()
	select {
	case <-k.l.ctx.Done():
	case <-time.After(retryEvery):
	}
	k.l.changed()
}

// handle reports whether the link is as it should be.
func (k *link) handle(m any) bool {
	switch m := m.(type) {
	case *redis.Message:
		k.l.bus.dispatch(m)
	case *redis.Subscription:
		k.l.bus.confirmed(m)
		return m.Kind != "sunsubscribe" || k.dropped(m.Channel)
	}
	return true
}
