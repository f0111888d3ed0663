package engineio

import (
	"context"
	"sync"
)

// group counts what runs on behalf of a server, requests and goroutines, so
// that Shutdown can wait for it. Unlike a sync.WaitGroup it may grow while
// somebody waits, and a waiter can give up.
type group struct {
	mu      sync.Mutex
	n       int
	resting int                        // of n: those who wait for the others
	waiting map[chan struct{}]struct{} // to be closed when no others are left
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
	if g.n > g.resting {
		return
	}
	for c := range g.waiting {
		delete(g.waiting, c)
		close(c)
	}
}

// run starts f on a goroutine that wait waits for.
func (g *group) run(f func()) {
	g.begin()
	go func() {
		defer g.end()
		f()
	}()
}

// wait returns when only those are left that wait here themselves, or with
// ctx's error. own is the number of them that the caller runs in.
func (g *group) wait(ctx context.Context, own int) error {
	g.mu.Lock()
	g.resting += own
	g.stir() // another one may have waited for the caller
	if g.n <= g.resting {
		g.resting -= own
		g.mu.Unlock()
		return nil
	}
	c := make(chan struct{})
	if g.waiting == nil {
		g.waiting = make(map[chan struct{}]struct{})
	}
	g.waiting[c] = struct{}{}
	g.mu.Unlock()
	var err error
	select {
	case <-c:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	g.mu.Lock()
	g.resting -= own
	delete(g.waiting, c)
	g.mu.Unlock()
	return err
}
