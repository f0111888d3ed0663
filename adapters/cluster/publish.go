package cluster

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

const (
	maxBatch      = 512     // messages handed over together
	maxBatchBytes = 1 << 20 // but always one
)

// outgoing is a message that waits for the bus.
type outgoing struct {
	topic string  // empty: it is for the log
	data  *[]byte // of buffers
	last  bool    // the goodbye: it is not handed over with others
}

var buffers = sync.Pool{New: func() any { return new([]byte) }}

// keepBuffer is the largest buffer that goes back to the pool.
const keepBuffer = 64 << 10

// publisher puts messages on the bus in the order in which they were added. Its
// goroutine exists while there is something to publish; close waits for it.
// Whoever adds never waits for the bus.
type publisher struct {
	bus       Bus
	log       Log            // nil if the bus isn't one
	followed  chan struct{}  // closed when entries of this server's own come back; nil: that doesn't matter
	batches   BatchPublisher // nil if the bus isn't one
	namespace string
	logger    *slog.Logger
	limit     int64
	stats     *counters

	ctx    context.Context // ends what hangs in the bus
	cancel context.CancelFunc

	mu      sync.Mutex // a leaf
	queue   []outgoing
	bytes   int64
	running bool
	sealed  bool // the last message is in the queue
	closed  bool
	idle    chan struct{} // closed when running ends after close

	// The rest is the goroutine's own.

	failing  bool // the last message was not taken
	messages []Publication
	entries  [][]byte
}

func newPublisher(c *Config, namespace string, stats *counters) *publisher {
	ctx, cancel := context.WithCancel(context.Background())
	p := &publisher{
		bus: c.Bus, namespace: namespace, logger: c.Logger, limit: c.MaxQueued, stats: stats,
		ctx: ctx, cancel: cancel, idle: make(chan struct{}),
	}
	p.log, _ = c.Bus.(Log)
	p.batches, _ = c.Bus.(BatchPublisher)
	return p
}

// overhead is what a message counts beside its bytes.
const overhead = 64

func (m outgoing) size() int64 { return int64(len(*m.data)) + overhead }

// add queues data, a buffer of buffers, which is the publisher's from now on.
// Without a topic it is for the log. Nothing is taken after the last message.
func (p *publisher) add(topic string, data *[]byte, last bool) error {
	m := outgoing{topic, data, last}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed || p.sealed:
		return errClosed
	case p.bytes >= p.limit && !last: // a message may be larger than all that may wait
		p.stats.unpublished.Add(1)
		return ErrBusFull
	}
	p.sealed = last
	p.bytes += m.size()
	p.queue = append(p.queue, m)
	if !p.running {
		p.running = true
		go p.run()
	}
	return nil
}

func (p *publisher) run() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.queue) > 0 && p.ctx.Err() == nil {
		queue := p.queue
		p.queue = nil
		p.mu.Unlock()
		for len(queue) > 0 {
			n := p.batch(queue)
			if p.ctx.Err() == nil {
				p.hand(queue[:n])
			}
			p.release(queue[:n])
			queue = queue[n:]
		}
		p.mu.Lock()
	}
	p.running = false
	if p.closed {
		close(p.idle)
	}
}

// batch returns how many of the messages can be handed over together.
func (p *publisher) batch(queue []outgoing) int {
	logged := queue[0].topic == ""
	if !logged && p.batches == nil {
		return 1
	}
	bytes := queue[0].size()
	for n := 1; n < min(len(queue), maxBatch); n++ {
		bytes += queue[n].size()
		if bytes > maxBatchBytes || (queue[n].topic == "") != logged || queue[n].last {
			return n
		}
	}
	return min(len(queue), maxBatch)
}

// hand gives the bus a batch.
func (p *publisher) hand(batch []outgoing) {
	switch {
	case batch[0].topic == "":
		p.append(batch)
	case len(batch) == 1:
		n, err := 1, p.bus.Publish(p.ctx, batch[0].topic, *batch[0].data)
		if err != nil {
			n = 0
		}
		p.report(1, n, err)
	default:
		p.messages = p.messages[:0]
		for _, m := range batch {
			p.messages = append(p.messages, Publication{m.topic, *m.data})
		}
		n, err := p.batches.PublishBatch(p.ctx, p.messages)
		p.report(len(batch), n, err)
		clear(p.messages)
	}
}

// An append that fails is tried again, after a pause that grows between these.
const (
	retryFirst = 20 * time.Millisecond
	retryLast  = time.Second
)

// append puts a batch into the log, and does not give up: a log is there so that
// nothing is lost. Who reads it knows repetitions by their serial numbers. What was
// appended before this server follows the log would never come back to it.
func (p *publisher) append(batch []outgoing) {
	p.entries = p.entries[:0]
	for _, m := range batch {
		p.entries = append(p.entries, *m.data)
	}
	defer clear(p.entries)
	if p.followed != nil {
		select {
		case <-p.followed:
		case <-p.ctx.Done():
		}
	}
	pause := time.NewTimer(0)
	defer pause.Stop()
	for left, wait := p.entries, retryFirst; ; wait = min(2*wait, retryLast) {
		n, err := p.log.Append(p.ctx, p.namespace, left)
		if n > 0 {
			wait = retryFirst
			p.stats.published.Add(uint64(n))
			left = left[n:]
		}
		p.state(err)
		if len(left) == 0 {
			return
		}
		pause.Reset(wait)
		select {
		case <-pause.C:
		case <-p.ctx.Done():
			p.stats.unpublished.Add(uint64(len(left)))
			return
		}
	}
}

// release gives up the memory of messages that are done with.
func (p *publisher) release(batch []outgoing) {
	var freed int64
	for i, m := range batch {
		freed += m.size()
		if cap(*m.data) <= keepBuffer {
			*m.data = (*m.data)[:0]
			buffers.Put(m.data)
		}
		batch[i] = outgoing{}
	}
	p.mu.Lock()
	p.bytes -= freed
	p.mu.Unlock()
}

// report counts messages that were handed over together, of which n were taken.
func (p *publisher) report(all, n int, err error) {
	p.stats.published.Add(uint64(n))
	p.stats.unpublished.Add(uint64(all - n))
	p.state(err)
}

// state logs when the bus begins to refuse and when it takes messages again.
func (p *publisher) state(err error) {
	switch {
	case err == nil && p.failing:
		p.failing = false
		p.logger.Info("cluster: the bus takes messages again")
	case err != nil && !p.failing && p.ctx.Err() == nil:
		p.failing = true
		p.logger.Warn("cluster: the bus does not take messages", "error", err)
	}
}

// close takes no more, and waits until everything is published or ctx ends; then
// it gives up what is left, and waits for the goroutine.
func (p *publisher) close(ctx context.Context) error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		<-p.idle
		return nil
	}
	p.closed = true
	if !p.running {
		close(p.idle)
	}
	p.mu.Unlock()
	defer p.cancel()
	select {
	case <-p.idle:
		return nil
	case <-ctx.Done():
		p.cancel()
		<-p.idle
		return context.Cause(ctx)
	}
}
