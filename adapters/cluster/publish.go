package cluster

import (
	"context"
	"log/slog"
	"sync"
)

// outgoing is a message that waits for the bus.
type outgoing struct {
	topic string
	data  *[]byte // of buffers
}

var buffers = sync.Pool{New: func() any { return new([]byte) }}

// keepBuffer is the largest buffer that goes back to the pool.
const keepBuffer = 64 << 10

// publisher puts messages on the bus in the order in which they were added. Its
// goroutine exists while there is something to publish; close waits for it.
// Whoever adds never waits for the bus.
type publisher struct {
	bus     Bus
	batches BatchPublisher // nil if the bus isn't one
	log     *slog.Logger
	limit   int64
	stats   *counters

	ctx    context.Context // ends what hangs in the bus
	cancel context.CancelFunc

	mu      sync.Mutex // a leaf
	queue   []outgoing
	bytes   int64
	running bool
	closed  bool
	idle    chan struct{} // closed when running ends after close
	failing bool          // the last message was not taken
}

func newPublisher(c *Config, stats *counters) *publisher {
	ctx, cancel := context.WithCancel(context.Background())
	batches, _ := c.Bus.(BatchPublisher)
	return &publisher{
		bus: c.Bus, batches: batches, log: c.Logger, limit: c.MaxQueued, stats: stats,
		ctx: ctx, cancel: cancel, idle: make(chan struct{}),
	}
}

// overhead is what a message counts beside its bytes.
const overhead = 64

// add queues data, a buffer of buffers, which is the publisher's from now on.
func (p *publisher) add(topic string, data *[]byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	size := int64(len(*data)) + overhead
	switch {
	case p.closed:
		return errClosed
	case p.bytes+size > p.limit:
		p.stats.unpublished.Add(1)
		return ErrBusFull
	}
	p.bytes += size
	p.queue = append(p.queue, outgoing{topic, data})
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
			batch := queue[:p.batch(queue)]
			queue = queue[len(batch):]
			if p.ctx.Err() == nil {
				p.publish(batch)
			}
			var size int64
			for i, m := range batch {
				size += int64(len(*m.data)) + overhead
				if cap(*m.data) <= keepBuffer {
					*m.data = (*m.data)[:0]
					buffers.Put(m.data)
				}
				batch[i] = outgoing{}
			}
			p.mu.Lock()
			p.bytes -= size
			p.mu.Unlock()
		}
		p.mu.Lock()
	}
	p.running = false
	if p.closed {
		close(p.idle)
	}
}

const (
	batchMessages = 512
	batchBytes    = 1 << 20
)

// batch returns how many messages go to the bus at once.
func (p *publisher) batch(queue []outgoing) int {
	if p.batches == nil {
		return 1
	}
	n, bytes := 0, 0
	for n < min(len(queue), batchMessages) && (n == 0 || bytes+len(*queue[n].data) <= batchBytes) {
		bytes += len(*queue[n].data)
		n++
	}
	return n
}

func (p *publisher) publish(batch []outgoing) {
	if len(batch) == 1 {
		n, err := 1, p.bus.Publish(p.ctx, batch[0].topic, *batch[0].data)
		if err != nil {
			n = 0
		}
		p.report(1, n, err)
		return
	}
	messages := make([]Publication, len(batch))
	for i, m := range batch {
		messages[i] = Publication{m.topic, *m.data}
	}
	n, err := p.batches.PublishBatch(p.ctx, messages)
	p.report(len(batch), n, err)
}

// report counts the messages that the bus took of those it was given, and logs
// when it begins to refuse and when it takes messages again.
func (p *publisher) report(given, taken int, err error) {
	p.stats.published.Add(uint64(taken))
	p.stats.unpublished.Add(uint64(given - taken))
	if err == nil {
		if p.failing {
			p.failing = false
			p.log.Info("cluster: the bus takes messages again")
		}
		return
	}
	if !p.failing && p.ctx.Err() == nil {
		p.failing = true
		p.log.Warn("cluster: the bus does not take messages", "error", err)
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
