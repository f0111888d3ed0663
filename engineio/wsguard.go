package engineio

import (
	"encoding/binary"
	"errors"
)

// guard follows the frames that gorilla reads. It refuses what gorilla lets
// pass: a close frame with half a code (RFC 6455, section 5.5.1), and the bit
// for compression on frames that are not the first of a message (RFC 7692,
// section 6.1). And it cuts the stream at the frames' ends, so that gorilla's
// buffer is empty when a message has been read.
type guard struct {
	skip uint64 // bytes of the current frame still to pass
	head [10]byte
	n    uint8 // bytes in head
	bye  bool  // a close frame has begun to pass
}

var errFrame = errors.New("engineio: malformed WebSocket frame")

// scan follows p and returns how much of it may pass now: no more than the
// current frame, or, with errFrame, what lies before a bad frame's second byte,
// with which alone nobody can do anything.
func (g *guard) scan(p []byte) (int, error) {
	i := 0
	for g.skip == 0 {
		if i == len(p) {
			return i, nil
		}
		g.head[g.n] = p[i]
		g.n++
		if g.n == 2 && g.bad() {
			return i, errFrame
		}
		i++
		if g.advance() && g.skip == 0 {
			return i, nil // a frame of nothing but two bytes
		}
	}
	n := min(g.skip, uint64(len(p)-i))
	g.skip -= n
	return i + int(n), nil
}

// bad looks at the first two bytes of a frame.
func (g *guard) bad() bool {
	op := g.head[0] & 0xf
	size := g.head[1] & 0x7f
	return op == opClose && size == 1 ||
		g.head[0]&rsv1Bit != 0 && op != opText && op != opBinary
}

// advance ends the header when it is complete, and reports whether it is.
func (g *guard) advance() bool {
	if g.n < 2 {
		return false
	}
	size, need := uint64(g.head[1]&0x7f), uint8(2)
	switch size {
	case 126:
		need = 4
	case 127:
		need = 10
	}
	if g.n < need {
		return false
	}
	switch need {
	case 4:
		size = uint64(binary.BigEndian.Uint16(g.head[2:]))
	case 10:
		size = binary.BigEndian.Uint64(g.head[2:])
	}
	g.bye = g.bye || g.head[0]&0xf == opClose
	g.skip, g.n = size, 0
	if g.head[1]&0x80 != 0 {
		g.skip += 4 // the mask's key
	}
	return true
}
