package engineio

import (
	"hash/maphash"
	"sync"
)

// registry is the sessions of a server by id. It is cut into shards, so that a
// storm of connections does not meet at one lock, and so that giving memory
// back after a peak moves little at a time.
type registry struct {
	seed   maphash.Seed
	shards [registryShards]shard
}

const registryShards = 32

type shard struct {
	mu   sync.RWMutex
	byID table[string, *Session]
}

func newRegistry() *registry { return &registry{seed: maphash.MakeSeed()} }

func (r *registry) shard(id string) *shard {
	return &r.shards[maphash.String(r.seed, id)%registryShards]
}

func (r *registry) get(id string) *Session {
	sh := r.shard(id)
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	return sh.byID.m[id]
}

// add enters s unless its id is taken.
func (r *registry) add(s *Session) bool {
	sh := r.shard(s.id)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if _, taken := sh.byID.m[s.id]; taken {
		return false
	}
	sh.byID.put(s.id, s)
	return true
}

// remove takes s out, and reports whether it was in.
func (r *registry) remove(s *Session) bool {
	sh := r.shard(s.id)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sh.byID.m[s.id] != s {
		return false
	}
	sh.byID.remove(s.id)
	return true
}

// all returns the sessions that there are now.
func (r *registry) all() []*Session {
	var list []*Session
	for i := range r.shards {
		sh := &r.shards[i]
		sh.mu.RLock()
		for _, s := range sh.byID.m {
			list = append(list, s)
		}
		sh.mu.RUnlock()
	}
	return list
}
