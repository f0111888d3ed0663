package client_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/engineio/client"
	"github.com/siokit/siokit/engineio/internal/eiotest"
)

// both are what a server with compression serves.
func both() []engineio.Transport {
	return []engineio.Transport{engineio.Polling{}, engineio.WebSocket{Compression: &engineio.Deflate{}}}
}

// start runs an echo server and returns its URL.
func start(t testing.TB, cfg engineio.Config) (*eiotest.Server, string) {
	t.Helper()
	if cfg.Transports == nil {
		cfg.Transports = both()
	}
	srv := eiotest.Start(t, cfg, eiotest.Handler{OnMessage: eiotest.Echo})
	return srv, "http://" + srv.Addr
}

func TestMessagesComeBack(t *testing.T) {
	_, url := start(t, engineio.Config{})
	for _, m := range modes() {
		t.Run(m.name, func(t *testing.T) {
			r := newRecorder()
			s := m.connect(t, url, r)
			for _, msg := range contents() {
				send(t, s, msg)
				r.expect(t, msg)
			}
			send(t, s, contents()...)
			for _, msg := range contents() {
				r.expect(t, msg)
			}
		})
	}
}

func TestOrderAcrossTheUpgrade(t *testing.T) {
	var late []engineio.Message
	srv := eiotest.Start(t, engineio.Config{}, eiotest.Handler{
		OnOpen: func(s *engineio.Session) error {
			for i := range 20 { // some of them with the handshake, some while the upgrade is going on
				if err := s.Send(engineio.Text(fmt.Sprintf("greeting %d", i))); err != nil {
					return err
				}
			}
			return nil
		},
		OnMessage: func(s *engineio.Session, m engineio.Message) {
			late = append(late, m)
			_ = s.Send(m)
		},
	})
	for range 20 {
		r := newRecorder()
		ctx, cancel := context.WithTimeout(t.Context(), eiotest.Patience)
		s, err := client.Dial(ctx, "ws://"+srv.Addr+"/engine.io/", r, client.Config{})
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		const n = 500
		for i := range n {
			send(t, s, engineio.Text(fmt.Sprint(i)))
		}
		if u := eiotest.Wait(t, r.upgrades); u.err != nil {
			t.Error(u.err)
		}
		for i := range 20 {
			r.expect(t, engineio.Text(fmt.Sprintf("greeting %d", i)))
		}
		for i := range n {
			r.expect(t, engineio.Text(fmt.Sprint(i)))
		}
		s.Close()
		r.expectEnd(t, engineio.ForcedClose)
		eiotest.Wait(t, s.Done())
	}
}

func TestPostsStayUnderMaxPayload(t *testing.T) {
	_, url := start(t, engineio.Config{MaxPayload: 100})
	for _, m := range modes() {
		t.Run(m.name, func(t *testing.T) {
			r := newRecorder()
			s := m.connect(t, url, r)
			if got := s.Handshake().MaxPayload; got != 100 {
				t.Errorf("maxPayload is %d", got)
			}
			for i := range 50 {
				send(t, s, engineio.Text(fmt.Sprintf("message number %d", i)), engineio.Binary([]byte{byte(i)}))
			}
			send(t, s, engineio.Text(strings.Repeat("x", 99)))
			for i := range 50 {
				r.expect(t, engineio.Text(fmt.Sprintf("message number %d", i)))
				r.expect(t, engineio.Binary([]byte{byte(i)}))
			}
			r.expect(t, engineio.Text(strings.Repeat("x", 99)))
			if err := s.Send(engineio.Text(strings.Repeat("x", 100))); err != client.ErrTooLarge {
				t.Errorf("a message of 101 bytes: %v", err)
			}
			if err := s.Send(engineio.Binary(make([]byte, 101))); err != client.ErrTooLarge {
				t.Errorf("101 bytes: %v", err)
			}
		})
	}
}

// TestOutboxTakesOneOfAnySize: what is larger than the outbox does not block
// what is behind it.
func TestOutboxTakesOneOfAnySize(t *testing.T) {
	_, url := start(t, engineio.Config{})
	large := engineio.Binary(make([]byte, 100_000))
	for _, m := range modes() {
		t.Run(m.name, func(t *testing.T) {
			m.cfg.Outbox = 10_000
			r := newRecorder()
			s := m.connect(t, url, r)
			ctx, cancel := context.WithTimeout(t.Context(), eiotest.Patience)
			defer cancel()
			for _, msg := range []engineio.Message{large, engineio.Text("behind it"), large} {
				for err := s.Send(msg); err != nil; err = s.Send(msg) {
					if err != client.ErrFull || s.BufferedBytes() == 0 {
						t.Fatal(err)
					}
					if err := s.Flush(ctx); err != nil {
						t.Fatal(err)
					}
				}
				r.expect(t, msg)
			}
		})
	}
}

