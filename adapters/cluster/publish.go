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
	bus   Bus
	log   *slog.Logger
	limit int64
	stats *counters

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
	return &publisher{
		bus: c.Bus, log: c.Logger, limit: c.MaxQueued, stats: stats,
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
		batch := p.queue
		p.queue = nil
		p.mu.Unlock()
		for i, m := range batch {
			size := int64(len(*m.data)) + overhead
			if p.ctx.Err() == nil {
				p.report(p.bus.Publish(p.ctx, m.topic, *m.data))
			}
			if cap(*m.data) <= keepBuffer {
				*m.data = (*m.data)[:0]
				buffers.Put(m.data)
			}
			batch[i] = outgoing{}
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

// report counts, and logs when the bus begins to refuse and when it takes
// messages again.
func (p *publisher) report(err error) {
	if err == nil {
		p.stats.published.Add(1)
		if p.failing {
			p.failing = false
			p.log.Info("cluster: the bus takes messages again")
		}
		return
	}
	p.stats.unpublished.Add(1)
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
