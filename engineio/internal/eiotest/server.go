// Package eiotest is what the tests of engineio talk to a server with: raw
// requests and raw frames, so that nothing of the server's own code is on both
// sides.
package eiotest

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/siokit/siokit/engineio"
)

// Patience is how long a test waits for what must come.
const Patience = 10 * time.Second

// Handler is an engineio.Handler made of functions; nil ones do nothing.
type Handler struct {
	OnOpen    func(*engineio.Session) error
	OnMessage func(*engineio.Session, engineio.Message)
	OnClose   func(*engineio.Session, engineio.Reason, error)
}

// Open calls OnOpen.
func (h Handler) Open(s *engineio.Session) error {
	if h.OnOpen == nil {
		return nil
	}
	return h.OnOpen(s)
}

// Message calls OnMessage.
func (h Handler) Message(s *engineio.Session, m engineio.Message) {
	if h.OnMessage != nil {
		h.OnMessage(s, m)
	}
}

// Close calls OnClose.
func (h Handler) Close(s *engineio.Session, why engineio.Reason, err error) {
	if h.OnClose != nil {
		h.OnClose(s, why, err)
	}
}

// Echo sends back what comes.
func Echo(s *engineio.Session, m engineio.Message) { _ = s.Send(m) }

// Server is an Engine.IO server on a free port.
type Server struct {
	*engineio.Server
	HTTP *httptest.Server
	Addr string // host:port
	t    testing.TB
}

// Start runs a server at /engine.io/ until the test ends, and then checks that
// it shuts down.
func Start(t testing.TB, cfg engineio.Config, h engineio.Handler) *Server {
	t.Helper()
	if cfg.Path == "" {
		cfg.Path = "/engine.io/"
	}
	srv, err := engineio.NewServer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Handle(h); err != nil {
		t.Fatal(err)
	}
	hs := httptest.NewServer(srv)
	s := &Server{Server: srv, HTTP: hs, Addr: hs.Listener.Addr().String(), t: t}
	t.Cleanup(s.Stop)
	return s
}

// Stop shuts both servers down.
func (s *Server) Stop() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	if err := s.Shutdown(ctx); err != nil {
		s.t.Errorf("shutdown: %v", err)
	}
	s.HTTP.Close()
	if n := s.Len(); n != 0 {
		s.t.Errorf("%d sessions after shutdown", n)
	}
}

// Answer is an HTTP response.
type Answer struct {
	Status int
	Type   string
	Body   string
	Header http.Header
}

// URL returns an address of the server with a query.
func (s *Server) URL(query string) string { return "http://" + s.Addr + "/engine.io/?" + query }

// Do sends a request and reads the answer. header is a list of names and values.
func (s *Server) Do(method, url, body string, header ...string) Answer {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), Patience)
	defer cancel()
	a, err := Request(ctx, method, url, body, header...)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, url, err)
	}
	return a
}

// Request sends a request and reads the answer.
func Request(ctx context.Context, method, url, body string, header ...string) (Answer, error) {
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return Answer{}, err
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := client.Do(r)
	if err != nil {
		return Answer{}, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return Answer{resp.StatusCode, resp.Header.Get("Content-Type"), string(b), resp.Header}, err
}

// client keeps no connections: a test that ends leaves nothing behind.
var client = &http.Client{
	Transport:     &http.Transport{DisableKeepAlives: true, DisableCompression: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// Poller is a long-polling client.
type Poller struct {
	s   *Server
	SID string
	EIO string
}

// Poll begins a session over long-polling and returns it with the answer to
// the handshake.
func (s *Server) Poll(extra ...string) (*Poller, Answer) {
	s.t.Helper()
	q := "EIO=4&transport=polling"
	for _, e := range extra {
		q += "&" + e
	}
	a := s.Do("GET", s.URL(q), "")
	if a.Status != 200 {
		s.t.Fatalf("handshake: %+v", a)
	}
	return &Poller{s: s, SID: SID(s.t, a.Body), EIO: "4"}, a
}

// SID returns the session id in an open packet.
func SID(t testing.TB, open string) string {
	t.Helper()
	_, rest, ok := strings.Cut(open, `"sid":"`)
	sid, _, ok2 := strings.Cut(rest, `"`)
	if !ok || !ok2 {
		t.Fatalf("no sid in %q", open)
	}
	return sid
}

// URL returns the address of the session's requests.
func (p *Poller) URL() string { return p.s.URL("EIO=" + p.EIO + "&transport=polling&sid=" + p.SID) }

// Get polls once.
func (p *Poller) Get(header ...string) Answer {
	p.s.t.Helper()
	return p.s.Do("GET", p.URL(), "", header...)
}

// Post sends a payload.
func (p *Poller) Post(body string, header ...string) Answer {
	p.s.t.Helper()
	return p.s.Do("POST", p.URL(), body, header...)
}

// Go polls in the background and returns where the answer will be.
func (p *Poller) Go() <-chan Answer {
	c := make(chan Answer, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), Patience)
		defer cancel()
		a, err := Request(ctx, "GET", p.URL(), "")
		if err != nil {
			a.Body = err.Error()
		}
		c <- a
	}()
	return c
}

// Wait returns what comes out of c, or fails the test.
func Wait[T any](t testing.TB, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(Patience):
		t.Fatal("waited in vain")
		panic("unreachable")
	}
}

// Until waits until cond holds.
func Until(t testing.TB, what string, cond func() bool) {
	t.Helper()
	deadline := time.Now().Add(Patience)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !cond() {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
		<-tick.C
	}
}

// Dial opens a TCP connection to the server that is closed with the test.
func (s *Server) Dial() net.Conn {
	s.t.Helper()
	c, err := net.Dial("tcp", s.Addr)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { c.Close() })
	return c
}
