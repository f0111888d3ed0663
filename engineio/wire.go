package engineio

import (
	"bufio"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"time"
)

// wire is the connection as gorilla/websocket sees it: it reads through it,
// and what it writes, which are the handshake's answer and control frames, is
// only noted, to leave together with the session's frames.
//
// Where the system allows it a wire waits for input without a buffer of its
// own. When bytes are there it borrows a large one, takes all that has arrived
// in one read, and gives it back when gorilla has consumed it. That is also how
// it knows where a batch of input begins and ends: the cork.
//
// gorilla sets deadlines for control frames, which are not written when it
// writes them; the deadline setters do nothing.
type wire struct {
	net.Conn
	raw  syscall.RawConn // nil: no reading and writing without waiting
	link *wsLink         // which this is part of

	// Owned by whoever reads.
	lent       *[]byte // borrowed; its bytes from head to tail are unread
	head, tail int32
	guard      guard
	since      int64              // bytes read since a message was finished
	readNow    func(uintptr) bool // w.readOnce, made once
	readErr    error
}

// lentSize is how much a reader takes from the system at a time,
// plainReadBuffer how much one that cannot borrow does.
const (
	lentSize        = 32 << 10
	plainReadBuffer = 1024
)

var lentBufs = sync.Pool{New: func() any { b := make([]byte, lentSize); return &b }}

// errFlood: fragments or control frames without end, and no message finished.
var errFlood = errors.New("engineio: too much input without a finished message")

// errNow is the result of an attempt that would have had to wait.
var errNow = errors.New("engineio: not now")

// init begins with what the HTTP server has read of the connection: early is
// what the client sent before its handshake was answered.
func (w *wire) init(c net.Conn, l *wsLink, early *bufio.Reader) {
	w.Conn, w.link = c, l
	if w.raw = rawConn(c); w.raw != nil {
		w.readNow = w.readOnce
	}
	n := early.Buffered()
	if n == 0 {
		return
	}
	w.lent = lentBufs.Get().(*[]byte)
	if n > len(*w.lent) {
		b := make([]byte, n)
		w.lent = &b
	}
	_, _ = io.ReadFull(early, (*w.lent)[:n]) // what is buffered cannot fail
	w.tail = int32(n)
}

// sinceMax is how much may come between the ends of two messages.
func (w *wire) sinceMax() int64 { return 2*w.link.port.MaxPayload() + 256<<10 }

// await waits until there is input, if there is none. It is called between two
// messages: a reader that waits here needs less stack than one that waits
// within gorilla.
func (w *wire) await() error {
	if w.raw == nil || len(w.input()) > 0 {
		return nil
	}
	return w.fill()
}

// idle reports whether everything that has arrived is consumed.
func (w *wire) idle() bool { return len(w.input()) == 0 }

// Read is called by gorilla when it has consumed what it got before.
func (w *wire) Read(p []byte) (int, error) {
	if len(w.input()) == 0 {
		if err := w.fill(); err != nil {
			return 0, err
		}
	}
	src := w.input()
	n, err := w.guard.scan(src[:min(len(src), len(p))])
	copy(p, src[:n])
	w.consume(n)
	w.since += int64(n)
	if w.since > w.sinceMax() {
		return 0, errFlood
	}
	return n, err
}

// input returns what has arrived and was not consumed.
func (w *wire) input() []byte {
	if w.head == w.tail {
		return nil
	}
	return (*w.lent)[w.head:w.tail]
}

// drain reads on, for nobody, until the peer's close frame or the end of the
// connection.
func (w *wire) drain() {
	for lost := false; lost || !w.guard.bye; {
		src := w.input()
		if len(src) == 0 {
			if w.fill() != nil {
				return
			}
			continue
		}
		n := len(src)
		if !lost {
			var err error
			if n, err = w.guard.scan(src); err != nil {
				lost, n = true, len(src) // frames cannot be told apart any more
			}
		}
		w.consume(n)
	}
}

// consume takes n bytes off the input.
func (w *wire) consume(n int) {
	w.head += int32(n)
	if w.head == w.tail && w.raw != nil {
		w.giveBack()
	}
}

// fill waits for input and takes what is there. In between, a batch of input
// ends and another begins.
func (w *wire) fill() error {
	w.link.port.Uncork()
	if w.raw == nil {
		w.readPlain()
	} else if err := w.raw.Read(w.readNow); err != nil {
		return err
	}
	if w.readErr == nil {
		w.link.port.Cork()
	}
	return w.readErr
}

// readPlain reads where a buffer cannot be borrowed only while there is input.
func (w *wire) readPlain() {
	if w.lent != nil && len(*w.lent) >= lentSize { // what came early is consumed
		w.giveBack()
	}
	if w.lent == nil {
		b := make([]byte, plainReadBuffer)
		w.lent = &b
	}
	n, err := w.Conn.Read(*w.lent)
	if n > 0 {
		err = nil // it comes again
	}
	w.head, w.tail, w.readErr = 0, int32(n), err
}

func (w *wire) giveBack() {
	if len(*w.lent) == lentSize {
		lentBufs.Put(w.lent)
	}
	w.lent, w.head, w.tail = nil, 0, 0
}

// release lets go of everything when nobody reads any more.
func (w *wire) release() {
	if w.lent != nil {
		w.giveBack()
	}
	w.link.port.Uncork()
}

// Write notes what gorilla wants written.
func (w *wire) Write(p []byte) (int, error) {
	w.link.note(p)
	return len(p), nil
}

func (w *wire) SetDeadline(time.Time) error      { return nil }
func (w *wire) SetReadDeadline(time.Time) error  { return nil }
func (w *wire) SetWriteDeadline(time.Time) error { return nil }

// tryWrite writes what the system takes of the first segment of o at once.
// errNow: nothing, or that cannot be tried on this connection.
func (w *wire) tryWrite(o *output) (int, error) {
	if w.raw == nil {
		return 0, errNow
	}
	o.next, o.written, o.err = o.segments[0], 0, nil
	err := w.raw.Write(o.now)
	o.next = nil
	if err == nil {
		err = o.err
	}
	return o.written, err
}

// writePiece is the size in bytes of what is written with one deadline.
const writePiece = 64 << 10

// writeAll writes b, and may wait: timeout is how long without progress of at
// least a piece.
func (w *wire) writeAll(b []byte, timeout time.Duration) error {
	for len(b) > 0 {
		part := b[:min(writePiece, len(b))]
		if err := w.Conn.SetWriteDeadline(time.Now().Add(timeout)); err != nil {
			return err
		}
		n, err := w.Conn.Write(part)
		if err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}
