package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"go.uber.org/goleak"

	engine "github.com/siokit/siokit/engineio/client"
	"github.com/siokit/siokit/socketio/client"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const page = "https://app.example"

func serve(t *testing.T) *httptest.Server {
	t.Helper()
	sockets, handler, err := newHandler(page, fstest.MapFS{"socket.io.min.js": {Data: []byte("the client")}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(handler)
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(func() {
		_ = sockets.Close()
		server.Close()
	})
	return server
}

// TestPage: what the page loads is there.
func TestPage(t *testing.T) {
	server := serve(t)
	answer := httptest.NewRecorder()
	newPage(server.URL).ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/", nil))
	script := regexp.MustCompile(`src="([^"]+)"`).FindStringSubmatch(answer.Body.String())
	if script == nil || !strings.HasPrefix(script[1], server.URL) {
		t.Fatal(answer.Body)
	}
	response, err := server.Client().Get(script[1])
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(response.Body)
	if err := errors.Join(err, response.Body.Close()); err != nil || string(text) != "the client" {
		t.Errorf("%q %v", text, err)
	}
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
