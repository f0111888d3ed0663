//go:build !unix

package engineio

import (
	"net"
	"syscall"
)

// rawConn: on this system every write takes the way over a goroutine.
func rawConn(net.Conn) syscall.RawConn { return nil }

func (w *wire) readOnce(uintptr) bool { return true }
func (o *output) once(uintptr) bool   { return true }
