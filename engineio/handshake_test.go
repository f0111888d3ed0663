package engineio_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/cors"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/engineio/internal/eiotest"
)

const (
	unknownTransport = `400 [application/json] {"code":0,"message":"Transport unknown"}`
	unknownSID       = `400 [application/json] {"code":1,"message":"Session ID unknown"}`
	badMethod        = `400 [application/json] {"code":2,"message":"Bad handshake method"}`
	badRequest       = `400 [application/json] {"code":3,"message":"Bad request"}`
	mismatch         = badRequest // of the transport
	badVersion       = `400 [application/json] {"code":5,"message":"Unsupported protocol version"}`
	opened           = `200 0{"sid":"<sid>","upgrades":["websocket"],"pingInterval":300,"pingTimeout":200,"maxPayload":1000000}`
	openedWS         = `0{"sid":"<sid>","upgrades":[],"pingInterval":300,"pingTimeout":200,"maxPayload":1000000}`
	openedSlowWS     = `0{"sid":"<sid>","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}`
)

func TestHandshake(t *testing.T) {
	s := eiotest.Start(t, fixture(), new(echoing))
	for _, c := range []reply{
		{id: "E-HS-01", query: "", want: unknownTransport},
		{id: "E-HS-02", query: "transport=abc&EIO=4", want: unknownTransport},
		{id: "E-HS-03", query: "transport=webtransport&EIO=4", want: unknownTransport},
		{id: "E-HS-04", query: "transport=constructor&EIO=4", want: unknownTransport},
		{id: "E-HS-05", query: "transport=polling", want: badVersion},
		{id: "E-HS-06", query: "transport=polling&EIO=3", want: badVersion},
		{id: "E-HS-07", query: "transport=polling&EIO=5", want: badVersion},
		{id: "E-HS-08", query: "transport=polling&EIO=2", want: badVersion},
		{id: "E-HS-09", query: "transport=polling&EIO=4&EIO=4", want: opened},
		{id: "E-HS-10", method: "POST", query: "transport=polling&EIO=4", want: badMethod},
		{id: "E-HS-11", method: "PUT", query: "transport=polling&EIO=4", want: badMethod},
		{id: "E-HS-12", method: "HEAD", query: "transport=polling&EIO=4", want: "400 [application/json] (empty body)"},
		{id: "E-HS-13", method: "OPTIONS", query: "transport=polling&EIO=4", want: badMethod},
		{id: "E-HS-15", query: "transport=polling&EIO=4&sid=abcdef", want: unknownSID},
		{id: "E-HS-16", method: "POST", query: "transport=polling&EIO=4&sid=abcdef", want: unknownSID},
		{id: "E-HS-17", query: "transport=polling&EIO=4&sid=__proto__", want: unknownSID},
		{id: "E-HS-18", query: "transport=polling&EIO=4&sid=", want: opened},
		{id: "E-HS-19", query: "transport=websocket&EIO=4", want: badRequest},
		{id: "E-HS-23", query: "transport=polling&EIO=4&deny=", want: `403 [application/json] {"code":4,"message":"Forbidden"}`},
		{id: "E-HS-24", query: "transport=polling&EIO=4&deny=because", want: `403 [application/json] {"code":4,"message":"because"}`},
		{id: "E-HS-27", method: "POST", query: "transport=abc&EIO=9&sid=nope", want: unknownTransport},
		{id: "E-HS-28", query: "transport=polling&EIO=9&sid=nope", want: unknownSID},
		{id: "E-HS-29", method: "POST", query: "transport=polling&EIO=9", want: badMethod},
		{id: "E-HS-30", query: "transport=polling&EIO=9&deny=1", want: `403 [application/json] {"code":4,"message":"1"}`},
		{id: "E-HS-34", query: "transport=polling&EIO=4&t=abc&b64=1&foo=bar", want: opened},
		{id: "E-HS-35", query: "EIO=4&transport=polling", want: opened},
		{id: "E-HS-58", query: "EIO=4&transport=polling", header: []string{"Upgrade", "h2c", "Connection", "Upgrade"}, want: opened},
		{id: "bad escapes are absent", query: "EIO=4&transport=%zz", want: unknownTransport},
	} {
		c.run(t, s)
	}
	t.Run("paths", func(t *testing.T) {
		for path, want := range map[string]int{"/engine.io": 404, "/Engine.IO/": 404, "/": 404, "/engine.io/": 200, "/engine.io/foo": 200} {
			if a := s.Do("GET", "http://"+s.Addr+path+"?EIO=4&transport=polling", ""); a.Status != want {
				t.Errorf("E-HS-31..33 %s: %d, want %d", path, a.Status, want)
			}
		}
	})
	t.Run("a path without a slash", func(t *testing.T) {
		cfg := fixture()
		cfg.Path = "/io"
		s := eiotest.Start(t, cfg, new(echoing))
		for path, want := range map[string]int{"/io": 200, "/io/": 200, "/io/x": 200, "/iox": 404, "/i": 404, "/": 404} {
			if a := s.Do("GET", "http://"+s.Addr+path+"?EIO=4&transport=polling", ""); a.Status != want {
				t.Errorf("%s: %d, want %d", path, a.Status, want)
			}
		}
	})
	t.Run("E-HS-36", func(t *testing.T) {
		p, _ := s.Poll()
		if len(p.SID) != 20 || strings.Trim(p.SID, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") != "" {
			t.Errorf("sid %q", p.SID)
		}
	})
	t.Run("E-HS-37,38,39,41,43", func(t *testing.T) {
		p, a := s.Poll()
		want := map[string]string{"Content-Type": "text/plain; charset=UTF-8", "Cache-Control": "no-store", "Content-Length": fmt.Sprint(len(a.Body)), "Access-Control-Allow-Origin": "", "Set-Cookie": ""}
		checkHeader(t, a.Header, want)
		checkHeader(t, p.Post("4x").Header, map[string]string{"Content-Type": "text/html", "Cache-Control": "no-store", "Content-Length": "2"})
		checkHeader(t, s.Do("GET", s.URL("transport=abc"), "").Header, map[string]string{"Content-Type": "application/json", "Cache-Control": ""})
	})
	t.Run("E-HS-64", func(t *testing.T) {
		a := s.Do("GET", s.URL("EIO=4&transport=polling"), "", "User-Agent", "Mozilla/4.0 (compatible;MSIE 8.0)")
		checkHeader(t, a.Header, map[string]string{"X-XSS-Protection": "0"})
	})
}

