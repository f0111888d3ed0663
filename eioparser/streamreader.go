package eioparser

import (
	"io"
	"math"
	"slices"
)

// DefaultMaxPayload is the reference's limit for one message, in bytes.
const DefaultMaxPayload = 1_000_000

const (
	// readSize is the first size of buffers. They double while data arrives, so
	// that a header alone, whatever it announces, costs no memory.
	readSize = 512
	// keepSize is what an idle reader may keep of its buffer.
	keepSize = 64 << 10
	// maxEmptyReads is how often a source may return neither data nor an error.
	maxEmptyReads = 100
)

// StreamReader reads packets from a stream of frames with headers (see
// [AppendStreamHeader]). However the stream is cut into reads, the packets are
// the same. It is not safe for concurrent use; closing the source from another
// goroutine is how to unblock a Next that waits.
type StreamReader struct {
	src    io.Reader
	limit  int64
	err    error // what Next returns from now on
	srcErr error // came with the last bytes that src had

	buf        []byte // its full length is usable
	start, end int    // buf[start:end] is read and not yet consumed
}

// NewStreamReader returns a reader of the frames in src that refuses those of
// more than limit bytes. 0 means [DefaultMaxPayload]; a negative limit means
// none but what fits into memory.
func NewStreamReader(src io.Reader, limit int64) *StreamReader {
	switch {
	case limit == 0:
		limit = DefaultMaxPayload
	case limit < 0 || limit > math.MaxInt:
		limit = math.MaxInt
	}
	return &StreamReader{src: src, limit: limit}
}

// Next returns the next packet. It blocks while src does.
//
// Data of a text packet is valid until the next call; that of a binary message
// is new memory, which belongs to the caller.
//
// At the end of the stream Next returns [io.EOF] between two frames and
// [io.ErrUnexpectedEOF] within one. Bad input is an [Error]: [ErrFrameSize] and
// [ErrEmptyPacket] from the header, before anything of the frame is kept, or
// what [DecodeText] returns. Other errors are src's own. Every error is final.
func (r *StreamReader) Next() (Packet, error) {
	if r.err != nil {
		return Packet{}, r.err
	}
	p, err := r.next()
	if err != nil {
		r.err, r.buf = err, nil
		return Packet{}, err
	}
	return p, nil
}

func (r *StreamReader) next() (Packet, error) {
	if r.start == r.end && len(r.buf) > keepSize {
		r.buf, r.start, r.end = nil, 0, 0
	}
	length, isBinary, err := r.header()
	if err != nil {
		return Packet{}, err
	}
	if isBinary {
		data, err := r.bytes(length)
		return Packet{Type: Message, Binary: true, Data: data}, err
	}
	if err := r.fill(length); err != nil {
		return Packet{}, err
	}
	frame := r.buf[r.start : r.start+int(length) : r.start+int(length)]
	r.start += int(length)
	return DecodeText(frame)
}

func (r *StreamReader) header() (length int64, isBinary bool, err error) {
	for {
		var size int
		length, isBinary, size, err = ParseStreamHeader(r.buf[r.start:r.end], r.limit)
		if err != nil {
			return 0, false, err
		}
		if size > 0 {
			r.start += size
			return length, isBinary, nil
		}
		between := r.start == r.end
		if err := r.fill(int64(r.end-r.start) + 1); err != nil {
			if between && err == io.ErrUnexpectedEOF {
				err = io.EOF
			}
			return 0, false, err
		}
	}
}

// fill reads until n bytes are buffered.
func (r *StreamReader) fill(n int64) error {
	for int64(r.end-r.start) < n {
		if r.start > 0 && (r.start == r.end || int64(len(r.buf)-r.start) < n) {
			r.end = copy(r.buf, r.buf[r.start:r.end])
			r.start = 0
		}
		if r.end == len(r.buf) {
			bigger := make([]byte, grown(len(r.buf), n))
			copy(bigger, r.buf[:r.end])
			r.buf = bigger
		}
		got, err := r.read(r.buf[r.end:])
		r.end += got
		if err != nil {
			return err
		}
	}
	return nil
}

// bytes returns the next n bytes in memory of their own.
func (r *StreamReader) bytes(n int64) ([]byte, error) {
	buffered := r.buf[r.start:r.end]
	buffered = buffered[:min(int64(len(buffered)), n)]
	data := append(make([]byte, 0, max(len(buffered), int(min(n, readSize)))), buffered...)
	r.start += len(buffered)
	for int64(len(data)) < n {
		if len(data) == cap(data) {
			data = slices.Grow(data, grown(len(data), n)-len(data))
		}
		got, err := r.read(data[len(data):min(int64(cap(data)), n)])
		data = data[:len(data)+got]
		if err != nil {
			return nil, err
		}
	}
	return slices.Clip(data), nil
}

// grown returns the size that follows size on the way to at least want: double,
// or less if that is enough.
func grown(size int, want int64) int {
	if double := int64(max(2*size, readSize)); double < want || want < readSize {
		return int(double)
	}
	return int(want)
}

// read reads at least one byte into b, or returns an error.
func (r *StreamReader) read(b []byte) (int, error) {
	n := 0
	for i := 0; n == 0 && r.srcErr == nil; i++ {
		if i == maxEmptyReads {
			return 0, io.ErrNoProgress
		}
		n, r.srcErr = r.src.Read(b)
	}
	if n == 0 && r.srcErr == io.EOF {
		return 0, io.ErrUnexpectedEOF
	}
	if n == 0 {
		return 0, r.srcErr
	}
	return n, nil
}
