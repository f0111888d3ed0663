//go:build unix

package engineio

import (
	"io"
	"net"
	"syscall"
)

// rawConn returns access to the file descriptor below c, or nil. Only the
// standard library's own types count: something that wraps them (TLS, a
// counter) wants to see every byte.
func rawConn(c net.Conn) syscall.RawConn {
	var sc syscall.Conn
	switch c := c.(type) {
	case *net.TCPConn:
		sc = c
	case *net.UnixConn:
		sc = c
	default:
		return nil
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return nil
	}
	return raw
}

// readOnce reads into a borrowed buffer. It reports whether there was
// something, an end or an error included; if not, it is called again when
// there is.
func (w *wire) readOnce(fd uintptr) bool {
	b := lentBufs.Get().(*[]byte)
	for {
		n, err := syscall.Read(int(fd), *b)
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN:
			lentBufs.Put(b)
			return false
		case err != nil:
			w.readErr = err
		case n == 0:
			w.readErr = io.EOF
		default:
			w.lent, w.head, w.tail, w.readErr = b, 0, int32(n), nil
			return true
		}
		lentBufs.Put(b)
		return true
	}
}

// once makes one attempt to write. It always reports that it is done: nobody is
// to wait.
func (o *output) once(fd uintptr) bool {
	for {
		n, err := syscall.Write(int(fd), o.next)
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN:
			o.err = errNow
		case err != nil:
			o.err = err
		default:
			o.written = n
		}
		return true
	}
}
