package cluster

import (
	"bytes"
	"context"
	"slices"
	"sync"
)

// MemoryBus is a [Bus] within one process, for tests and for trying things out.
// The zero value is ready.
type MemoryBus struct {
	mu     sync.Mutex
	topics map[string][]*subscription
}

var (
	_ Bus               = (*MemoryBus)(nil)
	_ SubscriberCounter = (*MemoryBus)(nil)
)

// Publish implements [Bus]. It never blocks.
func (b *MemoryBus) Publish(_ context.Context, topic string, data []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	subs := b.topics[topic]
	if len(subs) == 0 {
		return nil
	}
	e := Entry{Data: bytes.Clone(data)}
	for _, s := range subs {
		s.add(e)
	}
	return nil
}

// Subscribe implements [Bus].
func (b *MemoryBus) Subscribe(topic string, receive func([]byte)) (stop func(), err error) {
	s := newSubscription(func(e Entry) { receive(e.Data) })
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.topics == nil {
		b.topics = make(map[string][]*subscription)
	}
	b.topics[topic] = append(b.topics[topic], s)
	return func() {
		b.mu.Lock()
		if left := slices.DeleteFunc(b.topics[topic], func(x *subscription) bool { return x == s }); len(left) > 0 {
			b.topics[topic] = left
		} else {
			delete(b.topics, topic)
		}
		b.mu.Unlock()
		s.stop()
	}, nil
}

// Subscribers implements [SubscriberCounter].
func (b *MemoryBus) Subscribers(_ context.Context, topic string) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.topics[topic]), nil
}
