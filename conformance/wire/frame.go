package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Opcode is a WebSocket frame's kind (RFC 6455, 5.2).
type Opcode byte

// The opcodes of RFC 6455.
const (
	Continuation Opcode = 0x0
	Text         Opcode = 0x1
	Binary       Opcode = 0x2
	Close        Opcode = 0x8
	Ping         Opcode = 0x9
	Pong         Opcode = 0xA
)

func (o Opcode) String() string {
	switch o {
	case Continuation:
		return "cont"
	case Text:
		return "text"
	case Binary:
		return "binary"
	case Close:
		return "close"
	case Ping:
		return "ping"
	case Pong:
		return "pong"
	default:
		return fmt.Sprintf("opcode%x", byte(o))
	}
}

// Reserved bits of a frame's first byte.
const (
	RSV1 byte = 0x40
	RSV2 byte = 0x20
	RSV3 byte = 0x10
)

// Frame is one WebSocket frame. The zero values of the flags describe what a
// client must not send without reason, so a legal text frame is
// Frame{Fin: true, Op: Text, Masked: true, Payload: p}.
type Frame struct {
	Fin     bool
	RSV     byte
	Op      Opcode
	Masked  bool
	Payload []byte
	// Announce, when positive, is the length that the header claims.
	Announce uint64
	// Wide writes the length in eight bytes even when fewer would do, which
	// RFC 6455 forbids.
	Wide bool
}

// maskKey is fixed: the suite's bytes are the same in every run.
var maskKey = [4]byte{0x12, 0x34, 0x56, 0x78}

// Append appends the frame's bytes to dst.
func (f Frame) Append(dst []byte) []byte {
	first := byte(f.Op) | f.RSV
	if f.Fin {
		first |= 0x80
	}
	dst = append(dst, first)
	length := uint64(len(f.Payload))
	if f.Announce > 0 {
		length = f.Announce
	}
	var mask byte
	if f.Masked {
		mask = 0x80
	}
	switch {
	case f.Wide || length > 0xffff:
		dst = append(dst, mask|127)
		dst = binary.BigEndian.AppendUint64(dst, length)
	case length > 125:
		dst = append(dst, mask|126)
		dst = binary.BigEndian.AppendUint16(dst, uint16(length))
	default:
		dst = append(dst, mask|byte(length))
	}
	if !f.Masked {
		return append(dst, f.Payload...)
	}
	dst = append(dst, maskKey[:]...)
	start := len(dst)
	dst = append(dst, f.Payload...)
	for i := range f.Payload {
		dst[start+i] ^= maskKey[i%4]
	}
	return dst
}

// CloseCode returns the status code of a close frame; 1005, as in RFC 6455
// 7.1.5, when it carries none.
func (f Frame) CloseCode() int {
	if len(f.Payload) < 2 {
		return 1005
	}
	return int(binary.BigEndian.Uint16(f.Payload))
}

// ClosePayload is the payload of a close frame.
func ClosePayload(code int, reason string) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(code)), reason...)
}

// ErrFrame means that the server sent a frame that RFC 6455 forbids.
var ErrFrame = errors.New("wire: illegal frame from the server")

// maxFrame bounds what one frame of the server may make the suite allocate.
const maxFrame = 64 << 20

// readFrame reads one frame and checks what a server must not do: mask, use
// reserved bits that were not negotiated, fragment or stretch control frames,
// or write a length in more bytes than needed.
func readFrame(r io.Reader, allowedRSV byte) (Frame, error) {
	var head [10]byte
	if _, err := io.ReadFull(r, head[:2]); err != nil {
		return Frame{}, err
	}
	f := Frame{Fin: head[0]&0x80 != 0, RSV: head[0] & 0x70, Op: Opcode(head[0] & 0x0f), Masked: head[1]&0x80 != 0}
	length := uint64(head[1] & 0x7f)
	switch length {
	case 126:
		if _, err := io.ReadFull(r, head[2:4]); err != nil {
			return f, err
		}
		length = uint64(binary.BigEndian.Uint16(head[2:4]))
		if length <= 125 {
			return f, fmt.Errorf("%w: length %d written in two bytes", ErrFrame, length)
		}
	case 127:
		if _, err := io.ReadFull(r, head[2:10]); err != nil {
			return f, err
		}
		length = binary.BigEndian.Uint64(head[2:10])
		if length <= 0xffff {
			return f, fmt.Errorf("%w: length %d written in eight bytes", ErrFrame, length)
		}
	}
	switch {
	case f.Masked:
		return f, fmt.Errorf("%w: masked", ErrFrame)
	case f.RSV&^allowedRSV != 0:
		return f, fmt.Errorf("%w: reserved bits %#x", ErrFrame, f.RSV)
	case f.Op >= Close && (!f.Fin || length > 125):
		return f, fmt.Errorf("%w: control frame with fin=%v and %d bytes", ErrFrame, f.Fin, length)
	case f.Op > Binary && f.Op < Close || f.Op > Pong:
		return f, fmt.Errorf("%w: opcode %#x", ErrFrame, byte(f.Op))
	case length > maxFrame:
		return f, fmt.Errorf("%w: %d bytes announced", ErrFrame, length)
	}
	var payload bytes.Buffer
	if _, err := io.CopyN(&payload, r, int64(length)); err != nil {
		return f, err
	}
	f.Payload = payload.Bytes()
	return f, nil
}