func TestMaxMessageMayBeAnything(t *testing.T) {
	_, url := start(t, engineio.Config{})
	for _, m := range modes() {
		t.Run(m.name, func(t *testing.T) {
			m.cfg.MaxMessage = math.MaxInt64
			r := newRecorder()
			s := m.connect(t, url, r)
			send(t, s, engineio.Text("x"))
			r.expect(t, engineio.Text("x"))
		})
	}
}

// TestReasons: who ends a session how, and what both sides are told.
func TestReasons(t *testing.T) {
	for _, m := range modes() {
		for _, c := range []struct {
			name           string
			end            func(*client.Session, *engineio.Session)
			client, server engineio.Reason
		}{
			{"the client closes", func(c *client.Session, _ *engineio.Session) { c.Close() }, engineio.ForcedClose, engineio.TransportClose},
			{"the server closes", func(_ *client.Session, s *engineio.Session) { s.Close() }, engineio.TransportClose, engineio.ForcedClose},
			{"the client discards", func(c *client.Session, _ *engineio.Session) { c.Discard() }, engineio.ForcedClose, ""},
		} {
			t.Run(m.name+"/"+c.name, func(t *testing.T) {
				sessions, ends := make(chan *engineio.Session, 1), make(chan ending, 1)
				srv := eiotest.Start(t, engineio.Config{Transports: both()}, eiotest.Handler{
					OnOpen:  func(s *engineio.Session) error { sessions <- s; return nil },
					OnClose: func(_ *engineio.Session, why engineio.Reason, err error) { ends <- ending{why, err} },
				})
				r := newRecorder()
				s := m.connect(t, "http://"+srv.Addr, r)
				c.end(s, eiotest.Wait(t, sessions))
				r.expectEnd(t, c.client)
				if c.server != "" { // else it may have to find out by its heartbeat
					if got := eiotest.Wait(t, ends); got.why != c.server {
						t.Errorf("the server was told %q, %v", got.why, got.err)
					}
				}
				eiotest.Wait(t, s.Done())
				var cause *engineio.DisconnectError
				if err := context.Cause(s.Context()); !errors.As(err, &cause) || cause.Reason != c.client {
					t.Errorf("the context's cause is %v", err)
				}
				if err := s.Send(engineio.Text("late")); err != engineio.ErrClosed {
					t.Errorf("Send after the end: %v", err)
				}
				if err := s.Flush(t.Context()); err != engineio.ErrClosed {
					t.Errorf("Flush after the end: %v", err)
				}
				if s.State() != engineio.Closed {
					t.Errorf("state is %v", s.State())
				}
				if len(r.closes) > 0 {
					t.Error("Close was called twice")
				}
			})
		}
	}
}

func TestCloseSendsWhatIsQueued(t *testing.T) {
	for _, m := range modes() {
		t.Run(m.name, func(t *testing.T) {
			messages, ends := make(chan string, 1000), make(chan ending, 1)
			srv := eiotest.Start(t, engineio.Config{Transports: both()}, eiotest.Handler{
				OnMessage: func(_ *engineio.Session, m engineio.Message) { messages <- string(m.Data) },
				OnClose:   func(_ *engineio.Session, why engineio.Reason, err error) { ends <- ending{why, err} },
			})
			r := newRecorder()
			s := m.connect(t, "http://"+srv.Addr, r)
			for i := range 500 {
				send(t, s, engineio.Text(fmt.Sprint(i)))
			}
			s.Close()
			if err := s.Send(engineio.Text("late")); err != engineio.ErrClosed {
				t.Errorf("Send after Close: %v", err)
			}
			for i := range 500 {
				if got := eiotest.Wait(t, messages); got != fmt.Sprint(i) {
					t.Fatalf("message %d is %q", i, got)
				}
			}
			r.expectEnd(t, engineio.ForcedClose)
			if got := eiotest.Wait(t, ends); got.why != engineio.TransportClose {
				t.Errorf("the server was told %q, %v", got.why, got.err)
			}
		})
	}
}

func TestCloseDuringTheUpgrade(t *testing.T) {
	_, url := start(t, engineio.Config{})
	for range 20 {
		r := newRecorder()
		s, err := client.Dial(t.Context(), url, r, client.Config{})
		if err != nil {
			t.Fatal(err)
		}
		send(t, s, engineio.Text("x"))
		s.Close()
		r.expectEnd(t, engineio.ForcedClose)
		eiotest.Wait(t, s.Done())
	}
}

