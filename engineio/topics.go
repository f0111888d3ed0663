package engineio

import (
	"maps"
	"slices"
	"sync"
)

// topics is who subscribed to what. The index lives in the server; a session
// only knows its own topics, so that it can leave them at its end.
type topics struct {
	mu      sync.RWMutex
	members table[string, *table[*Session, struct{}]]
}

// Subscribe adds the session to topics, which are names of the application's
// own (see Server.Publish). A session that is over is not added.
func (s *Session) Subscribe(names ...string) {
	t := &s.srv.topics
	t.mu.Lock()
	defer t.mu.Unlock()
	if s.State() == Closed {
		return
	}
	for _, name := range names {
		set := t.members.m[name]
		if set == nil {
			set = new(table[*Session, struct{}])
			t.members.put(name, set)
		}
		set.put(s, struct{}{})
		if s.topics == nil {
			s.topics = make(map[string]struct{})
		}
		s.topics[name] = struct{}{}
	}
}

// Unsubscribe takes the session out of topics.
func (s *Session) Unsubscribe(names ...string) {
	t := &s.srv.topics
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, name := range names {
		t.leave(s, name)
		delete(s.topics, name)
	}
}

// leave removes one membership, and the topic with its last member.
func (t *topics) leave(s *Session, name string) {
	set := t.members.m[name]
	if set == nil {
		return
	}
	set.remove(s)
	if len(set.m) == 0 {
		t.members.remove(name)
	}
}

// forget removes a session that is over from everything.
func (t *topics) forget(s *Session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for name := range s.topics {
		t.leave(s, name)
	}
	s.topics = nil
}

// Publish sends m to every session that subscribed to at least one of topics,
// once, and returns their number. m is framed, and compressed, once for all of
// them, and not at all if there are none; its bytes must not change afterwards.
// Messages that one goroutine publishes arrive in order; Publish never waits
// for a client.
func (srv *Server) Publish(names []string, m Message, f Flags) int {
	t := &srv.topics
	t.mu.RLock()
	var to []*Session
	switch len(names) {
	case 0:
	case 1:
		if set := t.members.m[names[0]]; set != nil {
			to = slices.AppendSeq(make([]*Session, 0, len(set.m)), maps.Keys(set.m))
		}
	default:
		union := make(map[*Session]struct{})
		for _, name := range names {
			if set := t.members.m[name]; set != nil {
				maps.Copy(union, set.m)
			}
		}
		to = slices.AppendSeq(make([]*Session, 0, len(union)), maps.Keys(union))
	}
	if len(to) == 0 {
		t.mu.RUnlock()
		return 0
	}
	// Pushing under the lock keeps what is published after Unsubscribe returned
	// from a session that left.
	p := Prepare(m)
	for _, s := range to {
		_ = s.Push(p, f) // a session that is ending is no error of the publisher
	}
	t.mu.RUnlock()
	srv.Uncork(to)
	return len(to)
}
