package msgpack

import (
	"errors"

	"github.com/siokit/siokit/sioparser"
)

// What can be wrong with a message beyond the sentinels of sioparser. Each comes
// wrapped in a [*sioparser.Error], whose Offset counts in the message.
var (
	// ErrSyntax: not one MessagePack value: an unused first byte, a length beyond
	// the end of the message, bytes behind the value.
	ErrSyntax = errors.New("invalid MessagePack")
	// ErrExtension: an extension type other than the three of notepack.io.
	ErrExtension = errors.New("unknown MessagePack extension")
	// ErrKey: a map's key is neither a string nor a number.
	ErrKey = errors.New("illegal MessagePack key")
	// ErrText: a text message. With this codec every message is binary.
	ErrText = errors.New("got plaintext data instead of MessagePack")
)

func fail(err error, offset int) error { return &sioparser.Error{Err: err, Offset: offset} }
