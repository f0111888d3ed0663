package fuzz_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/siokit/siokit/engineio"
)

// FuzzEngineHandler sends requests of every shape. The server must answer each
// of them at once with a status of its own, and end every session.
func FuzzEngineHandler(f *testing.F) {
	f.Add("GET", "EIO=4&transport=polling", "", "")
	f.Add("POST", "EIO=4&transport=polling&sid=SID", "", "4hello\x1ebAQID")
	f.Add("POST", "EIO=3&transport=polling&sid=SID", "application/octet-stream", "\x00\x01\xff4")
	f.Add("GET", "transport=polling&sid=SID&j=0", "", "")
	f.Add("PUT", "EIO=4&transport=websocket&sid=__proto__", "", "1")
	f.Fuzz(func(t *testing.T, method, query, contentType, body string) {
		r, err := http.NewRequest(method, "http://x/", strings.NewReader(body))
		if err != nil {
			return // no such method
		}
		for _, v3 := range []bool{false, true} {
			e := startPipedEngine(t, engineio.Config{AllowEIO3: v3, Transports: []engineio.Transport{engineio.Polling{JSONP: true}, engineio.WebSocket{}}}, nil)
			sid, err := e.handshake()
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel() // a poll that would wait has left already
			req := r.Clone(ctx)
			req.Body = http.NoBody
			if body != "" {
				req = httptest.NewRequest("POST", "/", strings.NewReader(body)).WithContext(ctx)
				req.Method = r.Method
			}
			req.URL.RawQuery = strings.ReplaceAll(query, "SID", sid)
			req.Header.Set("Content-Type", contentType)
			w := httptest.NewRecorder()
			e.srv.ServeHTTP(w, req)
			if w.Code >= 500 && w.Code != http.StatusServiceUnavailable {
				t.Errorf("%s %s: %d", method, query, w.Code)
			}
		}
	})
}

// FuzzEngineSession sends bytes of every kind behind a WebSocket handshake:
// frames, halves of frames, packets of the protocol in any order.
func FuzzEngineSession(f *testing.F) {
	f.Add([]byte("\x81\x82\x00\x00\x00\x004x\x81\x81\x00\x00\x00\x003\x88\x80\x00\x00\x00\x00"))
	f.Add([]byte("\x82\xfe\x00\x80\x01\x02\x03\x04"))
	f.Add([]byte("\x01\x81\x00\x00\x00\x004\x89\x80\x00\x00\x00\x00\x80\x81\x00\x00\x00\x00y"))
	f.Add([]byte("\xc1\x82\x00\x00\x00\x00\x02\x00"))
	f.Fuzz(func(t *testing.T, stream []byte) {
		e := startEngine(t, engineio.Config{MaxPayload: 1000, Transports: []engineio.Transport{engineio.WebSocket{Compression: &engineio.Deflate{Threshold: 8}}}}, nil)
		c, err := e.dial()
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, _ = c.Write(append([]byte("GET /?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
			"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"), stream...))
		_ = c.(*net.UnixConn).CloseWrite()
		if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 4096)
		for {
			if _, err := c.Read(buf); err != nil {
				if ne, ok := err.(net.Error); ok && ne.Timeout() {
					t.Error("the server keeps a connection whose client has left")
				}
				return
			}
		}
	})
}
