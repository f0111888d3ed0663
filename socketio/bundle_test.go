package socketio_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/siokit/siokit/socketio"
)

func TestServeClient(t *testing.T) {
	code := strings.Repeat("var io;", 1000)
	config := quiet()
	config.ServeClient = fstest.MapFS{
		"socket.io.min.js":     {Data: []byte(code)},
		"socket.io.min.js.map": {Data: []byte("{}")},
		"secret.txt":           {Data: []byte("secret")},
	}
	url := serve(t, newServer(t, config)) + "/socket.io/"
	transport := new(http.Transport)
	defer transport.CloseIdleConnections()
	get := func(name string, header ...string) (*http.Response, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+name, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept-Encoding", "identity")
		for i := 0; i < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		res, err := transport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body := io.Reader(res.Body)
		if res.Header.Get("Content-Encoding") == "gzip" {
			if body, err = gzip.NewReader(body); err != nil {
				t.Fatal(err)
			}
		}
		text, err := io.ReadAll(body)
		if err != nil {
			t.Fatal(err)
		}
		return res, string(text)
	}
	res, text := get("socket.io.min.js")
	tag := res.Header.Get("ETag")
	if res.StatusCode != http.StatusOK || text != code || tag == "" ||
		res.Header.Get("Cache-Control") != "public, max-age=0" ||
		res.Header.Get("Content-Type") != "application/javascript; charset=utf-8" {
		t.Error(res.Status, res.Header)
	}
	if res, text = get("socket.io.min.js", "If-None-Match", tag); res.StatusCode != http.StatusNotModified || text != "" {
		t.Error(res.Status)
	}
	if res, text = get("socket.io.min.js", "Accept-Encoding", "gzip"); res.Header.Get("Content-Encoding") != "gzip" || text != code {
		t.Error(res.Header)
	}
	if res, _ = get("socket.io.min.js.map"); res.Header.Get("Content-Type") != "application/json; charset=utf-8" {
		t.Error(res.Header)
	}
	for _, name := range []string{"secret.txt", "socket.io.js", "../secret.txt"} {
		if res, text := get(name); res.StatusCode == http.StatusOK || strings.Contains(text, "secret") {
			t.Error(name, res.Status, text)
		}
	}
	if _, err := socketio.NewServer(socketio.Config{ServeClient: fstest.MapFS{}}); err == nil {
		t.Error("a folder without the client was taken")
	}
}

func TestConfig(t *testing.T) {
	engine := newServer(t, quiet()).Engine()
	for name, config := range map[string]socketio.Config{
		"engine handled already": {Engine: engine},
		"negative namespaces":    {MaxNamespaces: -1},
		"both engines": func() socketio.Config {
			c := quiet()
			c.Engine = engine
			return c
		}(),
	} {
		if _, err := socketio.NewServer(config); err == nil || !strings.HasPrefix(err.Error(), "socketio: ") && !strings.HasPrefix(err.Error(), "engineio: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPath(t *testing.T) {
	config := quiet()
	config.Path = "/rt/"
	srv := newServer(t, config)
	url := serve(t, srv)
	for path, want := range map[string]int{"/rt/?EIO=4&transport=polling": 200, "/socket.io/?EIO=4&transport=polling": 404, "/rt": 404} {
		transport := new(http.Transport)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := transport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		transport.CloseIdleConnections()
		if res.StatusCode != want {
			t.Error(path, res.Status)
		}
	}
}
