package client

import (
	"math/rand/v2"
	"time"
)

// backoff counts attempts that failed and says how long to wait before the next
// one. It is owned by one goroutine.
type backoff struct {
	config   *Config
	attempts int
}

// next returns the delay before the next attempt: the first one, doubled for each
// attempt up to the greatest one, plus or minus a random part, and never more
// than the greatest one. In the official client the random part vanishes with
// the fourth attempt; then all clients of a server that was gone for a while
// arrive at the same time.
func (b *backoff) next() time.Duration {
	delay, most := b.config.ReconnectionDelay, b.config.ReconnectionDelayMax
	for range b.attempts {
		if delay > most/2 {
			delay = most
			break
		}
		delay *= 2
	}
	b.attempts++
	deviation := time.Duration(rand.Float64() * b.config.RandomizationFactor * float64(delay))
	if rand.IntN(2) == 0 {
		deviation = -deviation
	}
	return min(delay+deviation, most)
}

// spent reports whether no attempt is left.
func (b *backoff) spent() bool {
	return b.config.ReconnectionAttempts > 0 && b.attempts >= b.config.ReconnectionAttempts
}

func (b *backoff) reset() { b.attempts = 0 }
