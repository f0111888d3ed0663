package engineio

import (
	"hash/maphash"
	"sync"
)

// registry is the sessions of a server by id. It is cut into shards, so that a
// storm of connections does not meet at one lock, and so that giving memory
// back after a peak, which a Go map does not do by itself, moves little at a
// time.
type registry struct {
	seed   maphash.Seed
	shards [registryShards]shard
}

const registryShards = 32

type shard struct {
	mu   sync.RWMutex
	byID map[string]*Session
	peak int // most entries since byID was made
}

func newRegistry() *registry { return &registry{seed: maphash.MakeSeed()} }

func (r *registry) shard(id string) *shard {
	return &r.shards[maphash.String(r.seed, id)%registryShards]
}

func (r *registry) get(id string) *Session {
	sh := r.shard(id)
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	return sh.byID[id]
}

// add enters s unless its id is taken.
func (r *registry) add(s *Session) bool {
	sh := r.shard(s.id)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if _, taken := sh.byID[s.id]; taken {
		return false
	}
	if sh.byID == nil {
		sh.byID = make(map[string]*Session)
	}
	sh.byID[s.id] = s
	sh.peak = max(sh.peak, len(sh.byID))
	return true
}

// remove takes s out, and reports whether it was in.
func (r *registry) remove(s *Session) bool {
	sh := r.shard(s.id)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sh.byID[s.id] != s {
		return false
	}
	delete(sh.byID, s.id)
	if n := len(sh.byID); sh.peak > 64 && n < sh.peak/4 {
		small := make(map[string]*Session, n)
		for id, s := range sh.byID {
			small[id] = s
		}
		sh.byID, sh.peak = small, n
	}
	return true
}

// all returns the sessions that there are now.
func (r *registry) all() []*Session {
	var list []*Session
	for i := range r.shards {
		sh := &r.shards[i]
		sh.mu.RLock()
		for _, s := range sh.byID {
			list = append(list, s)
		}
		sh.mu.RUnlock()
	}
	return list
}