func checkHeader(t *testing.T, h http.Header, want map[string]string) {
	t.Helper()
	got := make(map[string]string)
	for k := range want {
		got[k] = h.Get(k)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("header (-want +got):\n%s", d)
	}
}

func TestHandshakeOfKnownSessions(t *testing.T) {
	s := eiotest.Start(t, slow(), new(echoing))
	p, _ := s.Poll()
	sid := "&sid=" + p.SID
	for _, c := range []reply{
		{id: "E-HS-20", query: "EIO=4&transport=websocket" + sid, want: badRequest},
		{id: "E-HS-21", query: "EIO=3&transport=polling" + sid, want: badRequest},
		{id: "E-HS-22", query: "transport=polling" + sid, want: badRequest},
	} {
		c.run(t, s)
	}
	p.Post("4x")
	if got := show(s.Do("GET", p.URL()+"&deny=no", "")); got != "200 4x" {
		t.Errorf("E-HS-26: %s", got)
	}
}

func TestHandshakeOverWebSocket(t *testing.T) {
	s := eiotest.Start(t, fixture(), new(echoing))
	if ws, open := s.WS(); masked(open) != openedWS {
		t.Errorf("E-HS-50: %s", masked(open))
	} else {
		checkHeader(t, ws.Header, map[string]string{"Sec-Websocket-Extensions": "", "Sec-Websocket-Protocol": ""}) // E-HS-60
	}
	p, _ := s.Poll()
	for _, c := range []struct{ id, query, want string }{
		{"E-HS-25", "EIO=4&transport=websocket&deny=because", "403 because"},
		{"E-HS-51", "EIO=4&transport=abc", "400 Transport unknown"},
		{"E-HS-52", "transport=websocket", "400 Unsupported protocol version"},
		{"E-HS-53", "EIO=3&transport=websocket", "400 Unsupported protocol version"},
		{"E-HS-54", "EIO=4&transport=websocket&sid=nope", "400 Session ID unknown"},
		{"E-UP-20", "EIO=3&transport=websocket&sid=" + p.SID, "400 Bad request"},
	} {
		ws, resp := s.Upgrade(c.query)
		if ws != nil {
			t.Errorf("%s: accepted", c.id)
			continue
		}
		body := make([]byte, 100)
		n, _ := resp.Body.Read(body)
		if got := fmt.Sprintf("%d %s", resp.StatusCode, body[:n]); got != c.want {
			t.Errorf("%s: %s, want %s", c.id, got, c.want)
		}
		checkHeader(t, resp.Header, map[string]string{"Content-Type": "text/html"})
		if !resp.Close {
			t.Errorf("%s: the connection is kept", c.id)
		}
	}
	t.Run("E-HS-56", func(t *testing.T) {
		a := s.Do("POST", s.URL("EIO=4&transport=websocket"), "", "Upgrade", "websocket", "Connection", "Upgrade", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
		if got := show(a); got != "400 Bad handshake method" {
			t.Error(got)
		}
	})
	t.Run("E-WS-32,33", func(t *testing.T) {
		for _, h := range [][]string{
			{"Sec-WebSocket-Version", "7", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
			{"Sec-WebSocket-Version", "13"},
		} {
			a := s.Do("GET", s.URL("EIO=4&transport=websocket"), "", append(h, "Upgrade", "websocket", "Connection", "Upgrade")...)
			if got := show(a); got != "400 Bad request" {
				t.Error(got)
			}
		}
		if n := s.Len(); n > 2 {
			t.Errorf("%d sessions", n)
		}
	})
}

// TestConnectionErrors: what Config.OnConnectionError is told of each refusal.
func TestConnectionErrors(t *testing.T) {
	type seen struct {
		Code    engineio.Code
		Message string
		Context map[string]any
	}
	var mu sync.Mutex
	var last *engineio.ConnectionError
	cfg := fixture()
	cfg.PinAddress = true
	cfg.ClientAddr = func(r *http.Request) string { return r.Header.Get("X-Addr") }
	cfg.GenerateID = func(r *http.Request) (string, error) {
		if r.URL.Query().Has("noid") {
			return "", errors.New("none left")
		}
		return fmt.Sprint("id", time.Now().UnixNano()), nil
	}
	cfg.OnConnectionError = func(e *engineio.ConnectionError) {
		mu.Lock()
		defer mu.Unlock()
		if e.Request == nil {
			t.Error("no request")
		}
		delete(e.Context, "error") // has a text of its own
		last = e
	}
	cfg.PingInterval = time.Minute
	s := eiotest.Start(t, cfg, new(echoing))
	p, _ := s.Poll()
	ws, open := s.WS()
	for _, c := range []struct {
		name, method, query string
		header              []string
		upgrade             bool
		want                seen
	}{
		{name: "transport", query: "transport=abc", want: seen{0, "Transport unknown", map[string]any{"transport": "abc"}}},
		{name: "sid", query: "EIO=4&transport=polling&sid=zzz", want: seen{1, "Session ID unknown", map[string]any{"sid": "zzz"}}},
		{name: "method", method: "POST", query: "EIO=4&transport=polling", want: seen{2, "Bad handshake method", map[string]any{"method": "POST"}}},
		{name: "not a WebSocket", query: "EIO=4&transport=websocket", want: seen{3, "Bad request", map[string]any{"name": "TRANSPORT_HANDSHAKE_ERROR"}}},
		{name: "mismatch", query: "EIO=4&transport=polling&sid=" + eiotest.SID(t, open),
			want: seen{3, "Bad request", map[string]any{"name": "TRANSPORT_MISMATCH", "transport": "polling", "previousTransport": "websocket"}}},
		{name: "D1 revision", query: "EIO=3&transport=polling&sid=" + p.SID,
			want: seen{3, "Bad request", map[string]any{"name": "PROTOCOL_MISMATCH", "protocol": 3, "previousProtocol": 4}}},
		{name: "id", query: "EIO=4&transport=polling&noid=1", want: seen{3, "Bad request", map[string]any{"name": "ID_GENERATION_ERROR"}}},
		{name: "address", query: "EIO=4&transport=polling&sid=" + p.SID, header: []string{"X-Addr", "elsewhere"},
			want: seen{3, "Bad request", map[string]any{"name": "ADDRESS_MISMATCH"}}},
		{name: "forbidden", query: "EIO=4&transport=polling&deny=no", want: seen{4, "no", map[string]any{"message": "no"}}},
		{name: "origin", query: "EIO=4&transport=websocket", upgrade: true, header: []string{"Origin", "https://evil.example"},
			want: seen{4, "Forbidden", map[string]any{"origin": "https://evil.example", "host": s.Addr}}},
		{name: "version", query: "EIO=3&transport=polling", want: seen{5, "Unsupported protocol version", map[string]any{"protocol": 3}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			status := 0
			if c.upgrade {
				_, r := s.Upgrade(c.query, c.header...)
				status = r.StatusCode
			} else {
				method := "GET"
				if c.method != "" {
					method = c.method
				}
				status = s.Do(method, s.URL(c.query), "", c.header...).Status
			}
			want := http.StatusBadRequest
			if c.want.Code == engineio.Forbidden {
				want = http.StatusForbidden
			}
			if status != want {
				t.Errorf("status %d", status)
			}
			mu.Lock()
			defer mu.Unlock()
			if last == nil {
				t.Fatal("nobody was told")
			}
			if d := cmp.Diff(c.want, seen{last.Code, last.Message, last.Context}); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
			last = nil
		})
	}
	ws.Conn.Close()
}

func TestHandshakeOptions(t *testing.T) {
	start := func(t *testing.T, set func(*engineio.Config)) *eiotest.Server {
		cfg := fixture()
		set(&cfg)
		return eiotest.Start(t, cfg, new(echoing))
	}
	t.Run("CORS", func(t *testing.T) {
		s := start(t, func(c *engineio.Config) { c.CORS = &cors.Options{AllowedOrigins: []string{"*"}} })
		a := s.Do("OPTIONS", s.URL("EIO=4&transport=polling"), "", "Origin", "http://example.com", "Access-Control-Request-Method", "POST")
		if a.Status != 204 {
			t.Errorf("E-HS-14: %d", a.Status)
		}
		checkHeader(t, a.Header, map[string]string{"Access-Control-Allow-Origin": "*"})
		a = s.Do("GET", s.URL("EIO=4&transport=polling"), "", "Origin", "http://example.com")
		checkHeader(t, a.Header, map[string]string{"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Credentials": ""}) // E-HS-40
		a = s.Do("GET", s.URL("transport=abc"), "", "Origin", "http://example.com")
		checkHeader(t, a.Header, map[string]string{"Access-Control-Allow-Origin": "*"}) // E-HS-39
		if ws, _ := s.Upgrade("EIO=4&transport=websocket", "Origin", "http://example.com"); ws == nil {
			t.Error("E-WS-35: refused")
		} else {
			checkHeader(t, ws.Header, map[string]string{"Access-Control-Allow-Origin": "*"})
		}
	})
	t.Run("E-HS-42 cookie", func(t *testing.T) {
		s := start(t, func(c *engineio.Config) { c.Cookie = &http.Cookie{} })
		p, a := s.Poll()
		if got := a.Header.Get("Set-Cookie"); got != "io="+p.SID+"; Path=/; HttpOnly; SameSite=Lax" {
			t.Error(got)
		}
		if got := p.Post("4x").Header.Get("Set-Cookie"); got != "" {
			t.Error(got)
		}
		ws, open := s.WS()
		if got := ws.Header.Get("Set-Cookie"); !strings.HasPrefix(got, "io="+eiotest.SID(t, open)+";") {
			t.Error(got)
		}
	})
	t.Run("E-HS-44 websocket only", func(t *testing.T) {
		s := start(t, func(c *engineio.Config) { c.Transports = []engineio.Transport{engineio.WebSocket{}} })
		if got := show(s.Do("GET", s.URL("EIO=4&transport=polling"), "")); got != unknownTransport {
			t.Error(got)
		}
	})
	t.Run("E-HS-45,46 polling only", func(t *testing.T) {
		s := start(t, func(c *engineio.Config) { c.Transports = []engineio.Transport{engineio.Polling{}} })
		p, a := s.Poll()
		if got := show(a); got != strings.Replace(opened, `"websocket"`, "", 1) {
			t.Error(got)
		}
		for _, q := range []string{"", "&sid=" + p.SID} { // the second is E-UP-19
			ws, resp := s.Upgrade("EIO=4&transport=websocket" + q)
			if ws != nil || resp.StatusCode != 400 || resp.Header.Get("Content-Type") != "application/json" {
				t.Errorf("%q: %v", q, resp.Header)
			}
		}
	})
	t.Run("E-HS-47 no upgrades", func(t *testing.T) {
		s := start(t, func(c *engineio.Config) { c.NoUpgrades = true })
		p, a := s.Poll()
		if got := show(a); got != strings.Replace(opened, `"websocket"`, "", 1) {
			t.Error(got)
		}
		if ws, _ := s.Upgrade("EIO=4&transport=websocket&sid=" + p.SID); ws != nil {
			t.Error("upgraded all the same")
		}
	})
	t.Run("E-HS-48,49 initial packet", func(t *testing.T) {
		s := start(t, func(c *engineio.Config) { m := engineio.Text("hello"); c.InitialPacket = &m })
		_, a := s.Poll()
		if got := show(a); got != opened+"␞4hello" {
			t.Error(got)
		}
		ws, open := s.WS()
		if got := masked(open) + " , " + ws.Read(); got != openedWS+" , 4hello" {
			t.Error(got)
		}
	})
	t.Run("E-HS-62,63 compression", func(t *testing.T) {
		s := start(t, func(c *engineio.Config) {
			c.PingInterval = time.Minute
			c.Transports = []engineio.Transport{engineio.Polling{CompressionThreshold: 10}}
		})
		p, _ := s.Poll()
		for _, c := range []struct{ accept, want string }{
			{"gzip", "gzip"}, {"deflate", "deflate"}, {"deflate;q=0.5, gzip", "gzip"}, {"br", ""}, {"gzip;q=0", ""}, {"", ""},
		} {
			p.Post("4" + strings.Repeat("a", 200))
			a := p.Get("Accept-Encoding", c.accept)
			if got := a.Header.Get("Content-Encoding"); got != c.want {
				t.Errorf("%q: %q, want %q", c.accept, got, c.want)
			}
			if c.want == "" && len(a.Body) != 201 {
				t.Errorf("%q: %d bytes", c.accept, len(a.Body))
			}
		}
	})
	t.Run("hooks", func(t *testing.T) {
		s := start(t, func(c *engineio.Config) {
			c.InitialHeaders = func(h http.Header, r *http.Request) { h.Set("X-First", r.URL.Query().Get("x")) }
			c.Headers = func(h http.Header, r *http.Request) { h.Set("X-Every", "1") }
			c.Middleware = append(c.Middleware, func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("X-Middleware", "1")
					next.ServeHTTP(w, r)
				})
			})
		})
		p, a := s.Poll("x=7")
		checkHeader(t, a.Header, map[string]string{"X-First": "7", "X-Every": "1", "X-Middleware": "1"})
		checkHeader(t, p.Post("4x").Header, map[string]string{"X-First": "", "X-Every": "1", "X-Middleware": "1"})
		ws, _ := s.WS("x=8")
		checkHeader(t, ws.Header, map[string]string{"X-First": "8", "X-Every": "1", "X-Middleware": "1"})
	})
	t.Run("ids", func(t *testing.T) {
		s := start(t, func(c *engineio.Config) {
			c.GenerateID = func(r *http.Request) (string, error) {
				if id := r.URL.Query().Get("id"); id != "" {
					return id, nil
				}
				return "", errors.New("no id")
			}
		})
		if p, _ := s.Poll("id=mine"); p.SID != "mine" {
			t.Errorf("sid %q", p.SID)
		}
		for _, q := range []string{"&id=mine", ""} { // in use; an error
			if got := show(s.Do("GET", s.URL("EIO=4&transport=polling"+q), "")); got != badRequest {
				t.Errorf("%q: %s", q, got)
			}
		}
		if n := s.Len(); n != 1 {
			t.Errorf("%d sessions", n)
		}
	})
}
