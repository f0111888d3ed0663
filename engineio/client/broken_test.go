package client_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/engineio/client"
	"github.com/siokit/siokit/engineio/internal/eiotest"
)

// script is a transport whose links do what a test says.
type script struct {
	name string
	link *scriptedLink
}

func (s script) Name() string { return s.name }

func (s script) Dial(context.Context, client.Target) (client.Link, error) { return s.link, nil }

// scriptedLink is a server that says what is put into packets.
type scriptedLink struct {
	packets chan eioparser.Packet
	fails   chan error // what Receive returns
	sent    chan eioparser.Packet
	leave   func(context.Context) error
	closed  chan struct{}
	once    sync.Once
}

func newScriptedLink() *scriptedLink {
	return &scriptedLink{make(chan eioparser.Packet, 10), make(chan error, 1), make(chan eioparser.Packet, 10), nil, make(chan struct{}), sync.Once{}}
}

func (l *scriptedLink) Receive() (eioparser.Packet, error) {
	select {
	case p := <-l.packets:
		return p, nil
	case err := <-l.fails:
		return eioparser.Packet{}, err
	case <-l.closed:
		return eioparser.Packet{}, net.ErrClosed
	}
}

func (l *scriptedLink) Send(packets []eioparser.Packet) error {
	for _, p := range packets {
		l.sent <- p
	}
	return nil
}

func (l *scriptedLink) Leave(ctx context.Context) error { return l.leave(ctx) }

func (l *scriptedLink) Close() { l.once.Do(func() { close(l.closed) }) }

// TestOldLinkBreaksDuringTheMove: the session ends at once, and does not wait for
// a link that will never be left.
func TestOldLinkBreaksDuringTheMove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old, next := newScriptedLink(), newScriptedLink()
		old.packets <- eioparser.Packet{Type: eioparser.Open, Data: []byte(`{"sid":"a","upgrades":["b"],"pingInterval":25000,"pingTimeout":20000}`)}
		next.packets <- eioparser.Packet{Type: eioparser.Pong, Data: []byte("probe")}
		broken := errors.New("broken")
		old.leave = func(ctx context.Context) error {
			old.fails <- broken
			<-ctx.Done()
			return context.Cause(ctx)
		}
		r := newRecorder()
		began := time.Now()
		s, err := client.Dial(t.Context(), "http://x", r, client.Config{Transports: []client.Transport{script{"a", old}, script{"b", next}}})
		if err != nil {
			t.Fatal(err)
		}
		<-s.Done()
		if end := <-r.closes; end.why != engineio.TransportError || !errors.Is(end.err, broken) {
			t.Errorf("ended with %q, %v", end.why, end.err)
		}
		if d := time.Since(began); d != 0 {
			t.Errorf("after %v", d)
		}
		<-next.closed
	})
}

// TestMoveThatFailsIsTakenBack: after ErrLeft the old link is read again.
func TestMoveThatFailsIsTakenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old, next := newScriptedLink(), newScriptedLink()
		old.packets <- eioparser.Packet{Type: eioparser.Open, Data: []byte(`{"sid":"a","upgrades":["b"],"pingInterval":25000,"pingTimeout":20000}`)}
		next.packets <- eioparser.Packet{Type: eioparser.Pong, Data: []byte("probe")}
		old.leave = func(ctx context.Context) error {
			old.fails <- client.ErrLeft
			<-ctx.Done()
			return context.Cause(ctx)
		}
		r := newRecorder()
		s, err := client.Dial(t.Context(), "http://x", r, client.Config{Transports: []client.Transport{script{"a", old}, script{"b", next}}})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		send(t, s, engineio.Text("meanwhile"))
		if u := <-r.upgrades; !errors.Is(u.err, context.DeadlineExceeded) {
			t.Errorf("%+v", u)
		}
		if p := <-old.sent; string(p.Data) != "meanwhile" {
			t.Errorf("sent %q", p.Data)
		}
		old.packets <- eioparser.Packet{Type: eioparser.Message, Data: []byte("still here")}
		if m := <-r.messages; string(m.Data) != "still here" {
			t.Errorf("got %q", m.Data)
		}
		s.Discard()
		<-s.Done()
	})
}

