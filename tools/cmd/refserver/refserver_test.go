package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/websocket"
	"go.uber.org/goleak"
)

// patience bounds the waiting for what must happen.
const patience = 10 * time.Second

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// serveFixture starts a fixture with the flags of a command line and returns its URL.
func serveFixture(t *testing.T, args ...string) string {
	t.Helper()
	url, stop := open(t, args...)
	t.Cleanup(stop)
	return url
}

func open(t *testing.T, args ...string) (url string, stop func()) {
	t.Helper()
	f, end := makeFixture(t, args...)
	server := httptest.NewServer(f)
	return server.URL, func() {
		end()
		server.Close()
	}
}

func makeFixture(t *testing.T, args ...string) (f *fixture, end func()) {
	t.Helper()
	f, err := newFixture(parseSettings(flag.NewFlagSet("refserver", flag.PanicOnError), args))
	if err != nil {
		t.Fatal(err)
	}
	return f, func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := f.shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
	}
}

func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	transport := &http.Transport{DisableKeepAlives: true}
	response, err := (&http.Client{Transport: transport}).Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func TestPaths(t *testing.T) {
	url := serveFixture(t, "-quiet")
	for _, c := range []struct {
		path   string
		status int
		body   string // its beginning
	}{
		{"/engine.io", 404, "404"},
		{"/engine.iox/", 404, "404"},
		{"/", 404, "404"},
		{"/socket.io/", 400, `{"code":0`},
		{"/socket.io/?EIO=4&transport=polling", 200, `0{"sid":"`},
		{"/eio-ws/?EIO=4&transport=polling", 400, `{"code":0`},
		{"/eio-init/?EIO=4&transport=polling", 200, `0{"sid":"`},
		{"/eio-v3/?EIO=3&transport=polling", 200, ""},
		{"/engine.io/?EIO=3&transport=polling", 400, `{"code":5`},
		{"/engine.io/?EIO=4&transport=polling&deny=go+away", 403, `{"code":4,"message":"go away"}`},
		{"/debug/goroutines", 200, ""},
	} {
		status, body := get(t, url+c.path)
		if status != c.status || !strings.HasPrefix(body, c.body) {
			t.Errorf("GET %s: %d %q, want %d %q…", c.path, status, body, c.status, c.body)
		}
	}
	_, count := get(t, url+"/debug/goroutines")
	if n, err := strconv.Atoi(strings.TrimSpace(count)); err != nil || n < 1 {
		t.Errorf("goroutines: %q", count)
	}
}

func TestSettings(t *testing.T) {
	url := serveFixture(t, "-ping-interval", "7s", "-ping-timeout", "3s", "-max-payload", "12345", "-transports", "websocket")
	status, body := get(t, url+"/socket.io/?EIO=4&transport=polling")
	if status != 400 || body != `{"code":0,"message":"Transport unknown"}` {
		t.Errorf("polling: %d %s", status, body)
	}
	c := dial(t, url)
	got := read(t, c)
	want := `"upgrades":[],"pingInterval":7000,"pingTimeout":3000,"maxPayload":12345}`
	if !strings.HasSuffix(got, want) {
		t.Errorf("handshake %s, want …%s", got, want)
	}
}

func TestUnknownNames(t *testing.T) {
	for _, s := range []settings{{adapter: "pigeons", transports: "polling"}, {transports: "polling,pigeons"}} {
		_, err := newFixture(s)
		if err == nil || !strings.Contains(err.Error(), `"pigeons"`) {
			t.Errorf("error %v", err)
		}
	}
}

func TestOriginsAreAList(t *testing.T) {
	url := serveFixture(t, "-origins", "http://a.test, http://b.test")
	for origin, want := range map[string]string{"http://a.test": "http://a.test", "http://b.test": "http://b.test", "http://c.test": ""} {
		request := httptest.NewRequest("GET", url+"/engine.io/?EIO=4&transport=polling", nil)
		request.RequestURI = ""
		request.Header.Set("Origin", origin)
		response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if got := response.Header.Get("Access-Control-Allow-Origin"); got != want {
			t.Errorf("origin %s: allowed %q, want %q", origin, got, want)
		}
	}
}

