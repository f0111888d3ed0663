package cluster

import "sync/atomic"

// Stats counts the messages of an adapter since it was made.
type Stats struct {
	// Published messages were taken by the bus.
	Published uint64
	// Unpublished messages were refused by the bus, or dropped because too much was
	// waiting for it.
	Unpublished uint64
	// Received messages came from other servers.
	Received uint64
	// Dropped messages came from the bus and could not be understood.
	Dropped uint64
}

type counters struct {
	published, unpublished, received, dropped atomic.Uint64
}

// Stats returns the adapter's counts.
func (a *Adapter) Stats() Stats {
	return Stats{
		Published:   a.stats.published.Load(),
		Unpublished: a.stats.unpublished.Load(),
		Received:    a.stats.received.Load(),
		Dropped:     a.stats.dropped.Load(),
	}
}
