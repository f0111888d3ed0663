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

// subscription hands on what was published on its topic, in order. Its goroutine
// exists while there is something; stop waits for it.
type subscription struct {
	receive func([]byte)
	idle    sync.Cond // on mu: no goroutine is running

	mu      sync.Mutex
	queue   [][]byte // grows with what the receiver is behind
	running bool
	stopped bool
}

// Publish implements [Bus]. It never blocks.
func (b *MemoryBus) Publish(_ context.Context, topic string, data []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	subs := b.topics[topic]
	if len(subs) == 0 {
		return nil
	}
	data = bytes.Clone(data)
	for _, s := range subs {
		s.add(data)
	}
	return nil
}

// Subscribe implements [Bus].
func (b *MemoryBus) Subscribe(topic string, receive func([]byte)) (stop func(), err error) {
	s := &subscription{receive: receive}
	s.idle.L = &s.mu
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

func (s *subscription) add(data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return
	}
	s.queue = append(s.queue, data)
	if !s.running {
		s.running = true
		go s.run()
	}
}

func (s *subscription) run() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.queue) > 0 && !s.stopped {
		batch := s.queue
		s.queue = nil
		for _, data := range batch {
			if s.stopped {
				break
			}
			s.mu.Unlock()
			// Every receiver gets memory of its own: it may decode in place.
			s.receive(bytes.Clone(data))
			s.mu.Lock()
		}
	}
	s.running = false
	s.idle.Broadcast()
}

func (s *subscription) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
	s.queue = nil
	for s.running {
		s.idle.Wait()
	}
}
