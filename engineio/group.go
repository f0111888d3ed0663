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
	waiting map[chan struct{}]int // to be closed when n has come down to the value
}

func (g *group) begin() {
	g.mu.Lock()
	g.n++
	g.mu.Unlock()
}

func (g *group) end() {
	g.mu.Lock()
	g.n--
	for c, limit := range g.waiting {
		if g.n <= limit {
			delete(g.waiting, c)
			close(c)
		}
	}
	g.mu.Unlock()
}

// run starts f on a goroutine that wait waits for.
func (g *group) run(f func()) {
	g.begin()
	go func() {
		defer g.end()
		f()
	}()
}

// wait returns when at most limit are left, or with ctx's error.
func (g *group) wait(ctx context.Context, limit int) error {
	g.mu.Lock()
	if g.n <= limit {
		g.mu.Unlock()
		return nil
	}
	c := make(chan struct{})
	if g.waiting == nil {
		g.waiting = make(map[chan struct{}]int)
	}
	g.waiting[c] = limit
	g.mu.Unlock()
	select {
	case <-c:
		return nil
	case <-ctx.Done():
		g.mu.Lock()
		delete(g.waiting, c)
		g.mu.Unlock()
		return context.Cause(ctx)
	}
}
