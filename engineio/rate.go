package engineio

import (
	"errors"
	"time"
)

var errTooFast = errors.New("engineio: more messages than Limits.EventsPerSecond")

// bucket counts a client's messages against Limits.EventsPerSecond. It is
// guarded by Session.receiving.
type bucket struct {
	spent float64 // messages that have not been paid back by time
	at    time.Duration
}

// take counts one message at a time since the server's start, and reports
// whether the client may send it.
func (b *bucket) take(perSecond int, now time.Duration) bool {
	b.spent = max(0, b.spent-(now-b.at).Seconds()*float64(perSecond)) + 1
	b.at = now
	return b.spent <= float64(perSecond)
}
