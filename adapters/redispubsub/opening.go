package redispubsub

import (
	"context"
	"sync"
	"time"

	"github.com/siokit/siokit/adapters/cluster"
)

// opening holds back what an adapter publishes until its first subscriptions are
// confirmed: it greets the other servers, and would miss their answers.
type opening struct {
	*Bus
	handlers []*handler // all added before the first message
	once     sync.Once
}

// patience is how long a greeting waits: a Redis that can't be subscribed to takes
// no messages either.
const patience = time.Second

func (o *opening) await(ctx context.Context) {
	o.once.Do(func() {
		timeout := time.NewTimer(patience)
		defer timeout.Stop()
		for _, h := range o.handlers {
			select {
			case <-h.ready:
			case <-timeout.C:
				return
			case <-ctx.Done():
				return
			}
		}
	})
}

// Publish implements [cluster.Bus].
func (o *opening) Publish(ctx context.Context, topic string, data []byte) error {
	o.await(ctx)
	return o.Bus.Publish(ctx, topic, data)
}

// PublishBatch implements [cluster.BatchPublisher].
func (o *opening) PublishBatch(ctx context.Context, messages []cluster.Publication) (int, error) {
	o.await(ctx)
	return o.Bus.PublishBatch(ctx, messages)
}
