package engineio

import (
	"errors"
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
	port *Port
	note func([]byte) // takes what gorilla writes

	lent     *[]byte // borrowed; its bytes from head to tail are unread
	early    []byte  // what the client sent before the handshake was answered
	head     int
	tail     int
	readNow  func(uintptr) bool // w.readOnce, made once
	readErr  error
	guard    guard
	since    int64 // bytes read since a message was finished
	sinceMax int64
	writeNow func(uintptr) bool // w.writeOnce, made once
	toWrite  []byte
	written  int
	writeErr error
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

func (w *wire) init(c net.Conn, p *Port, early []byte) {
	w.Conn, w.port, w.early = c, p, early
	if w.raw = rawConn(c); w.raw != nil {
		w.readNow, w.writeNow = w.readOnce, w.writeOnce
	}
	w.sinceMax = 2*p.MaxPayload() + 256<<10
}

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
	if w.since > w.sinceMax {
		return 0, errFlood
	}
	return n, err
}

// input returns what has arrived and was not consumed.
func (w *wire) input() []byte {
	if len(w.early) > 0 {
		return w.early
	}
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
	if len(w.early) > 0 {
		w.early = w.early[n:]
		return
	}
	w.head += n
	if w.head == w.tail && w.raw != nil {
		w.giveBack()
	}
}

// fill waits for input and takes what is there. In between, a batch of input
// ends and another begins.
func (w *wire) fill() error {
	w.port.Uncork()
	if w.raw == nil {
		if w.lent == nil {
			b := make([]byte, plainReadBuffer)
			w.lent = &b
		}
		w.head = 0
		w.tail, w.readErr = w.Conn.Read(*w.lent)
		if w.tail > 0 {
			w.readErr = nil // it comes again
		}
	} else if err := w.raw.Read(w.readNow); err != nil {
		return err
	}
	if w.readErr == nil {
		w.port.Cork()
	}
	return w.readErr
}

func (w *wire) giveBack() {
	lentBufs.Put(w.lent)
	w.lent, w.head, w.tail = nil, 0, 0
}

// release lets go of everything when nobody reads any more.
func (w *wire) release() {
	if w.raw != nil && w.lent != nil {
		w.giveBack()
	}
	w.early = nil
	w.port.Uncork()
}

// Write notes what gorilla wants written.
func (w *wire) Write(p []byte) (int, error) {
	w.note(p)
	return len(p), nil
}

func (w *wire) SetDeadline(time.Time) error      { return nil }
func (w *wire) SetReadDeadline(time.Time) error  { return nil }
func (w *wire) SetWriteDeadline(time.Time) error { return nil }

// tryWrite writes what the system takes of b at once. errNow: nothing, or that
// cannot be tried on this connection.
func (w *wire) tryWrite(b []byte) (int, error) {
	if w.raw == nil {
		return 0, errNow
	}
	w.toWrite, w.written, w.writeErr = b, 0, nil
	err := w.raw.Write(w.writeNow)
	w.toWrite = nil
	if err == nil {
		err = w.writeErr
	}
	return w.written, err
}

// writeAll writes b, and may wait: timeout is how long without progress of at
// least a piece.
func (w *wire) writeAll(b []byte, timeout time.Duration) error {
	const piece = 64 << 10
	for len(b) > 0 {
		part := b[:min(piece, len(b))]
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
