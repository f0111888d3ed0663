package engineio

import (
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"time"

	"github.com/gorilla/websocket"
)

// lingerTime is how long a client may take to answer a close frame. Closing
// the connection earlier, while something of the client's is unread, would
// make the system drop what the client has not read yet, the close frame first
// of all.
const lingerTime = 2 * time.Second

// Close sends a close frame, if none was sent and the peer takes it at once,
// and closes the connection when the peer answered it, or after lingerTime.
// Read, if it runs, sees to the former.
func (l *wsLink) Close() {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return
	}
	l.closed = true
	if l.stuck && !l.peerDone.Load() || l.peerGone.Load() {
		// The peer does not read, or is not there: no way to tell it anything. One
		// that has just sent a close frame may have read all, and be faster than who
		// writes to it.
		l.mu.Unlock()
		_ = l.wire.Conn.Close()
		return
	}
	l.linger = time.AfterFunc(lingerTime, func() { _ = l.wire.Conn.Close() })
	l.leaveWith(nil) // before somebody who writes can say goodbye
	l.mu.Unlock()
	if l.wire.raw != nil {
		l.afterWrite()
		return
	}
	l.port.Go(func() {
		l.writing.Lock()
		defer l.writing.Unlock()
		l.goodbye()
	})
}

// afterWrite says goodbye if Close was called while somebody was writing.
func (l *wsLink) afterWrite() {
	for {
		l.mu.Lock()
		due := l.linger != nil && !l.said && l.wire.raw != nil
		l.mu.Unlock()
		if !due || !l.writing.TryLock() {
			return // whoever holds it comes here afterwards
		}
		l.goodbye()
		l.writing.Unlock()
	}
}

// goodbye writes the close frame, once. The caller holds writing.
func (l *wsLink) goodbye() {
	l.mu.Lock()
	said := l.said
	l.said = true
	l.mu.Unlock()
	if said {
		return
	}
	if l.out.pending() || l.peerGone.Load() {
		l.cutOff() // in the middle of a frame, or nobody is there
		return
	}
	l.build(nil)
	var err error
	if l.wire.raw != nil {
		err = l.attempt()
	} else {
		_ = l.wire.Conn.SetWriteDeadline(time.Now().Add(lingerTime))
		_, err = l.out.segments.WriteTo(l.wire.Conn)
		l.written()
	}
	if err != nil || l.peerDone.Load() {
		l.cutOff()
	}
}

// cutOff closes the connection now.
func (l *wsLink) cutOff() {
	l.mu.Lock()
	if l.linger != nil {
		l.linger.Stop()
	}
	l.mu.Unlock()
	_ = l.wire.Conn.Close()
}

// peerClosed is the peer's close frame: an io.EOF with code and text.
type peerClosed struct{ *websocket.CloseError }

func (e peerClosed) Is(target error) bool { return target == io.EOF }
func (e peerClosed) Unwrap() error        { return e.CloseError }

// readError turns what gorilla returned into why the session ends.
func (l *wsLink) readError(err error) error {
	var c *websocket.CloseError
	switch {
	case errors.As(err, &c):
		l.peerDone.Store(true)
		if c.Code == websocket.CloseAbnormalClosure { // gorilla's word for an end without one
			l.peerGone.Store(true)
		}
		return peerClosed{c}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		l.peerDone.Store(true)
		l.peerGone.Store(true)
		return fmt.Errorf("%w: %w", io.EOF, err)
	case errors.Is(err, net.ErrClosed), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		l.peerDone.Store(true)
		l.peerGone.Store(true)
	case errors.Is(err, errFrame):
		l.closeWith(websocket.CloseProtocolError, "")
	case errors.Is(err, websocket.ErrReadLimit):
		l.closeWith(websocket.CloseMessageTooBig, "")
	case errors.Is(err, errFlood):
		l.closeWith(websocket.ClosePolicyViolation, "")
	}
	return err
}

// after ends a link whose reading has ended: the session first, then the
// connection, for whose end a peer that was told to go is waited.
func (l *wsLink) after(err error) {
	l.port.Fail(err)
	l.Close()
	if !l.peerDone.Load() {
		l.wire.drain()
	}
	l.wire.release()
	l.writing.Lock()
	defer l.writing.Unlock()
	if !l.peerGone.Load() {
		l.goodbye()
	}
	l.cutOff()
}
