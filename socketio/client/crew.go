package client

import (
	"context"
	"sync"
)

// A crew counts the goroutines of a client, so that Shutdown can wait for them.
type crew struct {
	mu      sync.Mutex
	size    int
	waiting int           // of size: those who wait for the others
	changed chan struct{} // closed when one of both has; nil when nobody waits
}

// start runs f on a goroutine that the crew counts until it returns.
func (c *crew) start(f func()) {
	c.change(1, 0)
	go func() {
		defer c.change(-1, 0)
		f()
	}()
}

func (c *crew) change(size, waiting int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.size += size
	c.waiting += waiting
	if c.changed != nil {
		close(c.changed)
		c.changed = nil
	}
}

// wait returns when only those are left that wait here themselves, or ctx ends.
// own is 1 if the caller is one of them.
func (c *crew) wait(ctx context.Context, own int) error {
	c.change(0, own)
	defer c.change(0, -own)
	for {
		c.mu.Lock()
		if c.size <= c.waiting {
			c.mu.Unlock()
			return nil
		}
		if c.changed == nil {
			c.changed = make(chan struct{})
		}
		changed := c.changed
		c.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
