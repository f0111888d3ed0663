package conformance

import (
	"context"
	"sync"
	"time"
)

// starvation is how late this process's timers may be before a failure is not
// believed.
const starvation = 40 * time.Millisecond

// tick is how often the clock looks at the time.
const tick = 5 * time.Millisecond

// clock measures how late this process gets its time: on a busy machine a
// heartbeat of 200 ms may end because nobody let us answer it.
type clock struct {
	done    chan struct{}
	stopped sync.WaitGroup

	mu   sync.Mutex
	late []lateness // in order of time
}

type lateness struct {
	at time.Time
	by time.Duration
}

func startClock() *clock {
	c := &clock{done: make(chan struct{})}
	c.stopped.Go(c.run) // ends with stop
	return c
}

func (c *clock) stop() {
	close(c.done)
	c.stopped.Wait()
}

func (c *clock) run() {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	last := time.Now()
	for {
		select {
		case <-c.done:
			return
		case <-ticker.C:
		}
		now := time.Now()
		c.observe(last, now)
		last = now
	}
}

// remembered is how far back the clock can tell; no case lasts that long.
const remembered = 10 * time.Minute

// observe notes the time between two ticks, when it was too long.
func (c *clock) observe(last, now time.Time) {
	by := now.Sub(last) - tick
	if by <= 2*tick {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.late) > 0 && now.Sub(c.late[0].at) > remembered {
		c.late = c.late[1:]
	}
	c.late = append(c.late, lateness{now, by})
}

// lateness is how late the clock was at most since a moment.
func (c *clock) lateness(since time.Time) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	var most time.Duration
	for i := len(c.late) - 1; i >= 0 && c.late[i].at.After(since); i-- {
		most = max(most, c.late[i].by)
	}
	return most
}

// calm waits until the clock has been in time for a while, or for three
// seconds.
func (c *clock) calm(ctx context.Context) {
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	limit := time.Now().Add(3 * time.Second)
	for since := time.Now(); time.Since(since) < 300*time.Millisecond && time.Now().Before(limit); {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if c.lateness(since) > starvation {
			since = time.Now()
		}
	}
}
