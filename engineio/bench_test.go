package engineio_test

import (
	"bytes"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/engineio/internal/eiotest"
)

// BenchmarkIdle reports what an idle WebSocket session costs in heap and stack,
// and in goroutines, beside a TCP connection that nobody serves. The client's
// side of the connection, a bare net.Conn, is in both and taken off.
func BenchmarkIdle(b *testing.B) {
	const n = 4000
	memory := func() (heap, stack uint64, goroutines int) {
		var m runtime.MemStats
		for range 3 {
			runtime.GC()
		}
		runtime.ReadMemStats(&m)
		return m.HeapAlloc, m.StackInuse, runtime.NumGoroutine()
	}
	request := []byte("GET /engine.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	buf := make([]byte, 4096)
	connect := func(addr string, handshake bool) net.Conn {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			b.Fatal(err)
		}
		if handshake {
			_, _ = c.Write(request)
			for got := 0; !bytes.Contains(buf[:got], []byte("maxPayload")); {
				k, err := c.Read(buf[got:])
				if err != nil {
					b.Fatal(err)
				}
				got += k
			}
		}
		return c
	}
	for b.Loop() {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			b.Fatal(err)
		}
		s := eiotest.Start(b, engineio.Config{}, eiotest.Handler{})
		conns := make([]net.Conn, 0, 3*n)
		h0, _, _ := memory()
		for range n {
			conns = append(conns, connect(l.Addr().String(), false))
			c, err := l.Accept()
			if err != nil {
				b.Fatal(err)
			}
			conns = append(conns, c)
		}
		h1, s1, g1 := memory()
		for range n {
			conns = append(conns, connect(s.Addr, true))
		}
		h2, s2, g2 := memory()
		bare := (h1 - h0) / 2 // one side
		b.ReportMetric(float64(h2-h1-bare)/n, "heap-B/session")
		b.ReportMetric(float64(s2-s1)/n, "stack-B/session")
		b.ReportMetric(float64(g2-g1)/n, "goroutines/session")
		for _, c := range conns {
			c.Close()
		}
		l.Close()
		s.Stop()
	}
}

// BenchmarkEcho compares an echoed message with a bare gorilla server that
// does nothing else. Client and server share the process: the difference, not
// the sum, is the server's.
func BenchmarkEcho(b *testing.B) {
	for _, size := range []int{32, 1024, 16 << 10} {
		name := map[int]string{32: "32B", 1024: "1KB", 16 << 10: "16KB"}[size]
		payload := []byte("4" + strings.Repeat("a", size-1))
		b.Run(name+"/engineio", func(b *testing.B) {
			s := eiotest.Start(b, engineio.Config{}, eiotest.Handler{OnMessage: eiotest.Echo})
			c, _, err := websocket.DefaultDialer.Dial("ws://"+s.Addr+"/engine.io/?EIO=4&transport=websocket", nil)
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			if _, _, err := c.ReadMessage(); err != nil {
				b.Fatal(err)
			}
			echo(b, c, payload)
		})
		b.Run(name+"/gorilla", func(b *testing.B) {
			u := websocket.Upgrader{}
			hs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				c, err := u.Upgrade(w, r, nil)
				if err != nil {
					return
				}
				defer c.Close()
				for {
					kind, m, err := c.ReadMessage()
					if err != nil || c.WriteMessage(kind, m) != nil {
						return
					}
				}
			}))
			defer hs.Close()
			c, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(hs.URL, "http"), nil)
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			echo(b, c, payload)
		})
	}
}

func echo(b *testing.B, c *websocket.Conn, payload []byte) {
	b.ReportAllocs()
	b.ResetTimer()
	for b.Loop() {
		if err := c.WriteMessage(websocket.TextMessage, payload); err != nil {
			b.Fatal(err)
		}
		if _, _, err := c.ReadMessage(); err != nil {
			b.Fatal(err)
		}
	}
}