// TestCutPollIsNotRepeated: what the server put into an answer that was lost is
// lost; a second request would hide it.
func TestCutPollIsNotRepeated(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	polls := make(chan int)
	go func() { // ends when l is closed
		n := 0
		defer func() { polls <- n }()
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			in := bufio.NewReader(c)
			for {
				r, err := http.ReadRequest(in)
				if err != nil {
					break
				}
				if r.Method == http.MethodPost {
					break // the goodbye
				}
				if n++; r.URL.Query().Get("sid") != "" {
					break // in the middle of a poll
				}
				open := `0{"sid":"a","upgrades":[],"pingInterval":25000,"pingTimeout":20000}`
				fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(open), open)
			}
			_ = c.Close()
		}
	}()
	r := newRecorder()
	s, err := client.Dial(t.Context(), "http://"+l.Addr().String(), r, client.Config{})
	if err != nil {
		t.Fatal(err)
	}
	r.expectEnd(t, engineio.TransportError)
	eiotest.Wait(t, s.Done())
	_ = l.Close()
	if n := eiotest.Wait(t, polls); n != 2 {
		t.Errorf("%d requests, want the handshake and one poll", n)
	}
}

// brokenPolls is a network on which polls fail, and the server sees nothing of it.
type brokenPolls struct{}

func (brokenPolls) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodGet && r.URL.Query().Has("sid") {
		return nil, errors.New("broken")
	}
	return http.DefaultTransport.RoundTrip(r)
}

// TestBrokenPollIsTold: a server whose client could not poll any more would else
// keep the session until its ping timeout, and what comes back meanwhile would
// find nothing to recover.
func TestBrokenPollIsTold(t *testing.T) {
	ends := make(chan engineio.Reason, 1)
	srv := eiotest.Start(t, engineio.Config{}, eiotest.Handler{
		OnClose: func(_ *engineio.Session, why engineio.Reason, _ error) { ends <- why },
	})
	r := newRecorder()
	s, err := client.Dial(t.Context(), "http://"+srv.Addr, r, client.Config{
		Transports: []client.Transport{client.Polling{Client: &http.Client{Transport: brokenPolls{}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	r.expectEnd(t, engineio.TransportError)
	eiotest.Wait(t, s.Done())
	select {
	case <-ends:
	case <-time.After(5 * time.Second):
		t.Error("the server does not know")
	}
}

// TestGoodbyeIsAPostOfItsOwn: servers act on it before what shares its request.
func TestGoodbyeIsAPostOfItsOwn(t *testing.T) {
	bodies := make(chan string, 10)
	srv := eiotest.Start(t, engineio.Config{Middleware: []func(http.Handler) http.Handler{func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				var b strings.Builder
				if _, err := bufio.NewReader(r.Body).WriteTo(&b); err != nil {
					t.Error(err)
				}
				bodies <- b.String()
				r.Body = http.NoBody
				if b.String() == "1" {
					next.ServeHTTP(w, r) // an empty payload ends the session as well
					return
				}
				_, _ = w.Write([]byte("ok"))
				return
			}
			next.ServeHTTP(w, r)
		})
	}}}, eiotest.Handler{})
	r := newRecorder()
	s, err := client.Dial(t.Context(), "http://"+srv.Addr, r, client.Config{NoUpgrade: true})
	if err != nil {
		t.Fatal(err)
	}
	send(t, s, engineio.Text("a"), engineio.Text("b"))
	s.Close()
	r.expectEnd(t, engineio.ForcedClose)
	eiotest.Wait(t, s.Done())
	for _, want := range []string{"4a\x1e4b", "1"} {
		if got := eiotest.Wait(t, bodies); got != want {
			t.Errorf("posted %q, want %q", got, want)
		}
	}
}
