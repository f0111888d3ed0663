package transporttest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/engineio"
)

// Client is one client's connection over the transport under test.
type Client interface {
	// Send hands one packet to the connection.
	Send(p eioparser.Packet) error

	// Receive returns the next packet of the server and blocks until there is one.
	// After the end of the connection it returns an error. It is not called while
	// another call is in progress.
	Receive() (eioparser.Packet, error)

	// Close breaks the connection off, without a word to the server. It unblocks
	// Receive.
	Close() error
}

// Subject is what Run needs to know of a transport.
type Subject struct {
	// Transport is the one under test.
	Transport engineio.Transport

	// Serve makes srv reachable over the transport until the test ends, and
	// returns the address for Dial. nil: an HTTP server on a free port of
	// 127.0.0.1, whose host and port are the address.
	Serve func(t testing.TB, srv *engineio.Server) (addr string)

	// Dial connects to a server. query holds EIO, transport and, for an upgrade,
	// sid, to be passed on in whatever place the transport has for it.
	Dial func(ctx context.Context, addr, query string) (Client, error)

	// Unpushed says that a server cannot end a client's connection from its side:
	// the client learns of the end when it asks, as in long-polling.
	Unpushed bool

	// Patience is how long Run waits for what must come. 0 means 10 s.
	Patience time.Duration
}

// writing is Config.PingTimeout, and so Port.WriteTimeout, where it matters.
const writing = 500 * time.Millisecond

// bench is a server with the transport, and what its handler saw.
type bench struct {
	t    testing.TB
	sub  Subject
	srv  *engineio.Server
	addr string

	mu       sync.Mutex
	sessions []*engineio.Session
	messages chan engineio.Message // text copied
	closes   chan ending
	echo     bool
}

type ending struct {
	why engineio.Reason
	err error
}

// start runs a server. The handler passes on what it gets, and sends it back if
// echo is set.
func (sub Subject) start(t testing.TB, cfg engineio.Config, echo bool) *bench {
	t.Helper()
	if sub.Patience == 0 {
		sub.Patience = 10 * time.Second
	}
	cfg.Transports = append(cfg.Transports, sub.Transport)
	srv, err := engineio.NewServer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, sub: sub, srv: srv, echo: echo, messages: make(chan engineio.Message, 1<<16), closes: make(chan ending, 1<<10)}
	if err := srv.Handle(handler{b}); err != nil {
		t.Fatal(err)
	}
	before := runtime.NumGoroutine()
	t.Cleanup(func() { b.settle(before) })
	if sub.Serve != nil {
		b.addr = sub.Serve(t, srv)
	} else {
		hs := httptest.NewServer(http.Handler(srv))
		t.Cleanup(hs.Close)
		b.addr = hs.Listener.Addr().String()
	}
	t.Cleanup(b.stop)
	return b
}

// stop shuts the server down, which must not take long.
func (b *bench) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), b.sub.Patience)
	defer cancel()
	_ = b.srv.Close()
	if err := b.srv.Shutdown(ctx); err != nil {
		b.t.Errorf("Server.Shutdown waits for a goroutine of the transport that does not end after Link.Close: %v", err)
	}
}

// settle fails if there are more goroutines than before the server.
func (b *bench) settle(before int) {
	deadline := time.Now().Add(b.sub.Patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for runtime.NumGoroutine() > before {
		if time.Now().After(deadline) {
			buf := make([]byte, 1<<16)
			b.t.Errorf("%d goroutines more than before:\n%s", runtime.NumGoroutine()-before, buf[:runtime.Stack(buf, true)])
			return
		}
		<-tick.C
	}
}

// handler is the application of a bench.
type handler struct{ *bench }

func (h handler) Open(s *engineio.Session) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sessions = append(h.sessions, s)
	return nil
}

func (h handler) Message(s *engineio.Session, m engineio.Message) {
	m.Data = append([]byte(nil), m.Data...)
	h.messages <- m
	if h.echo {
		_ = s.Send(m) // a session that is over needs no echo
	}
}

func (h handler) Close(_ *engineio.Session, why engineio.Reason, err error) {
	h.closes <- ending{why, err}
}

// dial begins a session, reads its open packet, and returns both ends.
func (b *bench) dial() (*peer, *engineio.Session) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), b.sub.Patience)
	defer cancel()
	c, err := b.sub.Dial(ctx, b.addr, "EIO=4&transport="+b.sub.Transport.Name())
	if err != nil {
		b.t.Fatalf("dial: %v", err)
	}
	p := &peer{b: b, Client: c}
	b.t.Cleanup(func() { _ = c.Close() })
	open := p.receive()
	if open.Type != eioparser.Open {
		b.t.Fatalf("the first packet is %v %q, want the open packet", open.Type, open.Data)
	}
	h, err := eioparser.ParseHandshake(open.Data)
	if err != nil {
		b.t.Fatalf("open packet: %v", err)
	}
	s, ok := b.srv.Session(h.SID)
	if !ok {
		b.t.Fatalf("the server has no session %q", h.SID)
	}
	return p, s
}

// peer is a client that a test reads from.
type peer struct {
	Client
	b *bench
}

// receive returns the next packet that is neither a ping, which it answers, nor
// a noop.
func (p *peer) receive() eioparser.Packet {
	p.b.t.Helper()
	pkt, err := p.next()
	if err != nil {
		p.b.t.Fatalf("receive: %v", err)
	}
	return pkt
}

// next is receive that returns errors. It gives up in time, which fails the
// test.
func (p *peer) next() (eioparser.Packet, error) {
	timer := time.AfterFunc(p.b.sub.Patience, func() {
		p.b.t.Errorf("nothing came to the client within %v, nor the end of its connection", p.b.sub.Patience)
		_ = p.Client.Close()
	})
	defer timer.Stop()
	for {
		pkt, err := p.Client.Receive()
		switch {
		case err != nil:
			return pkt, err
		case pkt.Type == eioparser.Ping:
			if err := p.Client.Send(eioparser.Packet{Type: eioparser.Pong}); err != nil {
				return pkt, err
			}
		case pkt.Type != eioparser.Noop:
			return pkt, nil
		}
	}
}

// send sends a message.
func (p *peer) send(m engineio.Message) {
	p.b.t.Helper()
	if err := p.Client.Send(eioparser.Packet{Type: eioparser.Message, Binary: m.Binary, Data: m.Data}); err != nil {
		p.b.t.Fatalf("send: %v", err)
	}
}

// await returns what comes out of c, or fails the test with what was missing.
func await[T any](b *bench, c <-chan T, what string) T {
	b.t.Helper()
	timer := time.NewTimer(b.sub.Patience)
	defer timer.Stop()
	select {
	case v := <-c:
		return v
	case <-timer.C:
		b.t.Fatalf("%s: not within %v", what, b.sub.Patience)
		panic("unreachable")
	}
}
