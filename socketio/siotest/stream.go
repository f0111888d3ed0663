package siotest

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// window is how much a connection holds in each direction before Write waits.
const window = 256 << 10

// A stream is one direction of a connection.
type stream struct {
	mu       sync.Mutex
	delay    time.Duration
	stalled  bool // nothing can be read
	chunks   []chunk
	size     int
	ended    bool // the writer has closed it
	closed   bool // the reader has closed it, which the writer learns unless it is stalled
	readDue  time.Time
	writeDue time.Time
	changed  chan struct{} // closed when any of this has changed
}

// A chunk is what one Write wrote.
type chunk struct {
	data []byte
	due  time.Time // when it has travelled to the other end
}

func newStream() *stream { return &stream{changed: make(chan struct{})} }

// change runs f under the lock and wakes those who wait.
func (s *stream) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
	close(s.changed)
	s.changed = make(chan struct{})
}

// read waits until there is something to read.
func (s *stream) read(p []byte) (n int, err error) {
	for {
		var wait time.Time // nothing happens by itself before
		s.mu.Lock()
		due, deadline, changed := s.readDue, s.readDue, s.changed
		switch {
		case s.closed:
			err = net.ErrClosed
		case passed(due):
			err = os.ErrDeadlineExceeded
		case s.stalled:
		case len(s.chunks) == 0 && s.ended:
			err = io.EOF
		case len(s.chunks) == 0:
		case !passed(s.chunks[0].due):
			wait = s.chunks[0].due
		default:
			n = copy(p, s.chunks[0].data)
			if s.chunks[0].data = s.chunks[0].data[n:]; len(s.chunks[0].data) == 0 {
				s.chunks = s.chunks[1:]
			}
			s.size -= n
		}
		s.mu.Unlock()
		switch {
		case err != nil:
			return 0, err
		case n > 0 || len(p) == 0:
			s.change(func() {})
			return n, nil
		}
		await(changed, earlier(wait, deadline))
	}
}

// write waits while the window is full.
func (s *stream) write(p []byte) (n int, err error) {
	for {
		s.mu.Lock()
		deadline, changed := s.writeDue, s.changed
		room := 0
		switch {
		case s.ended:
			err = net.ErrClosed
		case s.closed && !s.stalled:
			err = errBroken
		case passed(deadline):
			err = os.ErrDeadlineExceeded
		default:
			room = min(len(p), window-s.size)
		}
		s.mu.Unlock()
		if err != nil {
			return n, err
		}
		if room > 0 {
			s.change(func() {
				due := time.Now().Add(s.delay)
				s.chunks = append(s.chunks, chunk{append([]byte(nil), p[:room]...), due})
				s.size += room
			})
			p, n = p[room:], n+room
		}
		if len(p) == 0 {
			return n, nil
		}
		if room <= 0 {
			await(changed, deadline)
		}
	}
}

// end is what the writer's Close does: the reader gets what was written, and then
// io.EOF.
func (s *stream) end() { s.change(func() { s.ended = true }) }

// refuse is what the reader's Close does.
func (s *stream) refuse() { s.change(func() { s.closed = true }) }

// cut loses what is on the way.
func (s *stream) cut() {
	s.change(func() {
		s.ended, s.stalled = true, false
		s.chunks, s.size = nil, 0
	})
}

func passed(t time.Time) bool { return !t.IsZero() && !time.Now().Before(t) }

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// await waits for changed, at most until t.
func await(changed <-chan struct{}, t time.Time) {
	if t.IsZero() {
		<-changed
		return
	}
	timer := time.NewTimer(time.Until(t))
	defer timer.Stop()
	select {
	case <-changed:
	case <-timer.C:
	}
}

// An end is one of the two ends of a connection. It is a net.Conn.
type end struct {
	in, out       *stream
	local, remote net.Addr
	once          sync.Once
	gone          bool   // closed by the client; guarded by the line's mu
	closed        func() // tells the network
}

func (e *end) Read(p []byte) (int, error)  { return e.in.read(p) }
func (e *end) Write(p []byte) (int, error) { return e.out.write(p) }

func (e *end) Close() error {
	e.once.Do(func() {
		e.out.end()
		e.in.refuse()
		e.closed()
	})
	return nil
}

func (e *end) LocalAddr() net.Addr  { return e.local }
func (e *end) RemoteAddr() net.Addr { return e.remote }

func (e *end) SetReadDeadline(t time.Time) error {
	e.in.change(func() { e.in.readDue = t })
	return nil
}

func (e *end) SetWriteDeadline(t time.Time) error {
	e.out.change(func() { e.out.writeDue = t })
	return nil
}

func (e *end) SetDeadline(t time.Time) error {
	_ = e.SetReadDeadline(t)
	return e.SetWriteDeadline(t)
}

var (
	errBroken  = &net.OpError{Op: "write", Net: "memory", Err: syscall.EPIPE}
	errRefused = &net.OpError{Op: "dial", Net: "memory", Err: syscall.ECONNREFUSED}
)
