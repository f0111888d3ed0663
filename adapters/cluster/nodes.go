package cluster

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// nodes are the other servers of the cluster, as far as they have been heard of.
type nodes struct {
	interval, timeout time.Duration // of heartbeats; no heartbeats if interval < 0
	publish           func()        // publishes a heartbeat
	gone              func(uid string)

	published atomic.Int64 // when this server was last heard, in nanoseconds since epoch
	epoch     time.Time
	beat      alarm
	sweep     alarm

	mu   sync.Mutex
	seen map[string]time.Time
	bye  map[string]time.Time // who has said goodbye, and when; what they sent before may come after it
}

// maxNodes bounds what a bus full of invented servers can do.
const maxNodes = 4096

// sweepEvery is how often silent servers are looked for.
const sweepEvery = time.Second

func newNodes(c *Config, publish func(), gone func(string)) *nodes {
	n := &nodes{
		interval: c.HeartbeatInterval, timeout: c.HeartbeatTimeout,
		publish: publish, gone: gone,
		epoch: time.Now(), seen: make(map[string]time.Time), bye: make(map[string]time.Time),
	}
	n.beat.f = n.onBeat
	n.sweep.f = n.onSweep
	return n
}

// spoke notes that this server has published something that all others see: no
// heartbeat is due for an interval.
func (n *nodes) spoke() { n.published.Store(int64(time.Since(n.epoch))) }

func (n *nodes) start() {
	if n.interval > 0 {
		n.beat.set(n.interval)
	}
}

func (n *nodes) onBeat() {
	silent := time.Since(n.epoch) - time.Duration(n.published.Load())
	if silent >= n.interval {
		n.publish()
		silent = 0
	}
	n.beat.set(n.interval - silent)
}

// heard notes that another server is there. A server that has not announced
// itself becomes a node only if announced is set: it may send no heartbeats. One
// that has said goodbye is back when it greets; a greeting may be lost, so after the
// timeout anything will do.
func (n *nodes) heard(uid string, announced, greets bool) {
	n.mu.Lock()
	if at, gone := n.bye[uid]; gone {
		if !greets && time.Since(at) <= n.timeout {
			n.mu.Unlock()
			return
		}
		delete(n.bye, uid)
	}
	_, known := n.seen[uid]
	first := len(n.seen)+len(n.bye) == 0
	if known || announced && len(n.seen) < maxNodes {
		n.seen[uid] = time.Now()
	}
	n.mu.Unlock()
	if first && n.interval > 0 {
		n.sweep.set(sweepEvery)
	}
}

// left forgets a server that has said goodbye.
func (n *nodes) left(uid string) {
	n.mu.Lock()
	first := len(n.seen)+len(n.bye) == 0
	delete(n.seen, uid)
	if n.interval > 0 && len(n.bye) < maxNodes {
		n.bye[uid] = time.Now()
	}
	n.mu.Unlock()
	if first && n.interval > 0 {
		n.sweep.set(sweepEvery)
	}
}

// onSweep gives silent servers up. It runs while there are any.
func (n *nodes) onSweep() {
	now := time.Now()
	var silent []string
	n.mu.Lock()
	for uid, seen := range n.seen {
		if now.Sub(seen) > n.timeout {
			silent = append(silent, uid)
			delete(n.seen, uid)
		}
	}
	for uid, at := range n.bye {
		if now.Sub(at) > n.timeout {
			delete(n.bye, uid)
		}
	}
	more := len(n.seen)+len(n.bye) > 0
	n.mu.Unlock()
	for _, uid := range silent {
		n.gone(uid)
	}
	if more {
		n.sweep.set(sweepEvery)
	}
}

// names returns the other servers, in order.
func (n *nodes) names() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.list()
}

// awaited has g expect the other servers and returns their names. None of them
// leaves in between: g, which is to hear of that, would not know it yet.
func (n *nodes) awaited(g gatherer) []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	list := n.list()
	g.ExpectNodes(list...)
	return list
}

// still counts those of some servers that have not left.
func (n *nodes) still(names []string) (count int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, name := range names {
		if _, ok := n.seen[name]; ok {
			count++
		}
	}
	return count
}

// list is names for who holds mu.
func (n *nodes) list() []string {
	list := make([]string, 0, len(n.seen))
	for uid := range n.seen {
		list = append(list, uid)
	}
	slices.Sort(list)
	return list
}

func (n *nodes) count() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.seen)
}

func (n *nodes) stop() {
	n.beat.stop()
	n.sweep.stop()
}
