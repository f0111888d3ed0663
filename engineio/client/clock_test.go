package client_test

import (
	"bufio"
	"context"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/engineio/client"
	"github.com/siokit/siokit/engineio/internal/eiotest"
)

// pipe makes the modes connect to a server of eiotest.StartPipe.
func (m mode) pipe(srv *eiotest.Server) mode {
	m.cfg.DialContext = func(context.Context, string, string) (net.Conn, error) { return srv.Dial(), nil }
	return m
}

func TestHeartbeats(t *testing.T) {
	for _, m := range modes() {
		t.Run(m.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := eiotest.StartPipe(t, engineio.Config{Transports: both()}, eiotest.Handler{OnMessage: eiotest.Echo})
				r := newRecorder()
				s := m.pipe(srv).connect(t, "http://pipe", r)
				<-time.After(10*25*time.Second + time.Second)
				if n := len(r.pings); n != 10 {
					t.Errorf("%d pings", n)
				}
				send(t, s, engineio.Text("alive"))
				r.expect(t, engineio.Text("alive"))
				if s.Overdue() {
					t.Error("overdue")
				}
				s.Close()
				<-s.Done()
			})
		})
	}
}

// TestSilentServer: a server that says no more is given up when its ping is due
// and its timeout over.
func TestSilentServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conns := make(chan net.Conn)
		dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
			c, s := net.Pipe()
			select {
			case conns <- s:
				return c, nil
			case <-ctx.Done(): // nobody is there to hear the goodbye
				return nil, ctx.Err()
			}
		}
		go func() {
			c := <-conns
			b := bufio.NewReader(c)
			for line := ""; line != "\r\n"; {
				line, _ = b.ReadString('\n')
			}
			open := `0{"sid":"a","upgrades":[],"pingInterval":300,"pingTimeout":200,"maxPayload":1000}`
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(open), open)
			_, _ = io.Copy(io.Discard, b) // until the client leaves
			_ = c.Close()
		}()
		r := newRecorder()
		began := time.Now()
		s, err := client.Dial(t.Context(), "http://pipe", r, client.Config{Network: client.Network{DialContext: dial}})
		if err != nil {
			t.Fatal(err)
		}
		r.expectEnd(t, engineio.PingTimeout)
		if d := time.Since(began); d != 500*time.Millisecond {
			t.Errorf("after %v", d)
		}
		<-s.Done()
	})
}

// TestServerThatDoesNotRead: Send never blocks, the outbox is bounded, and Close
// gives up in the end.
func TestServerThatDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conns := make(chan net.Conn, 1)
		dial := func(context.Context, string, string) (net.Conn, error) {
			c, s := net.Pipe()
			conns <- s
			return c, nil
		}
		go func() {
			c := <-conns
			b := bufio.NewReader(c)
			key := ""
			for line := ""; line != "\r\n"; {
				line, _ = b.ReadString('\n')
				if name, value, _ := strings.Cut(line, ": "); name == "Sec-WebSocket-Key" {
					key = strings.TrimSpace(value)
				}
			}
			open := `0{"sid":"a","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000}`
			fmt.Fprintf(c, "HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n\x81%c%s", accept(key), len(open), open)
			conns <- c
		}()
		r := newRecorder()
		s, err := client.Dial(t.Context(), "http://pipe", r, client.Config{
			Transports: []client.Transport{client.WebSocket{}}, Outbox: 10_000, Network: client.Network{DialContext: dial},
		})
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for err = s.Send(engineio.Binary(make([]byte, 36))); err == nil; err = s.Send(engineio.Binary(make([]byte, 36))) {
			n++
		}
		if err != client.ErrFull || n != 100 || s.BufferedBytes() != 10_000 || s.Writable() {
			t.Errorf("%d sent, then %v; %d bytes, writable %v", n, err, s.BufferedBytes(), s.Writable())
		}
		if err := s.Push(engineio.Prepare(engineio.Text("x")), engineio.Volatile); err != nil {
			t.Errorf("volatile: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := s.Flush(ctx); err != context.DeadlineExceeded {
			t.Errorf("Flush: %v", err)
		}
		began := time.Now()
		s.Close()
		<-s.Done()
		r.expectEnd(t, engineio.ForcedClose)
		if d := time.Since(began); d != 20*time.Second {
			t.Errorf("given up after %v", d)
		}
		_ = (<-conns).Close()
	})
}

// accept is the answer to a WebSocket handshake's key, RFC 6455, section 1.3.
func accept(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}
