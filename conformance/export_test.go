package conformance

import "time"

// Lateness is what a clock reports since a moment after it has seen its ticks at
// the given times.
func Lateness(since time.Time, ticks ...time.Time) time.Duration {
	c := &clock{}
	for i := 1; i < len(ticks); i++ {
		c.observe(ticks[i-1], ticks[i])
	}
	return c.lateness(since)
}