func TestCallbacksMayCallEverything(t *testing.T) {
	_, url := start(t, engineio.Config{})
	for _, m := range modes() {
		t.Run(m.name, func(t *testing.T) {
			r := newRecorder()
			r.onOpen = func(s *client.Session) {
				send(t, s, engineio.Text("from Open"))
				s.Close()
				s.Discard()
			}
			ctx, cancel := context.WithTimeout(t.Context(), eiotest.Patience)
			defer cancel()
			s, err := client.Dial(ctx, url, r, m.cfg)
			if err != nil {
				t.Fatal(err)
			}
			eiotest.Wait(t, s.Done())
			r.expectEnd(t, engineio.ForcedClose)
		})
	}
}

// panicky panics at the first message.
type panicky struct{ *recorder }

func (panicky) Message(*client.Session, engineio.Message) { panic("no") }

func TestPanicEndsTheSession(t *testing.T) {
	_, url := start(t, engineio.Config{})
	r := newRecorder()
	s, err := client.Dial(t.Context(), url, panicky{r}, client.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	send(t, s, engineio.Text("x"))
	r.expectEnd(t, engineio.TransportError)
	eiotest.Wait(t, s.Done())
}

func TestRefusals(t *testing.T) {
	_, url := start(t, engineio.Config{Connect: func(*http.Request) (context.Context, error) { return nil, errors.New("not you") }})
	for _, m := range modes() {
		_, err := client.Dial(t.Context(), url, newRecorder(), m.cfg)
		var status *client.StatusError
		if !errors.As(err, &status) || status.Status != 403 || status.Message != "not you" {
			t.Errorf("%s: %v", m.name, err)
		}
		if m.name == "polling" && status != nil && status.Code != engineio.Forbidden {
			t.Errorf("code %d", status.Code)
		}
	}
	for _, url := range []string{"", "ftp://x", "http://127.0.0.1:1", "://"} {
		if _, err := client.Dial(t.Context(), url, newRecorder(), client.Config{}); err == nil {
			t.Errorf("dialled %q", url)
		}
	}
	for name, cfg := range map[string]client.Config{
		"no transports": {Transports: []client.Transport{}},
		"outbox":        {Outbox: -1},
	} {
		if _, err := client.Dial(t.Context(), url, newRecorder(), cfg); err == nil {
			t.Errorf("dialled with %s", name)
		}
	}
	if _, err := client.Dial(t.Context(), url, nil, client.Config{}); err == nil {
		t.Error("dialled without a handler")
	}
}

func TestDialEndsWithItsContext(t *testing.T) {
	// A server that accepts and says nothing.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, m := range modes() {
		ctx, cancel := context.WithCancelCause(t.Context())
		enough := errors.New("enough")
		time := make(chan struct{})
		go func() {
			defer close(time)
			if c, err := l.Accept(); err == nil {
				cancel(enough)
				_ = c.Close()
			}
		}()
		_, err := client.Dial(ctx, "http://"+l.Addr().String(), newRecorder(), m.cfg)
		if err == nil {
			t.Errorf("%s: dialled", m.name)
		}
		<-time
		cancel(nil)
	}
}

func TestTryAllTransports(t *testing.T) {
	_, url := start(t, engineio.Config{Transports: []engineio.Transport{engineio.WebSocket{}}})
	if _, err := client.Dial(t.Context(), url, newRecorder(), client.Config{}); err == nil {
		t.Error("polling works")
	}
	r := newRecorder()
	s, err := client.Dial(t.Context(), url, r, client.Config{TryAllTransports: true})
	if err != nil {
		t.Fatal(err)
	}
	if s.Transport() != "websocket" {
		t.Errorf("on %s", s.Transport())
	}
	s.Close()
	eiotest.Wait(t, s.Done())
}

func TestNoUpgrade(t *testing.T) {
	_, url := start(t, engineio.Config{})
	r := newRecorder()
	s, err := client.Dial(t.Context(), url, r, client.Config{NoUpgrade: true})
	if err != nil {
		t.Fatal(err)
	}
	send(t, s, engineio.Text("x"))
	r.expect(t, engineio.Text("x"))
	if s.Transport() != "polling" || len(r.upgrades) > 0 {
		t.Errorf("on %s", s.Transport())
	}
	s.Close()
	eiotest.Wait(t, s.Done())
}

// TestFailedUpgrade: the session goes on where it was.
func TestFailedUpgrade(t *testing.T) {
	_, url := start(t, engineio.Config{})
	r := newRecorder()
	s, err := client.Dial(t.Context(), url, r, client.Config{Transports: []client.Transport{client.Polling{}, noWebSocket{}}})
	if err != nil {
		t.Fatal(err)
	}
	if u := eiotest.Wait(t, r.upgrades); u.err == nil || u.transport != "websocket" {
		t.Errorf("%+v", u)
	}
	send(t, s, engineio.Text("x"))
	r.expect(t, engineio.Text("x"))
	if s.Transport() != "polling" {
		t.Errorf("on %s", s.Transport())
	}
	s.Close()
	eiotest.Wait(t, s.Done())
}

