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

// next returns the delay before the next attempt, as the official client does:
// the first one, doubled for each attempt, plus or minus a random part, at most
// the greatest one.
func (b *backoff) next() time.Duration {
	delay, most := float64(b.config.ReconnectionDelay), float64(b.config.ReconnectionDelayMax)
	for range b.attempts {
		if delay *= 2; delay >= 2*most {
			break // the greatest one, also with half of it taken off
		}
	}
	b.attempts++
	deviation := rand.Float64() * b.config.RandomizationFactor * delay
	if rand.IntN(2) == 0 {
		deviation = -deviation
	}
	return time.Duration(min(delay+deviation, most))
}

// spent reports whether no attempt is left.
func (b *backoff) spent() bool {
	return b.config.ReconnectionAttempts > 0 && b.attempts >= b.config.ReconnectionAttempts
}

func (b *backoff) reset() { b.attempts = 0 }
