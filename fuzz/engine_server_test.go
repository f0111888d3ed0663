package fuzz_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/siokit/siokit/engineio"
)

// engine is a server of package engineio that echoes, and counts what begins
// and ends.
type engine struct {
	srv    *engineio.Server
	addr   string
	dial   func() (net.Conn, error)
	opens  atomic.Int64
	closes atomic.Int64
	got    chan string // messages that came, as kind and text; nil: echo them
}

func (e *engine) Open(*engineio.Session) error { e.opens.Add(1); return nil }

func (e *engine) Message(s *engineio.Session, m engineio.Message) {
	if e.got == nil {
		_ = s.Send(m) // the session may be over
		return
	}
	e.got <- fmt.Sprintf("%t:%s", m.Binary, m.Data)
}

func (e *engine) Close(*engineio.Session, engineio.Reason, error) { e.closes.Add(1) }

// startEngine runs a server until the test ends, on a Unix socket: a fuzz
// target that took a TCP port for each execution would leave none after some
// ten thousand, all of them in TIME_WAIT.
func startEngine(t testing.TB, cfg engineio.Config, got chan string) *engine {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	return serveEngine(t, cfg, got, l, "unix", func() (net.Conn, error) { return net.Dial("unix", path) })
}

// startPipedEngine is startEngine without a network, for simulated time.
func startPipedEngine(t testing.TB, cfg engineio.Config, got chan string) *engine {
	t.Helper()
	l := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
	return serveEngine(t, cfg, got, l, "pipe", l.dial)
}

func serveEngine(t testing.TB, cfg engineio.Config, got chan string, l net.Listener, addr string, dial func() (net.Conn, error)) *engine {
	t.Helper()
	cfg.Logger = slog.New(slog.DiscardHandler)
	srv, err := engineio.NewServer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	e := &engine{srv: srv, got: got}
	if err := srv.Handle(e); err != nil {
		t.Fatal(err)
	}
	e.addr, e.dial = addr, dial
	hs := &http.Server{Handler: srv, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0)}
	served := make(chan error, 1)
	go func() { served <- hs.Serve(l) }()
	t.Cleanup(func() {
		_ = srv.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := srv.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		_ = hs.Close()
		<-served
		if e.opens.Load() != e.closes.Load() {
			t.Errorf("%d sessions opened, %d closed", e.opens.Load(), e.closes.Load())
		}
	})
	return e
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

// patience is longer than a heartbeat takes.
const patience = time.Minute

// request sends one HTTP request on a connection of its own.
func (e *engine) request(method, query, body string) (int, string, error) {
	c, err := e.dial()
	if err != nil {
		return 0, "", err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		return 0, "", err
	}
	fmt.Fprintf(c, "%s /?%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", method, query, len(body), body)
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return 0, "", err
	}
	b, err := io.ReadAll(r.Body)
	return r.StatusCode, string(b), err
}

// handshake begins a long-polling session.
func (e *engine) handshake() (sid string, err error) {
	_, body, err := e.request("GET", "EIO=4&transport=polling", "")
	if err != nil {
		return "", err
	}
	_, rest, _ := strings.Cut(body, `"sid":"`)
	sid, _, ok := strings.Cut(rest, `"`)
	if !ok {
		return "", fmt.Errorf("handshake: %q", body)
	}
	return sid, nil
}

// candidate opens a WebSocket for a session.
func (e *engine) candidate(sid string) (*websocket.Conn, error) {
	d := websocket.Dialer{NetDialContext: func(context.Context, string, string) (net.Conn, error) { return e.dial() }}
	c, _, err := d.Dial("ws://"+e.addr+"/?EIO=4&transport=websocket&sid="+sid, nil)
	return c, err
}
