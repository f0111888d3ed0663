package socketio_test

import (
	"compress/gzip"
	"compress/zlib"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rs/cors"

	"github.com/siokit/siokit/socketio"
)

// fetcher makes requests that say what they accept, and gives bodies as they are.
func fetcher(t *testing.T) func(method, url string, header ...string) (*http.Response, string) {
	transport := new(http.Transport)
	t.Cleanup(transport.CloseIdleConnections)
	return func(method, url string, header ...string) (*http.Response, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
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
		text, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res, string(text)
	}
}

// D10: the client's files are served by their exact names.
func TestD10ServeClient(t *testing.T) {
	code := strings.Repeat("var io;", 1000)
	config := quiet()
	config.Path = "/socket.io/"
	config.ServeClient = fstest.MapFS{
		"socket.io.min.js":     {Data: []byte(code)},
		"socket.io.min.js.br":  {Data: []byte("by brotli")},
		"socket.io.min.js.map": {Data: []byte("{}")},
		"secret.txt":           {Data: []byte("secret")},
	}
	url := serve(t, newServer(t, config)) + "/socket.io/"
	get := fetcher(t)
	res, text := get(http.MethodGet, url+"socket.io.min.js")
	tag := res.Header.Get("ETag")
	if res.StatusCode != http.StatusOK || text != code || tag == "" ||
		res.Header.Get("Cache-Control") != "public, max-age=0" ||
		res.Header.Get("Content-Type") != "application/javascript; charset=utf-8" {
		t.Error(res.Status, res.Header)
	}
	for _, tags := range []string{tag, strings.TrimPrefix(tag, "W/"), `"other", ` + tag, "*"} {
		if res, text := get(http.MethodGet, url+"socket.io.min.js", "If-None-Match", tags); res.StatusCode != http.StatusNotModified || text != "" {
			t.Error(tags, res.Status)
		}
	}
	if res, _ := get(http.MethodGet, url+"socket.io.min.js", "If-None-Match", `"other"`); res.StatusCode != http.StatusOK {
		t.Error(res.Status)
	}
	if res, text := get(http.MethodHead, url+"socket.io.min.js"); res.StatusCode != http.StatusOK || text != "" {
		t.Error(res.Status, text)
	}
	if res, _ = get(http.MethodGet, url+"socket.io.min.js.map"); res.Header.Get("Content-Type") != "application/json; charset=utf-8" {
		t.Error(res.Header)
	}
	for _, path := range []string{"secret.txt", "socket.io.js", "../secret.txt", "socket.io.min.js.br", "x/socket.io.min.js", "socket.io.min.js/"} {
		if res, text := get(http.MethodGet, url+path); res.StatusCode == http.StatusOK || strings.Contains(text, "secret") {
			t.Error(path, res.Status, text)
		}
	}
	if res, _ := get(http.MethodPost, url+"socket.io.min.js"); res.StatusCode == http.StatusOK {
		t.Error(res.Status)
	}
	if _, err := socketio.NewServer(socketio.Config{ServeClient: fstest.MapFS{}}); err == nil {
		t.Error("a folder without the client was taken")
	}
}

func TestServeClientNegotiates(t *testing.T) {
	code := strings.Repeat("var io;", 1000)
	config := quiet()
	config.ServeClient = fstest.MapFS{
		"socket.io.js":        {Data: []byte(code)},
		"socket.io.min.js":    {Data: []byte(code)},
		"socket.io.min.js.br": {Data: []byte("by brotli")},
	}
	url := serve(t, newServer(t, config)) + "/socket.io/"
	get := fetcher(t)
	decode := map[string]func(string) string{
		"": func(s string) string { return s },
		"br": func(s string) string {
			if s != "by brotli" {
				t.Error(s)
			}
			return code
		},
		"gzip": func(s string) string {
			r, err := gzip.NewReader(strings.NewReader(s))
			return inflated(t, r, err)
		},
		"deflate": func(s string) string {
			r, err := zlib.NewReader(strings.NewReader(s))
			return inflated(t, r, err)
		},
	}
	for _, test := range []struct{ name, accept, want string }{
		{"socket.io.js", "", ""},
		{"socket.io.js", "identity", ""},
		{"socket.io.js", "gzip, deflate, br, zstd", "gzip"},
		{"socket.io.js", "br", ""},
		{"socket.io.js", "deflate", "deflate"},
		{"socket.io.js", "gzip;q=0.5, deflate;q=0.8", "deflate"},
		{"socket.io.js", "gzip;q=0, deflate;q=0", ""},
		{"socket.io.js", "GZIP;Q=1", "gzip"},
		{"socket.io.js", "*", "gzip"},
		{"socket.io.js", "*;q=0.1, gzip;q=0", "deflate"},
		{"socket.io.js", "gzip;q=x", ""},
		{"socket.io.js", "gzipped", ""},
		{"socket.io.min.js", "gzip, deflate, br, zstd", "br"},
		{"socket.io.min.js", "gzip, br;q=0.9", "gzip"},
		{"socket.io.min.js", "*", "br"},
	} {
		res, text := get(http.MethodGet, url+test.name, "Accept-Encoding", test.accept)
		got := res.Header.Get("Content-Encoding")
		if got != test.want || res.Header.Get("Vary") != "Accept-Encoding" || decode[got](text) != code {
			t.Errorf("%s accepting %q: %q, want %q; %v", test.name, test.accept, got, test.want, res.Header)
		}
	}
}

func inflated(t *testing.T, r io.Reader, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The client's files are given to pages of the origins that the server lets in.
func TestServeClientToOtherOrigins(t *testing.T) {
	config := quiet()
	config.ServeClient = fstest.MapFS{"socket.io.js": {Data: []byte("var io;")}}
	config.EngineConfig.CORS = &cors.Options{AllowedOrigins: []string{"https://app.example"}}
	url := serve(t, newServer(t, config)) + "/socket.io/socket.io.js"
	get := fetcher(t)
	for origin, want := range map[string]string{"https://app.example": "https://app.example", "https://other.example": ""} {
		res, _ := get(http.MethodGet, url, "Origin", origin)
		if got := res.Header.Get("Access-Control-Allow-Origin"); res.StatusCode != http.StatusOK || got != want {
			t.Errorf("%s: %q", origin, got)
		}
		if vary := strings.Join(res.Header.Values("Vary"), ", "); !strings.Contains(vary, "Origin") || !strings.Contains(vary, "Accept-Encoding") {
			t.Error(vary)
		}
		res, _ = get(http.MethodOptions, url, "Origin", origin, "Access-Control-Request-Method", "GET")
		if got := res.Header.Get("Access-Control-Allow-Origin"); got != want {
			t.Errorf("preflight of %s: %q", origin, got)
		}
	}
	if res, _ := get(http.MethodOptions, url); res.StatusCode != http.StatusNoContent || !strings.Contains(res.Header.Get("Allow"), "GET") {
		t.Error(res.Status, res.Header)
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
