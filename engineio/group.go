package engineio

import (
	"context"
	"sync"
	"sync/atomic"
)

// group counts what runs on behalf of a server, requests and goroutines, so
// that Shutdown can wait for it. Unlike a sync.WaitGroup it may grow while
// somebody waits, and a waiter can give up.
type group struct {
	mu      sync.Mutex
	n       int
	waiting map[*rest]struct{}
}

// rest is somebody who waits for the others.
type rest struct {
	own   *atomic.Int32 // how many of n wait for him; nil: none
	began int32         // what it was when he came: those who come later don't
	done  chan struct{} // closed when no others are left
	over  bool
}

func (g *group) begin() {
	g.mu.Lock()
	g.n++
	g.mu.Unlock()
}

func (g *group) end() {
	g.mu.Lock()
	g.n--
	g.stir()
	g.mu.Unlock()
}

// stir wakes those who wait if only they are left. The caller holds mu.
func (g *group) stir() {
	if len(g.waiting) == 0 || g.n > g.resting() {
		return
	}
	for r := range g.waiting {
		if !r.over {
			r.over = true
			close(r.done)
		}
	}
}

// resting returns how many of n wait for those who wait here. The caller holds mu.
func (g *group) resting() (n int) {
	began := make(map[*atomic.Int32]int32)
	for r := range g.waiting {
		if r.own != nil {
			began[r.own] = max(began[r.own], r.began)
		}
	}
	for own, most := range began {
		n += int(min(own.Load(), most))
	}
	return n
}

// run starts f on a goroutine that wait waits for.
func (g *group) run(f func()) {
	g.begin()
	go func() {
		defer g.end()
		f()
	}()
}

// wait returns when only those are left that wait here themselves, as r does, or
// with ctx's error.
func (g *group) wait(ctx context.Context, r *rest) error {
	g.mu.Lock()
	if g.waiting == nil {
		g.waiting = make(map[*rest]struct{})
	}
	g.waiting[r] = struct{}{}
	g.stir() // another one may have waited for the caller
	g.mu.Unlock()
	select {
	case <-r.done:
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.waiting, r)
	if r.over {
		return nil
	}
	return context.Cause(ctx)
}
