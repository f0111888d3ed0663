package engineio

import (
	"net"
	"sync"

	"github.com/siokit/siokit/eioparser"
)

// largePayload is the size in bytes from which a message's bytes are written
// from where they are; smaller ones are gathered, to leave in one piece.
const largePayload = 8 << 10

// output is what a WebSocket writes at a time: small frames gathered in one
// buffer, the bytes of large ones beside it. It is in a pool between two
// writes: an idle link has none.
type output struct {
	segments net.Buffers
	few      [4][]byte // backs segments in the usual case
	buf      []byte
	from     int // where in buf the next segment begins

	// An attempt that does not wait (wire.tryWrite).
	now     func(uintptr) bool // o.once
	next    []byte
	written int
	err     error
}

var outputs = sync.Pool{New: func() any {
	o := new(output)
	o.now = o.once
	return o
}}

// newOutput returns an empty output.
func newOutput() *output {
	o := outputs.Get().(*output)
	o.segments = o.few[:0]
	return o
}

// free gives the memory back.
func (o *output) free() {
	if cap(o.buf) > 64<<10 {
		return
	}
	o.segments, o.few = nil, [len(o.few)][]byte{}
	o.buf, o.from = o.buf[:0], 0
	outputs.Put(o)
}

// add appends a packet.
func (o *output) add(pkt eioparser.Packet, as form) {
	if len(pkt.Data) < largePayload || pkt.Binary && as == form3Base64 {
		o.buf = appendFrame(o.buf, pkt, as)
		return
	}
	o.buf = appendPacketHeader(o.buf, pkt, as)
	o.large(pkt.Data)
}

// addShared appends bytes that are framed already; alone says that nothing
// else is written with them, so that gathering would only copy.
func (o *output) addShared(b []byte, alone bool) {
	if len(b) < largePayload && (!alone || len(o.buf) > 0) {
		o.buf = append(o.buf, b...)
	} else {
		o.large(b)
	}
}

// large makes b a segment of its own.
func (o *output) large(b []byte) {
	o.cut()
	o.segments = append(o.segments, b)
}

// cut ends the segment that is being gathered. If buf moves afterwards the
// segment keeps the memory that it was gathered in.
func (o *output) cut() {
	if len(o.buf) > o.from {
		o.segments = append(o.segments, o.buf[o.from:len(o.buf):len(o.buf)])
		o.from = len(o.buf)
	}
}

// advance takes n written bytes off the front.
func (o *output) advance(n int) {
	for len(o.segments) > 0 && n >= len(o.segments[0]) {
		n -= len(o.segments[0])
		o.segments[0] = nil
		o.segments = o.segments[1:]
	}
	if n > 0 {
		o.segments[0] = o.segments[0][n:]
	}
}

// pending reports whether something is built and not written. A nil output has
// nothing.
func (o *output) pending() bool { return o != nil && len(o.segments) > 0 }