// TestArgumentsThatAreMissing checks that they are null, as in JavaScript, and cost no
// socket.
func TestArgumentsThatAreMissing(t *testing.T) {
	c := dial(t, serveFixture(t, "-ping-interval", "1h"))
	read(t, c)
	deep := strings.Repeat("[", 999) + strings.Repeat("]", 999)
	for _, step := range []struct{ send, want string }{
		{`40`, `40{`},
		{``, `42["auth",{}]`},
		{`42["x:mark"]`, ``},
		{`42["x:mark",` + deep + `]`, ``},
		{`421["x:marks"]`, `431[[null,` + deep + `]]`},
		{`42["bcast"]`, ``},
		{`422["broadcast-ack",60000]`, `420["need-ack"]`},
		{`430[]`, `432[null,[null]]`},
	} {
		if step.send != "" {
			if err := c.WriteMessage(websocket.TextMessage, []byte(step.send)); err != nil {
				t.Fatal(err)
			}
		}
		if step.want == "" {
			continue
		}
		if got := read(t, c); !strings.HasPrefix(got, step.want) {
			t.Fatalf("%.100s is answered with %.100s, want %.100s", step.send, got, step.want)
		}
	}
}

func TestCommandsAreWholeMessages(t *testing.T) {
	c, response, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(serveFixture(t, "-ping-interval", "1h"), "http")+"/eio-cmd/?EIO=4&transport=websocket", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	response.Body.Close()
	read(t, c)
	for _, step := range []struct{ send, want string }{
		{"4close the door", "4close the door"}, {"4mixed feelings", "4mixed feelings"}, {"4burst out", "4burst out"}, {"4burst", "4burst"}, {"4burst 1", "4b0"},
	} {
		if err := c.WriteMessage(websocket.TextMessage, []byte(step.send)); err != nil {
			t.Fatal(err)
		}
		if got := read(t, c); got != step.want {
			t.Errorf("%s is answered with %s, want %s", step.send, got, step.want)
		}
	}
}

