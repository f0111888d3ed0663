package sse_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/engineio/client"
	"github.com/siokit/siokit/engineio/examples/sse"
)

// echo is the application of the server.
type echo struct{ ends chan engineio.Reason }

func (echo) Open(*engineio.Session) error                              { return nil }
func (echo) Message(s *engineio.Session, m engineio.Message)           { _ = s.Send(m) }
func (e echo) Close(_ *engineio.Session, why engineio.Reason, _ error) { e.ends <- why }

// user is the application of the client.
type user struct{ messages chan string }

func (user) Open(*client.Session)                                {}
func (u user) Message(_ *client.Session, m engineio.Message)     { u.messages <- string(m.Data) }
func (user) Close(_ *client.Session, _ engineio.Reason, _ error) {}

// start runs an echo server until the test ends.
func start(t *testing.T, cfg engineio.Config) (url string, app echo) {
	t.Helper()
	cfg.Transports = []engineio.Transport{sse.Transport{}}
	srv, err := engineio.NewServer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	app = echo{make(chan engineio.Reason, 10)}
	if err := srv.Handle(app); err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(srv)
	t.Cleanup(web.Close)
	t.Cleanup(func() { _ = srv.Close() })
	return web.URL, app
}

// TestClient: line ends, quotes and the rest of Unicode pass, also in small
// pieces.
func TestClient(t *testing.T) {
	for _, limit := range []int64{200, 0} {
		url, app := start(t, engineio.Config{MaxPayload: limit})
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		u := user{make(chan string, 100)}
		s, err := client.Dial(ctx, url, u, client.Config{Transports: []client.Transport{sse.Client{}}})
		if err != nil {
			t.Fatal(err)
		}
		var sent []engineio.Message
		for range 20 {
			for _, text := range []string{"", "hello", "a\nb\r\nc\rd", `"\u0041\`, "é€😀\u2028\x00\x1f"} {
				sent = append(sent, engineio.Text(text))
			}
		}
		if err := s.Send(sent...); err != nil {
			t.Fatal(err)
		}
		for i, want := range sent {
			if got := <-u.messages; got != string(want.Data) {
				t.Fatalf("message %d is %q, want %q", i, got, want.Data)
			}
		}
		s.Close()
		<-s.Done()
		if why := <-app.ends; why != engineio.TransportClose {
			t.Errorf("the server: %s", why)
		}
	}
}

// TestByHand is what the README does with curl.
func TestByHand(t *testing.T) {
	url, app := start(t, engineio.Config{})
	resp, err := http.Get(url + "/?EIO=4&transport=sse")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if kind := resp.Header.Get("Content-Type"); kind != "text/event-stream" {
		t.Errorf("content type %q", kind)
	}
	events := bufio.NewReader(resp.Body)
	open, err := events.ReadString('\n')
	_, rest, ok := strings.Cut(open, `data: "0{\"sid\":\"`)
	sid, _, ok2 := strings.Cut(rest, `\"`)
	if err != nil || !ok || !ok2 {
		t.Fatalf("%q, %v", open, err)
	}
	post := func(body string) int {
		t.Helper()
		resp, err := http.Post(url+"/?EIO=4&transport=sse&sid="+sid, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	if status := post(`"4hello" "bAQID"`); status != http.StatusNoContent {
		t.Errorf("POST: %d", status)
	}
	for _, want := range []string{"\n", "data: \"4hello\"\n", "\n", "data: \"bAQID\"\n", "\n"} {
		if got, err := events.ReadString('\n'); got != want {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
	if resp, err := http.Get(url + "/?EIO=4&transport=sse&sid=" + sid); err != nil || resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("a second GET: %v, %v", resp, err)
	} else {
		_ = resp.Body.Close()
	}
	if status := post(`"1"`); status != http.StatusNoContent {
		t.Errorf("goodbye: %d", status)
	}
	if rest, err := io.ReadAll(events); len(rest) > 0 || err != nil {
		t.Errorf("after the goodbye: %q, %v", rest, err)
	}
	if why := <-app.ends; why != engineio.TransportClose {
		t.Errorf("the server: %s", why)
	}
}

// TestNotStrings: a body that is something else ends the session.
func TestNotStrings(t *testing.T) {
	for _, body := range []string{`4hello`, `{"a":1}`, `"4a`, `"9"`, `""`, `12`} {
		url, app := start(t, engineio.Config{})
		resp, err := http.Get(url + "/?EIO=4&transport=sse")
		if err != nil {
			t.Fatal(err)
		}
		open, err := bufio.NewReader(resp.Body).ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(open, `sid\":\"`)
		sid, _, _ := strings.Cut(rest, `\"`)
		answer, err := http.Post(url+"/?EIO=4&transport=sse&sid="+sid, "", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if why := <-app.ends; why != engineio.ParseError && body != `"4a` {
			t.Errorf("%s: %s", body, why)
		}
		_ = resp.Body.Close()
	}
}
