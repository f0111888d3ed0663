package main

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"testing"

	"go.uber.org/goleak"

	engine "github.com/siokit/siokit/engineio/client"
	"github.com/siokit/siokit/socketio/client"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const page = "https://app.example"

func serve(t *testing.T) *httptest.Server {
	t.Helper()
	io, handler, err := newHandler(page)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(handler)
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(func() {
		_ = io.Close()
		server.Close()
	})
	return server
}

func TestPolling(t *testing.T) {
	server := serve(t)
	for origin, allowed := range map[string]string{page: page, "https://evil.example": ""} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/socket.io/?EIO=4&transport=polling", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Origin", origin)
		response, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.ProtoMajor != 2 {
			t.Error(response.Proto)
		}
		if got := response.Header.Get("Access-Control-Allow-Origin"); got != allowed {
			t.Errorf("a page of %s: allowed %q, want %q", origin, got, allowed)
		}
	}
}

func TestWebSocket(t *testing.T) {
	server := serve(t)
	trusted := x509.NewCertPool()
	trusted.AddCert(server.Certificate())
	for origin, allowed := range map[string]bool{page: true, "https://evil.example": false} {
		c, err := client.New(server.URL, client.Config{NoReconnection: true, Engine: engine.Config{
			Transports: []engine.Transport{engine.WebSocket{}},
			Header:     http.Header{"Origin": {origin}},
			Network:    engine.Network{TLS: &tls.Config{RootCAs: trusted}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Connect(t.Context()); (err == nil) != allowed {
			t.Errorf("a page of %s: %v", origin, err)
		} else if allowed {
			ack, err := c.EmitWithAck(t.Context(), "echo", "hello")
			var text string
			if err == nil {
				err = ack.Bind(&text)
			}
			if err != nil || text != "hello" {
				t.Error(text, err)
			}
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}
