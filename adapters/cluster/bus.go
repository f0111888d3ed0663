package cluster

import "context"

// Bus carries messages between servers: all that an engine (Redis, NATS, a
// cable of your own) has to offer to become an adapter. Topics are short ASCII
// texts without spaces or control characters, except that a namespace's name
// stands in them as it is. Messages are opaque bytes.
//
// Both methods are called from any goroutine.
//
// What a Bus promises: two messages that one Publish after the other put on a
// topic reach a subscriber in that order, or not at all. It may lose messages,
// and may hand a server its own.
type Bus interface {
	// Publish sends data to whoever has subscribed to topic. It may block until
	// the engine has it, and returns when ctx ends; the adapter calls it from a
	// goroutine of its own, one message after the other. data is the adapter's
	// again when it returns.
	Publish(ctx context.Context, topic string, data []byte) error

	// Subscribe calls receive with every message on topic from now on, one at a
	// time; data is receive's until it returns. It does not wait for the engine: a
	// bus that is out of reach subscribes when it is back. Once stop has
	// returned, receive is not running and is not called any more; stop is not
	// called by receive.
	Subscribe(topic string, receive func(data []byte)) (stop func(), err error)
}

// SubscriberCounter is implemented by a Bus whose engine knows how many servers
// have subscribed to a topic. With it an adapter can do without heartbeats.
type SubscriberCounter interface {
	Subscribers(ctx context.Context, topic string) (int, error)
}

// Router is implemented by a Bus that has a say in which topic a message goes to:
// one of the topics of another wire format, or one that only servers with a
// certain room have subscribed to.
type Router interface {
	// Route returns the topic to publish m on. topic is the one that it would go
	// to otherwise: that of all servers of m.Namespace, or, for a response, that of
	// the server it is for. The room index is not locked.
	Route(topic string, m *Message) string
}

// BatchPublisher is implemented by a Bus that publishes many messages faster than
// one after the other.
type BatchPublisher interface {
	// PublishBatch is Publish for several messages, in order, of together about a
	// megabyte at most. n is how many the engine has taken; if it is not all of
	// them, err says why. The slice and the data are the adapter's again when it
	// returns.
	PublishBatch(ctx context.Context, messages []Publication) (n int, err error)
}

// Publication is one message of a batch.
type Publication struct {
	Topic string
	Data  []byte
}
