package cluster

import (
	"bytes"
	"sync"
)

// subscription hands on what was published for it, in order. Its goroutine exists
// while there is something; stop waits for it.
type subscription struct {
	receive func(Entry)
	idle    sync.Cond // on mu: no goroutine is running

	mu      sync.Mutex
	queue   []Entry // grows with what the receiver is behind
	running bool
	stopped bool
}

func newSubscription(receive func(Entry)) *subscription {
	s := &subscription{receive: receive}
	s.idle.L = &s.mu
	return s
}

func (s *subscription) add(e Entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return
	}
	s.queue = append(s.queue, e)
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
		for _, e := range batch {
			if s.stopped {
				break
			}
			s.mu.Unlock()
			// Every receiver gets memory of its own: it may decode in place.
			e.Data = bytes.Clone(e.Data)
			s.receive(e)
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
