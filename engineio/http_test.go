package engineio_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/engineio/internal/eiotest"
)

// mount runs a server below a handler of the test's.
func mount(t *testing.T, cfg engineio.Config, wrap func(http.Handler) http.Handler) (*engineio.Server, *httptest.Server) {
	t.Helper()
	srv, err := engineio.NewServer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Handle(eiotest.Handler{OnMessage: eiotest.Echo}); err != nil {
		t.Fatal(err)
	}
	hs := httptest.NewUnstartedServer(wrap(srv))
	hs.EnableHTTP2 = true
	t.Cleanup(func() {
		_ = srv.Close()
		if err := srv.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		hs.Close()
	})
	return srv, hs
}

func plainly(h http.Handler) http.Handler { return h }

// fetch sends a request and returns status and body.
func fetch(t *testing.T, c *http.Client, method, url, body string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(b)
}

// talk polls, posts, and echoes over WebSocket at a base URL.
func talk(t *testing.T, c *http.Client, d *websocket.Dialer, base string) {
	t.Helper()
	q := base + "?EIO=4&transport=polling"
	_, open := fetch(t, c, "GET", q, "")
	q += "&sid=" + eiotest.SID(t, open)
	_, ok := fetch(t, c, "POST", q, "4hello")
	_, echo := fetch(t, c, "GET", q, "")
	if ok != "ok" || echo != "4hello" {
		t.Errorf("polling: %q %q", ok, echo)
	}
	ws, _, err := d.DialContext(t.Context(), strings.Replace(base, "http", "ws", 1)+"?"+wsQuery, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ws.Close()
	big := bytes.Repeat([]byte("x"), 200_000)
	for _, m := range []string{"", "4hello", "4" + string(big)} {
		if m != "" {
			if err := ws.WriteMessage(websocket.TextMessage, []byte(m)); err != nil {
				t.Fatal(err)
			}
		}
		if _, got, err := ws.ReadMessage(); err != nil || m != "" && string(got) != m {
			t.Errorf("websocket: %.40q %v", got, err)
		}
	}
}

func TestTLS(t *testing.T) {
	_, hs := mount(t, engineio.Config{}, plainly)
	hs.StartTLS()
	d := &websocket.Dialer{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	talk(t, hs.Client(), d, hs.URL+"/engine.io/")
	if resp, _ := fetch(t, hs.Client(), "GET", hs.URL+"?EIO=4&transport=polling", ""); resp.ProtoMajor != 2 {
		t.Errorf("polling over %s", resp.Proto)
	}
}

// TestHTTP2Polls: a poll waits, is answered, and its abort is noticed.
func TestHTTP2Polls(t *testing.T) {
	srv, hs := mount(t, engineio.Config{}, plainly)
	hs.StartTLS()
	_, open := fetch(t, hs.Client(), "GET", hs.URL+"?EIO=4&transport=polling", "")
	sid := eiotest.SID(t, open)
	ss, _ := srv.Session(sid)
	q := hs.URL + "?EIO=4&transport=polling&sid=" + sid
	got := make(chan string, 1)
	go func() {
		_, body := fetch(t, hs.Client(), "GET", q, "")
		got <- body
	}()
	eiotest.Until(t, "poll pending", ss.Writable)
	_ = ss.Send(engineio.Text("later"))
	if body := eiotest.Wait(t, got); body != "4later" {
		t.Error(body)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		r, _ := http.NewRequestWithContext(ctx, "GET", q, nil)
		if resp, err := hs.Client().Do(r); err == nil {
			resp.Body.Close()
		}
	}()
	eiotest.Until(t, "poll pending", ss.Writable)
	cancel()
	eiotest.Wait(t, ss.Context().Done())
}

func TestMountedBelow(t *testing.T) {
	for name, wrap := range map[string]func(http.Handler) http.Handler{
		"a mux": func(h http.Handler) http.Handler {
			mux := http.NewServeMux()
			mux.Handle("/some/where/", h)
			return mux
		},
		"StripPrefix": func(h http.Handler) http.Handler { return http.StripPrefix("/some", h) },
		"a writer that only unwraps": func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(unwrapper{w}, r) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, hs := mount(t, engineio.Config{}, wrap)
			hs.Start()
			talk(t, hs.Client(), websocket.DefaultDialer, hs.URL+"/some/where/")
		})
	}
}

