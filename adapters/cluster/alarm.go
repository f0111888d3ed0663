package cluster

import (
	"sync"
	"time"
)

// alarm calls f on a goroutine of its own when the time set has passed. stop
// waits for that goroutine.
type alarm struct {
	f func()

	mu      sync.Mutex
	timer   *time.Timer
	stopped bool
	running sync.WaitGroup // an armed timer, or the call that it started
}

// set arms the alarm anew, unless it was stopped.
func (a *alarm) set(d time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.stopped {
		return
	}
	if a.timer != nil && a.timer.Stop() {
		a.running.Done()
	}
	a.running.Add(1)
	a.timer = time.AfterFunc(d, func() {
		defer a.running.Done()
		a.f()
	})
}

// cancel disarms the alarm for good. A call that is under way goes on.
func (a *alarm) cancel() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.stopped = true
	if a.timer != nil && a.timer.Stop() {
		a.running.Done()
	}
}

// stop cancels and waits for a call that is under way.
func (a *alarm) stop() {
	a.cancel()
	a.running.Wait()
}