// noWebSocket cannot connect.
type noWebSocket struct{ client.WebSocket }

func (noWebSocket) Dial(context.Context, client.Target) (client.Link, error) {
	return nil, errors.New("no")
}

func TestHeadersCookiesAndQuery(t *testing.T) {
	type seen struct{ Header, Cookie, Query, Transport string }
	requests := make(chan seen, 100)
	srv := eiotest.Start(t, engineio.Config{
		Cookie: &http.Cookie{Name: "node"},
		Middleware: []func(http.Handler) http.Handler{func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				q := r.URL.Query()
				saw := seen{Header: r.Header.Get("X-Token"), Query: q.Get("a") + q.Get("b"), Transport: q.Get("transport")}
				if c, err := r.Cookie("node"); err == nil && c.Value == q.Get("sid") {
					saw.Cookie = "sid"
				}
				if r.Method == http.MethodGet {
					requests <- saw
				}
				next.ServeHTTP(w, r)
			})
		}},
	}, eiotest.Handler{})
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	r := newRecorder()
	s, err := client.Dial(t.Context(), "http://"+srv.Addr+"/engine.io/?a=1", r, client.Config{
		Header: http.Header{"X-Token": {"secret"}}, Query: url.Values{"b": {"2"}}, Network: client.Network{Jar: jar},
	})
	if err != nil {
		t.Fatal(err)
	}
	if u := eiotest.Wait(t, r.upgrades); u.err != nil {
		t.Error(u.err)
	}
	s.Close()
	eiotest.Wait(t, s.Done())
	if diff := cmp.Diff(seen{"secret", "", "12", "polling"}, eiotest.Wait(t, requests)); diff != "" {
		t.Error(diff)
	}
	for len(requests) > 0 {
		got := <-requests
		if diff := cmp.Diff(seen{"secret", "sid", "12", got.Transport}, got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestTLS(t *testing.T) {
	srv, err := engineio.NewServer(engineio.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Handle(eiotest.Handler{OnMessage: eiotest.Echo}); err != nil {
		t.Fatal(err)
	}
	hs := httptest.NewUnstartedServer(srv)
	hs.Config.ErrorLog = log.New(io.Discard, "", 0)
	hs.EnableHTTP2 = true // for polling; WebSocket asks for HTTP/1.1
	hs.StartTLS()
	defer hs.Close()
	defer srv.Close()
	roots := x509.NewCertPool()
	roots.AddCert(hs.Certificate())
	for _, m := range modes() {
		t.Run(m.name, func(t *testing.T) {
			if _, err := client.Dial(t.Context(), hs.URL, newRecorder(), m.cfg); err == nil {
				t.Error("an unknown certificate was accepted")
			}
			m.cfg.TLS = &tls.Config{RootCAs: roots}
			r := newRecorder()
			s := m.connect(t, hs.URL, r)
			send(t, s, engineio.Text("x"))
			r.expect(t, engineio.Text("x"))
			s.Close()
			eiotest.Wait(t, s.Done())
		})
	}
}

// TestPollingLeavesNoConnection: an HTTP/2 connection, on which a poll is
// pending, ends with its session.
func TestPollingLeavesNoConnection(t *testing.T) {
	srv, err := engineio.NewServer(engineio.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Handle(eiotest.Handler{OnMessage: eiotest.Echo}); err != nil {
		t.Fatal(err)
	}
	polls := make(chan int, 1000)
	hs := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			polls <- r.ProtoMajor
		}
		srv.ServeHTTP(w, r)
	}))
	hs.Config.ErrorLog = log.New(io.Discard, "", 0)
	var connections atomic.Int32
	hs.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		switch s {
		case http.StateNew:
			connections.Add(1)
		case http.StateClosed:
			connections.Add(-1)
		}
	}
	hs.EnableHTTP2 = true
	hs.StartTLS()
	defer hs.Close()
	defer srv.Close()
	roots := x509.NewCertPool()
	roots.AddCert(hs.Certificate())
	m := modes()[0]
	m.cfg.TLS = &tls.Config{RootCAs: roots}
	for name, end := range map[string]func(*client.Session){"Close": (*client.Session).Close, "Discard": (*client.Session).Discard} {
		s := m.connect(t, hs.URL, newRecorder())
		for range 2 { // the handshake, and the one that stays pending
			if v := eiotest.Wait(t, polls); v != 2 {
				t.Fatalf("polled over HTTP/%d", v)
			}
		}
		end(s)
		eiotest.Wait(t, s.Done())
		eiotest.Until(t, "no connection is left by "+name, func() bool { return connections.Load() == 0 })
	}
}
