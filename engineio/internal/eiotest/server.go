// Package eiotest is what the tests of engineio talk to a server with: raw
// requests and raw frames, so that nothing of the server's own code is on both
// sides.
package eiotest

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/siokit/siokit/engineio"
)

// Patience is how long a test waits for what must come.
const Patience = 30 * time.Second

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

// Server is an Engine.IO server, and what a test needs to talk to it.
type Server struct {
	*engineio.Server
	Addr   string // host:port
	t      testing.TB
	http   *http.Server
	dial   func() (net.Conn, error)
	client *http.Client
}

// Start runs a server on a free port, at /engine.io/, until the test ends, and
// then checks that it shuts down. The functions of set may change the HTTP
// server before it starts.
func Start(t testing.TB, cfg engineio.Config, h engineio.Handler, set ...func(*http.Server)) *Server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	return start(t, cfg, h, l, addr, func() (net.Conn, error) { return net.Dial("tcp", addr) }, set...)
}

// StartPipe is Start without a network: for tests in a bubble of
// testing/synctest, whose clock does not move while a network is waited for.
func StartPipe(t testing.TB, cfg engineio.Config, h engineio.Handler, set ...func(*http.Server)) *Server {
	t.Helper()
	l := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
	return start(t, cfg, h, l, "pipe", l.dial, set...)
}

func start(t testing.TB, cfg engineio.Config, h engineio.Handler, l net.Listener, addr string, dial func() (net.Conn, error), set ...func(*http.Server)) *Server {
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
	s := &Server{Server: srv, Addr: addr, t: t, http: &http.Server{Handler: srv}, dial: dial}
	for _, f := range set {
		f(s.http)
	}
	// The client keeps no connections: a test that ends leaves nothing behind.
	s.client = &http.Client{
		Transport: &http.Transport{
			DisableKeepAlives: true, DisableCompression: true,
			DialContext: func(context.Context, string, string) (net.Conn, error) { return dial() },
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	served := make(chan error, 1)
	go func() { served <- s.http.Serve(l) }()
	t.Cleanup(func() {
		s.Stop()
		<-served
	})
	return s
}

// Stop shuts both servers down. Sessions are cut off.
func (s *Server) Stop() {
	s.t.Helper()
	_ = s.Close()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	if err := s.Shutdown(ctx); err != nil {
		s.t.Errorf("shutdown: %v", err)
	}
	_ = s.http.Close()
	if n := s.Len(); n != 0 {
		s.t.Errorf("%d sessions after shutdown", n)
	}
}

// pipes is a listener whose connections are pipes.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.done) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }

func (p *pipes) dial() (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p.conns <- server:
		return client, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

// Answer is an HTTP response.
type Answer struct {
	Status int
	Type   string
	Body   string
	Header http.Header
	Close  bool // the connection is not kept
}

// URL returns an address of the server with a query.
func (s *Server) URL(query string) string { return "http://" + s.Addr + "/engine.io/?" + query }

// Do sends a request and reads the answer. header is a list of names and values.
func (s *Server) Do(method, url, body string, header ...string) Answer {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), Patience)
	defer cancel()
	a, err := s.Request(ctx, method, url, body, header...)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, url, err)
	}
	return a
}

// Request sends a request and reads the answer.
func (s *Server) Request(ctx context.Context, method, url, body string, header ...string) (Answer, error) {
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return Answer{}, err
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := s.client.Do(r)
	if err != nil {
		return Answer{}, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return Answer{resp.StatusCode, resp.Header.Get("Content-Type"), string(b), resp.Header, resp.Close}, err
}

// Poller is a long-polling client.
type Poller struct {
	s     *Server
	SID   string
	query string
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
	return &Poller{s: s, SID: SID(s.t, a.Body), query: "EIO=4"}, a
}

// Attach returns a client of a session that exists, whose requests have query
// beside transport and sid.
func (s *Server) Attach(sid, query string) *Poller {
	return &Poller{s: s, SID: sid, query: query}
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
func (p *Poller) URL() string { return p.s.URL(p.query + "&transport=polling&sid=" + p.SID) }

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
		a, err := p.s.Request(ctx, "GET", p.URL(), "")
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

// Dial opens a connection to the server that is closed with the test.
func (s *Server) Dial() net.Conn {
	s.t.Helper()
	c, err := s.dial()
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { c.Close() })
	return c
}
