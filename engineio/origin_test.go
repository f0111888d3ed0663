package engineio_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/rs/cors"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/engineio/internal/eiotest"
)

func TestOrigin(t *testing.T) {
	var log bytes.Buffer
	var errs []*engineio.ConnectionError
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	plain := engineio.Config{
		Logger:            slog.New(slog.NewTextHandler(&log, nil)),
		OnConnectionError: func(e *engineio.ConnectionError) { errs = append(errs, e) },
	}
	listed, proxied := plain, plain
	listed.CORS = &cors.Options{AllowedOrigins: []string{"https://good.example"}, AllowCredentials: true}
	proxied.TrustedProxies = loopback
	for _, c := range []struct {
		name   string
		cfg    engineio.Config
		header []string
		ok     bool
	}{
		{"no origin", plain, nil, true},
		{"same origin", plain, []string{"Origin", "http://HOST"}, true},
		{"other port", plain, []string{"Origin", "http://127.0.0.1:1"}, false},
		{"other host", plain, []string{"Origin", "http://evil.example"}, false},
		{"null", plain, []string{"Origin", "null"}, false},
		{"host as user", plain, []string{"Origin", "http://HOST@evil.example"}, false},
		{"listed", listed, []string{"Origin", "https://good.example"}, true},
		{"not listed", listed, []string{"Origin", "http://HOST"}, false},
		{"forwarded host of a stranger", plain, []string{"Origin", "https://app.example", "X-Forwarded-Host", "app.example"}, false},
		{"forwarded host of a proxy", proxied, []string{"Origin", "https://app.example", "X-Forwarded-Host", "app.example"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := eiotest.Start(t, c.cfg, eiotest.Handler{})
			for i := range c.header {
				c.header[i] = strings.ReplaceAll(c.header[i], "HOST", s.Addr)
			}
			ws, resp := s.Upgrade("EIO=4&transport=websocket", c.header...)
			if (ws != nil) != c.ok {
				t.Fatal(resp.Status)
			}
			if !c.ok && resp.StatusCode != 403 {
				t.Error(resp.Status)
			}
			// Polling needs no such check: the page could not read the answer.
			a := s.Do("GET", s.URL("EIO=4&transport=polling"), "", c.header...)
			if got := a.Header.Get("Access-Control-Allow-Origin"); a.Status != 200 || (got != "") != (c.name == "listed") {
				t.Errorf("polling: %d, allowed %q", a.Status, got)
			}
		})
	}
	for _, e := range errs {
		if e.Code != engineio.Forbidden || e.Context["origin"] == nil || e.Context["host"] == nil {
			t.Errorf("%+v", e)
		}
	}
	t.Run("one warning an origin", func(t *testing.T) {
		log.Reset()
		s := eiotest.Start(t, plain, eiotest.Handler{})
		for range 3 {
			s.Upgrade("EIO=4&transport=websocket", "Origin", "http://evil.example")
		}
		if n := strings.Count(log.String(), "Config.CORS"); n != 1 || !strings.Contains(log.String(), "evil.example") {
			t.Errorf("%d warnings: %s", n, log.String())
		}
	})
	t.Run("one warning an origin that polls", func(t *testing.T) {
		log.Reset()
		s := eiotest.Start(t, plain, eiotest.Handler{})
		for range 3 {
			s.Do("GET", s.URL("EIO=4&transport=polling"), "", "Origin", "http://evil.example")
			s.Do("GET", s.URL("EIO=4&transport=polling"), "", "Origin", "http://"+s.Addr)
		}
		if n := strings.Count(log.String(), "Config.CORS"); n != 1 || !strings.Contains(log.String(), "evil.example") {
			t.Errorf("%d warnings: %s", n, log.String())
		}
	})
	t.Run("no warning behind somebody else's CORS", func(t *testing.T) {
		log.Reset()
		srv, err := engineio.NewServer(plain)
		if err != nil {
			t.Fatal(err)
		}
		if err := srv.Handle(silent{}); err != nil {
			t.Fatal(err)
		}
		defer srv.Close()
		r := httptest.NewRequest(http.MethodGet, "/?EIO=4&transport=polling", nil)
		r.Header.Set("Origin", "https://app.example")
		cors.AllowAll().Handler(srv).ServeHTTP(httptest.NewRecorder(), r)
		if log.Len() > 0 {
			t.Error(log.String())
		}
	})
	t.Run("an invalid byte", func(t *testing.T) {
		s := eiotest.Start(t, plain, eiotest.Handler{})
		c := s.Dial()
		fmt.Fprintf(c, "GET /engine.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\nOrigin: a\x01b\r\n\r\n")
		buf := make([]byte, 100)
		n, _ := c.Read(buf)
		if !strings.HasPrefix(string(buf[:n]), "HTTP/1.1 400") {
			t.Errorf("%s", buf[:n])
		}
	})
	t.Run("everybody with credentials", func(t *testing.T) {
		for _, o := range []cors.Options{{AllowCredentials: true}, {AllowedOrigins: []string{"*"}, AllowCredentials: true}, {AllowOriginFunc: func(string) bool { return true }, AllowCredentials: true}} {
			if _, err := engineio.NewServer(engineio.Config{CORS: &o}); err == nil {
				t.Error("accepted")
			}
		}
	})
}

