// Package msgpack has codecs for the messages of package cluster that write
// MessagePack. It is a package of its own so that servers which speak JSON don't
// link a MessagePack library.
//
//	adapters := cluster.New(cluster.Config{Bus: bus, Codec: msgpack.WhenBinary})
//
// Binary stands where it belongs in the values, as official adapters have it.
package msgpack

import (
	"errors"
	"sync"

	"github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/sioparser/msgpack"
)

var (
	// Always writes MessagePack, and reads nothing else.
	Always cluster.Codec = always{}

	// WhenBinary writes MessagePack for messages that contain binary and JSON for
	// all others, and reads both, told apart by the first byte: what the official
	// adapters do.
	WhenBinary cluster.Codec = whenBinary{}
)

type (
	always     struct{}
	whenBinary struct{}
)

// texts are buffers for the JSON that a message is transcoded from.
var texts = sync.Pool{New: func() any { return new([]byte) }}

const (
	keepText  = 64 << 10 // the largest buffer that goes back to the pool
	arrayOf1  = 0x91     // a MessagePack array with one element
	jsonBegin = '{'
)

// Append implements [cluster.Codec]. An object among the arguments that looks
// like a placeholder can't travel beside binary, as in Socket.IO's own text.
func (always) Append(dst []byte, m *cluster.Message) ([]byte, error) {
	buf := texts.Get().(*[]byte)
	defer func() {
		if cap(*buf) <= keepText {
			texts.Put(buf)
		}
	}()
	text, err := cluster.AppendText(append((*buf)[:0], '['), m)
	*buf = text
	if err != nil {
		return dst, err
	}
	*buf = append(text, ']')
	args, err := sioparser.ParseArgs(*buf, m.Args.Attachments())
	if err != nil {
		return dst, err
	}
	// An array of the message, less the array.
	start := len(dst)
	dst = msgpack.AppendFromArgs(dst, args)
	return append(dst[:start], dst[start+1:]...), nil
}

// Decode implements [cluster.Codec]. Binary in a socket's handshake or data, which
// JSON has no form for, is left as a placeholder.
func (always) Decode(data []byte, m *cluster.Message) error {
	array := append(make([]byte, 0, 1+len(data)), arrayOf1)
	args, err := msgpack.ToArgs(append(array, data...), sioparser.Limits{Attachments: -1})
	if err != nil {
		return err
	}
	return cluster.DecodeText(args.Raw(), args.Attachments(), m)
}

// Append implements [cluster.Codec].
func (whenBinary) Append(dst []byte, m *cluster.Message) ([]byte, error) {
	if m.Args.HasAttachments() {
		return Always.Append(dst, m)
	}
	return cluster.JSON.Append(dst, m)
}

// Decode implements [cluster.Codec].
func (whenBinary) Decode(data []byte, m *cluster.Message) error {
	if len(data) == 0 {
		return errors.New("msgpack: an empty message")
	}
	if data[0] == jsonBegin {
		return cluster.JSON.Decode(data, m)
	}
	return Always.Decode(data, m)
}