// TestLoad checks that nothing is sent at connection with -load.
func TestLoad(t *testing.T) {
	url := serveFixture(t, "-load")
	c := dial(t, url)
	if got := read(t, c); !strings.Contains(got, `"pingInterval":25000,"pingTimeout":20000`) {
		t.Errorf("handshake %s", got)
	}
	var got []string
	for _, packet := range []string{"40", `42["echo",1,{"a":18446744073709551615}]`, `427["ack","x"]`, `428["join","r"]`, `42["bcast","r",{"p":1}]`, `429["leave","r"]`} {
		if err := c.WriteMessage(websocket.TextMessage, []byte(packet)); err != nil {
			t.Fatal(err)
		}
		answer := read(t, c)
		if strings.HasPrefix(answer, "40") {
			answer = answer[:2]
		}
		got = append(got, answer)
	}
	want := []string{"40", `42["echo",1,{"a":18446744073709551615}]`, `437["x"]`, "438[2]", `42["msg",{"p":1}]`, "439[1]"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
}

// TestIdleConnection counts the goroutines of WebSocket clients that have
// joined a namespace: one each, its reader, and none that net/http keeps.
func TestIdleConnection(t *testing.T) {
	const clients = 50
	url := serveFixture(t, "-load")
	for range clients {
		c := dial(t, url)
		read(t, c)
		if err := c.WriteMessage(websocket.TextMessage, []byte("40")); err != nil {
			t.Fatal(err)
		}
		read(t, c)
	}
	waitFor(t, func() error {
		ours, http := createdBy("github.com/siokit/siokit/"), createdBy("net/http.(*Server).Serve")
		if ours != clients || http != 0 {
			return fmt.Errorf("%d clients cost %d goroutines of ours and %d of net/http", clients, ours, http)
		}
		return nil
	})
}

// createdBy counts the goroutines that functions with this prefix have started.
func createdBy(prefix string) int {
	buf := make([]byte, 1<<20)
	return strings.Count(string(buf[:runtime.Stack(buf, true)]), "created by "+prefix)
}

// TestStartAndStop ends servers with clients in every state; goleak checks what
// is left.
func TestStartAndStop(t *testing.T) {
	before := runtime.NumGoroutine()
	for i := range 100 {
		url, stop := open(t, "-quiet")
		get(t, url+"/socket.io/?EIO=4&transport=polling")
		c := dial(t, url)
		if i%2 == 0 {
			c.WriteMessage(websocket.TextMessage, []byte("40"))
			c.WriteMessage(websocket.TextMessage, []byte("40/custom,"))
		}
		left := make(chan struct{})
		switch {
		case i == 0: // never reads: the server waits a while for its close frame
			close(left)
		case i%5 == 0:
			c.Close()
			close(left)
		default:
			go func() { // ends with the connection
				defer close(left)
				for {
					if _, _, err := c.ReadMessage(); err != nil {
						c.Close()
						return
					}
				}
			}()
		}
		stop()
		<-left
	}
	waitFor(t, func() error {
		if got := runtime.NumGoroutine(); got > before {
			return fmt.Errorf("%d goroutines, %d before", got, before)
		}
		return nil
	})
}

// TestRunEndsInOrder runs the whole command as SIGTERM would end it.
func TestRunEndsInOrder(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := parseSettings(flag.NewFlagSet("refserver", flag.PanicOnError), []string{"-addr", "127.0.0.1:0", "-pprof", "127.0.0.1:0"})
	if err := run(ctx, s); err != nil && !errors.Is(err, http.ErrServerClosed) {
		t.Error(err)
	}
	s.addr = "127.0.0.1:no-port"
	if err := run(t.Context(), s); err == nil {
		t.Error("no error for an address that is none")
	}
}

// TestHalfRequestAtTheEnd: a connection on which no whole request has come, as
// browsers open them in advance, is no reason to fail.
func TestHalfRequestAtTheEnd(t *testing.T) {
	for _, sent := range []string{"", "GET /socket.io/"} {
		stop, addr, err := serve("127.0.0.1:0", http.NotFoundHandler(), func(err error) { t.Error(err) })
		if err != nil {
			t.Fatal(err)
		}
		c, err := net.Dial("tcp", addr.String())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(c, sent)
		<-time.After(20 * time.Millisecond) // until it is accepted
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		if err := stop(ctx); err != nil {
			t.Errorf("after %q: %v", sent, err)
		}
		cancel()
		_ = c.Close()
	}
}

// dial connects a WebSocket that is closed at the end of the test.
func dial(t *testing.T, url string) *websocket.Conn {
	t.Helper()
	url = strings.Replace(url, "http:", "ws:", 1) + "/socket.io/?EIO=4&transport=websocket"
	c, response, err := websocket.DefaultDialer.Dial(url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	t.Cleanup(func() { c.Close() })
	return c
}

func read(t *testing.T, c *websocket.Conn) string {
	t.Helper()
	c.SetReadDeadline(time.Now().Add(patience))
	_, data, err := c.ReadMessage()
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// waitFor calls check until it has no complaint.
func waitFor(t *testing.T, check func() error) {
	t.Helper()
	deadline := time.After(patience)
	for {
		err := check()
		if err == nil {
			return
		}
		select {
		case <-deadline:
			buf := make([]byte, 1<<16)
			t.Fatalf("%v\n%s", err, buf[:runtime.Stack(buf, true)])
		case <-time.After(5 * time.Millisecond):
		}
	}
}
