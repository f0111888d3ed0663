package postgres

import (
	"github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/adapters/cluster/msgpack"
)

// codec writes JSON for what fits into a notification, and MessagePack for what
// goes into the table: binary, and what is too long.
type codec struct {
	namespace string // that of the channel
	threshold int
}

// Append implements [cluster.Codec].
func (c codec) Append(dst []byte, m *cluster.Message) ([]byte, error) {
	if m.Args.HasAttachments() {
		return forTable(dst, m)
	}
	start := len(dst)
	dst, err := cluster.JSON.Append(dst, m)
	if err == nil && len(dst)-start >= c.threshold {
		return forTable(dst[:start], m)
	}
	return dst, err
}

// forTable writes the message's type before the MessagePack, for the notification.
func forTable(dst []byte, m *cluster.Message) ([]byte, error) {
	return msgpack.Always.Append(append(dst, byte(m.Type)), m)
}

// Decode implements [cluster.Codec]. The messages of the official emitter don't
// say which namespace they are for: that of their channel.
func (c codec) Decode(data []byte, m *cluster.Message) error {
	err := msgpack.WhenBinary.Decode(data, m)
	if m.Namespace == "" {
		m.Namespace = c.namespace
	}
	return err
}

// inline reports whether encoded data is a notification as it is.
func inline(data []byte) bool { return len(data) > 0 && data[0] == '{' }
