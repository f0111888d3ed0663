package eioparser

import "encoding/binary"

// The first byte of a frame's header.
const (
	streamBinary = 0x80
	stream16     = 126
	stream64     = 127
)

// AppendStreamHeader appends the header that a stream transport (WebTransport, or
// plain TCP) puts before a frame of n bytes, chapter "WebTransport". The top bit
// of its first byte says binary, the other seven are the length, or say where it
// is, big endian; the shortest form is used:
//
//	0…125  the length itself                1 byte
//	126    in the next 2 bytes              3 bytes
//	127    in the next 8 bytes              9 bytes
//
// n must be at least 1: a peer ends the stream at an empty frame. Text frames
// hold what [AppendPacket] appends, binary ones the bytes of a message.
func AppendStreamHeader(dst []byte, n int, isBinary bool) []byte {
	var top byte
	if isBinary {
		top = streamBinary
	}
	switch {
	case n < stream16:
		return append(dst, top|byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(dst, top|stream16), uint16(n))
	}
	return binary.BigEndian.AppendUint64(append(dst, top|stream64), uint64(n))
}

// AppendStreamPacket appends p as one frame with its header: what a
// [StreamReader] reads. A binary message keeps its bytes as they are, except
// that an empty one, for which the framing has no form, becomes the text frame
// "b". To send a large message without copying it, send the header that
// [AppendStreamHeader] makes and then the bytes.
func AppendStreamPacket(dst []byte, p Packet) []byte {
	if p.Binary && len(p.Data) > 0 {
		return append(AppendStreamHeader(dst, len(p.Data), true), p.Data...)
	}
	return AppendPacket(AppendStreamHeader(dst, p.TextLen(), false), p)
}

// ParseStreamHeader reads the header that b begins with, for those who have
// their own buffers; [StreamReader] does the rest for everybody else. It returns
// the length of the frame, whether the frame is binary, and the size of the
// header: 1, 3 or 9, or 0 if b is too short to hold it.
//
// A length that would fit a shorter header is accepted, as by the reference. A
// frame of no bytes is [ErrEmptyPacket]; one of more than limit bytes, or
// 2^53-1 if limit is greater or negative, is [ErrFrameSize]. Both are known from
// the header, before anything is stored.
func ParseStreamHeader(b []byte, limit int64) (length int64, isBinary bool, size int, err error) {
	if len(b) == 0 {
		return 0, false, 0, nil
	}
	isBinary = b[0]&streamBinary != 0
	var n uint64
	switch n = uint64(b[0] &^ streamBinary); n {
	case stream16:
		if size = 3; len(b) < size {
			return 0, false, 0, nil
		}
		n = uint64(binary.BigEndian.Uint16(b[1:]))
	case stream64:
		if size = 9; len(b) < size {
			return 0, false, 0, nil
		}
		n = binary.BigEndian.Uint64(b[1:])
	default:
		size = 1
	}
	if n == 0 {
		return 0, isBinary, size, ErrEmptyPacket
	}
	if limit < 0 || limit > maxInteger {
		limit = maxInteger
	}
	if n > uint64(limit) {
		return 0, isBinary, size, ErrFrameSize
	}
	return int64(n), isBinary, size, nil
}
