package postgres

import (
	"context"
	"strings"

	"github.com/siokit/siokit/adapters/cluster"
)

// bus is the channel of one namespace, requests and responses alike.
type bus struct {
	sender
	listener *listener
	channel  string
	topic    string // of the namespace, as package cluster calls it
	uid      string // of this server
	ready    <-chan struct{}
}

var (
	_ cluster.Bus            = (*bus)(nil)
	_ cluster.BatchPublisher = (*bus)(nil)
)

func newBus(config *Config, l *listener, uid, namespace string) *bus {
	channel := config.ChannelPrefix + "#" + namespace
	return &bus{sender: newSender(config), listener: l, channel: channel, topic: channel + "#", uid: uid}
}

// Publish implements [cluster.Bus].
func (b *bus) Publish(ctx context.Context, _ string, data []byte) error {
	_, err := b.send(ctx, [][]byte{data})
	return err
}

// PublishBatch implements [cluster.BatchPublisher].
func (b *bus) PublishBatch(ctx context.Context, messages []cluster.Publication) (int, error) {
	batch := make([][]byte, len(messages))
	for i, m := range messages {
		batch[i] = m.Data
	}
	return b.send(ctx, batch)
}

// send waits until the listener has begun, so that the answers to what is sent
// first are heard.
func (b *bus) send(ctx context.Context, messages [][]byte) (int, error) {
	select {
	case <-b.ready:
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
	n, err := b.notify(ctx, b.channel, b.uid, messages)
	if err != nil && ctx.Err() == nil {
		b.listener.config.OnError(err)
	}
	return n, err
}

// Subscribe implements [cluster.Bus]. Responses come on the channel of requests.
func (b *bus) Subscribe(topic string, receive func([]byte)) (stop func(), err error) {
	if topic != b.topic {
		return func() {}, nil
	}
	ready, stop, err := b.listener.add(b.channel, b.uid, receive)
	b.ready = ready
	return stop, err
}

// emitterBus sends for an emitter.
type emitterBus struct{ sender }

var _ cluster.Bus = emitterBus{}

const emitterUID = "emitter"

// Publish implements [cluster.Bus].
func (b emitterBus) Publish(ctx context.Context, topic string, data []byte) error {
	_, err := b.notify(ctx, strings.TrimSuffix(topic, "#"), emitterUID, [][]byte{data})
	return err
}

// Subscribe implements [cluster.Bus]; an emitter doesn't listen.
func (emitterBus) Subscribe(string, func([]byte)) (func(), error) { return func() {}, nil }