func TestClientAddr(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("10.0.0.0/8")}
	for _, c := range []struct {
		name    string
		proxies []netip.Prefix
		header  []string
		want    string
	}{
		{"direct", nil, nil, "127.0.0.1"},
		{"not trusted", nil, []string{"X-Forwarded-For", "1.2.3.4"}, "127.0.0.1"},
		{"trusted", proxies, []string{"X-Forwarded-For", "1.2.3.4"}, "1.2.3.4"},
		{"a chain", proxies, []string{"X-Forwarded-For", "6.6.6.6, 1.2.3.4, 10.1.1.1"}, "1.2.3.4"},
		{"all trusted", proxies, []string{"X-Forwarded-For", "10.1.1.2, 10.1.1.1"}, "10.1.1.2"},
		{"nonsense", proxies, []string{"X-Forwarded-For", "unknown, 10.1.1.1"}, "10.1.1.1"},
		{"IPv6", proxies, []string{"X-Forwarded-For", "[2001:db8::1]:80"}, "2001:db8::1"},
		{"Forwarded", proxies, []string{"Forwarded", `for="[2001:db8::2]:4711";proto=https, for=10.1.1.1`}, "2001:db8::2"},
		{"both, of one mind", proxies, []string{"Forwarded", "for=1.2.3.4", "X-Forwarded-For", "1.2.3.4"}, "1.2.3.4"},
		// The proxy knows one of the headers; the other is the client's invention.
		{"both, and one is made up", proxies, []string{"Forwarded", "for=6.6.6.6", "X-Forwarded-For", "1.2.3.4"}, "127.0.0.1"},
		{"a hop that names nobody", proxies, []string{"Forwarded", "for=6.6.6.6, proto=https"}, "127.0.0.1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := make(chan string, 1)
			s := eiotest.Start(t, engineio.Config{TrustedProxies: c.proxies}, eiotest.Handler{OnOpen: func(ss *engineio.Session) error {
				got <- ss.Handshake().RemoteAddr
				return nil
			}})
			s.Do("GET", s.URL("EIO=4&transport=polling"), "", c.header...)
			if addr := eiotest.Wait(t, got); addr != c.want {
				t.Errorf("%s, want %s", addr, c.want)
			}
		})
	}
}

func TestPinAddress(t *testing.T) {
	cfg := engineio.Config{PinAddress: true, ClientAddr: func(r *http.Request) string { return r.Header.Get("X-Test") }}
	s := eiotest.Start(t, cfg, eiotest.Handler{OnMessage: eiotest.Echo})
	a := s.Do("GET", s.URL("EIO=4&transport=polling"), "", "X-Test", "a")
	p := s.Attach(eiotest.SID(t, a.Body), "EIO=4")
	if got := show(p.Post("4x", "X-Test", "b")); got != badRequest {
		t.Error(got)
	}
	if ws, _ := s.Upgrade("EIO=4&transport=websocket&sid="+p.SID, "X-Test", "b"); ws != nil {
		t.Error("upgraded from elsewhere")
	}
	if got := show(p.Post("4x", "X-Test", "a")) + " " + show(p.Get("X-Test", "a")); got != "200 ok 200 4x" {
		t.Error(got)
	}
}

// An origin that no browser sends is a mistake of the configuration.
func TestListedOrigins(t *testing.T) {
	for origin, says := range map[string]string{
		"https://app.example":        "",
		"https://app.example:8443":   "",
		"https://*.example":          "",
		"*":                          "",
		"null":                       "",
		"capacitor://localhost":      "",
		"https://app.example/":       `browsers send "https://app.example"`,
		"https://app.example/chat?x": `browsers send "https://app.example"`,
		"app.example":                `as in "https://app.example"`,
		"localhost:3000":             `as in "https://localhost:3000"`,
	} {
		_, err := engineio.NewServer(engineio.Config{CORS: &cors.Options{AllowedOrigins: []string{origin}}})
		if says == "" && err != nil || says != "" && (err == nil || !strings.Contains(err.Error(), says)) {
			t.Errorf("%q: %v, want %q", origin, err, says)
		}
	}
}
