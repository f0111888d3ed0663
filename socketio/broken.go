package socketio

import (
	"context"

	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio/adapter"
)

// brokenAdapter stands where an adapter could not be made: everything fails
// with the reason, so that a CONNECT is refused and an Emit returns it.
type brokenAdapter struct{ reason error }

func (b brokenAdapter) Join(adapter.Socket, ...string) error                 { return b.reason }
func (b brokenAdapter) Leave(adapter.Socket, ...string)                      {}
func (b brokenAdapter) Remove(adapter.Socket) []string                       { return nil }
func (b brokenAdapter) Broadcast(*sioparser.Packet, adapter.Selection) error { return b.reason }
func (b brokenAdapter) Close(context.Context) error                          { return nil }
