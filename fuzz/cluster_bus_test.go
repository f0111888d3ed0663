package fuzz_test

import "context"

// directBus hands nothing on; it keeps the receivers for the test to call.
type directBus struct{ receivers []func([]byte) }

func (b *directBus) Publish(context.Context, string, []byte) error { return nil }

func (b *directBus) Subscribe(_ string, receive func([]byte)) (func(), error) {
	b.receivers = append(b.receivers, receive)
	return func() {}, nil
}
