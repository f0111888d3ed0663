package engineio

import (
	"errors"
	"io"
	"sync"
)

// inputs keep the memory into which a message, or the body of a request, is
// read, while it is read and worked on.
var inputs = sync.Pool{New: func() any { b := make([]byte, 0, 2<<10); return &b }}

// inputMax is the largest buffer that goes back into the pool.
const inputMax = 256 << 10

// freeInput gives a buffer back that grew to b.
func freeInput(buf *[]byte, b []byte) {
	if cap(b) <= inputMax {
		*buf = b[:0]
		inputs.Put(buf)
	}
}

var errTooLarge = errors.New("engineio: message over the limit")

// readAll appends what r has, at most limit bytes, to b. Memory is taken as the
// bytes come, whatever was announced, and not much more of it than limit.
func readAll(b []byte, r io.Reader, limit int64) ([]byte, error) {
	for {
		if len(b) == cap(b) {
			// One byte over the limit shows that there are more.
			grown := make([]byte, len(b), min(2*int64(cap(b)), limit+1))
			copy(grown, b)
			b = grown
		}
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if int64(len(b)) > limit {
			return b, errTooLarge
		}
		if err == io.EOF {
			return b, nil
		}
		if err != nil {
			return b, err
		}
	}
}