// unwrapper is a middleware's ResponseWriter that offers the least it may.
type unwrapper struct{ w http.ResponseWriter }

func (u unwrapper) Header() http.Header         { return u.w.Header() }
func (u unwrapper) Write(b []byte) (int, error) { return u.w.Write(b) }
func (u unwrapper) WriteHeader(code int)        { u.w.WriteHeader(code) }
func (u unwrapper) Unwrap() http.ResponseWriter { return u.w }

// TestTimeoutHandler: nothing works below it, and the errors say why.
func TestTimeoutHandler(t *testing.T) {
	errs := make(chan error, 1)
	srv, hs := mount(t, engineio.Config{OnConnectionError: func(e *engineio.ConnectionError) { errs <- e }},
		func(h http.Handler) http.Handler { return http.TimeoutHandler(h, 100*time.Millisecond, "too late") })
	hs.Start()
	if ws, resp, err := websocket.DefaultDialer.DialContext(t.Context(), strings.Replace(hs.URL, "http", "ws", 1)+"?"+wsQuery, nil); err == nil || resp.StatusCode != 400 {
		ws.Close()
		t.Error("WebSocket below a TimeoutHandler")
	}
	if err := eiotest.Wait(t, errs); !strings.Contains(err.Error(), "http.TimeoutHandler") {
		t.Error(err)
	}
	_, open := fetch(t, hs.Client(), "GET", hs.URL+"?EIO=4&transport=polling", "")
	sid := eiotest.SID(t, open)
	ss, _ := srv.Session(sid)
	ctx := ss.Context()
	resp, _ := fetch(t, hs.Client(), "GET", hs.URL+"?EIO=4&transport=polling&sid="+sid, "")
	eiotest.Wait(t, ctx.Done())
	if err := fmt.Sprint(context.Cause(ctx)); resp.StatusCode != 503 || !strings.Contains(err, "request's context ended: context deadline exceeded") {
		t.Error(resp.Status, err)
	}
}

func TestNoHandler(t *testing.T) {
	srv, err := engineio.NewServer(engineio.Config{})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	srv.ServeHTTP(w, httptest.NewRequest("GET", "/?EIO=4&transport=polling", nil))
	if w.Code != 503 {
		t.Error(w.Code)
	}
	if srv.Handle(nil) == nil || srv.Handle(eiotest.Handler{}) != nil || srv.Handle(eiotest.Handler{}) == nil {
		t.Error("Handle takes one handler, once")
	}
}

func TestConfigErrors(t *testing.T) {
	for name, cfg := range map[string]engineio.Config{
		"path":       {Path: "engine.io"},
		"interval":   {PingInterval: -1},
		"timeout":    {PingTimeout: time.Microsecond},
		"payload":    {MaxPayload: -1},
		"no limit":   {MaxPayload: math.MaxInt64}, // 4 and 2 times that must not overflow
		"never":      {PingInterval: math.MaxInt64},
		"timers":     {PingTimeout: 13 * 24 * time.Hour}, // JavaScript's end at 24.8 days
		"upgrade":    {UpgradeTimeout: math.MaxInt64},
		"outbox":     {Limits: engineio.Limits{Outbox: -1}},
		"cookie":     {Cookie: &http.Cookie{Name: "a b"}},
		"transports": {Transports: []engineio.Transport{}},
		"twice":      {Transports: []engineio.Transport{engineio.Polling{}, engineio.Polling{}}},
		"nil":        {Transports: []engineio.Transport{nil}},
	} {
		if _, err := engineio.NewServer(cfg); err == nil || !strings.HasPrefix(err.Error(), "engineio: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
