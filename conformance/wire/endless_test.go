package wire_test

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/siokit/siokit/conformance/wire"
)

// talk runs a server that answers every connection with f.
func talk(t *testing.T, f func(c net.Conn)) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				f(c)
			}()
		}
	}()
	return l.Addr().String()
}

// An answer without end costs a bounded part of the machine's memory.
func TestEndlessAnswers(t *testing.T) {
	for name, head := range map[string]string{
		"head": "HTTP/1.1 200 OK\r\n",
		"body": "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			line := strings.Repeat("X-Header: value\r\n", 4096)
			addr := talk(t, func(c net.Conn) {
				_, err := io.WriteString(c, head)
				for err == nil {
					_, err = io.WriteString(c, line)
				}
			})
			d := &wire.Dialer{Addr: addr, Trace: wire.NewTrace()}
			_, err := d.Do(t.Context(), wire.Request{Target: "/"}, time.Now().Add(time.Minute))
			if err == nil || errors.Is(err, wire.ErrNoAnswer) {
				t.Error(err)
			}
		})
	}
}
