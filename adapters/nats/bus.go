package nats

import (
	"context"
	"fmt"
	"sync"

	natsgo "github.com/nats-io/nats.go"

	"github.com/siokit/siokit/adapters/cluster"
)

// bus is core NATS for one namespace.
type bus struct {
	conn *natsgo.Conn
	subjects
}

var _ cluster.Bus = (*bus)(nil)

// Publish implements [cluster.Bus]. While there is no connection, the client
// keeps a few megabytes for later.
func (b *bus) Publish(_ context.Context, topic string, data []byte) error {
	if err := b.conn.Publish(b.of(topic), data); err != nil {
		return fmt.Errorf("nats: %w", err)
	}
	return nil
}

// Subscribe implements [cluster.Bus].
func (b *bus) Subscribe(topic string, receive func([]byte)) (stop func(), err error) {
	var (
		mu      sync.Mutex // held while receive runs
		stopped bool
	)
	sub, err := b.conn.Subscribe(b.of(topic), func(m *natsgo.Msg) {
		mu.Lock()
		defer mu.Unlock()
		if !stopped {
			receive(m.Data)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("nats: %w", err)
	}
	return func() {
		mu.Lock()
		stopped = true
		mu.Unlock()
		_ = sub.Unsubscribe() // fails only when the connection is closed
	}, nil
}
