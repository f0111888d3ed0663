package goclient_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/engineio/client"
)

// session is a client of the tests, and what its handler was told.
type session struct {
	*client.Session
	t        *testing.T
	messages chan engineio.Message
	pings    chan struct{}
	upgrades chan error
	closes   chan engineio.Reason
}

func (s *session) Open(*client.Session) {}

func (s *session) Message(_ *client.Session, m engineio.Message) {
	m.Data = bytes.Clone(m.Data)
	s.messages <- m
}

func (s *session) Ping(*client.Session) { s.pings <- struct{}{} }

func (s *session) Upgraded(_ *client.Session, _ string, err error) { s.upgrades <- err }

func (s *session) Close(_ *client.Session, why engineio.Reason, _ error) { s.closes <- why }

// await returns what comes out of c, or fails the test.
func await[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatal("waited in vain")
		panic("unreachable")
	}
}

// dial begins a session that ends with the test, and waits for its upgrade.
func dial(t *testing.T, url string, cfg client.Config, upgrade bool) *session {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	s := &session{
		t: t, messages: make(chan engineio.Message, 10_000), pings: make(chan struct{}, 1000),
		upgrades: make(chan error, 10), closes: make(chan engineio.Reason, 10),
	}
	c, err := client.Dial(ctx, url, s, cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.Session = c
	t.Cleanup(func() {
		c.Discard()
		await(t, c.Done())
	})
	if upgrade {
		if err := await(t, s.upgrades); err != nil || c.Transport() != "websocket" {
			t.Fatalf("upgrade: %v, on %s", err, c.Transport())
		}
	}
	return s
}

// send sends messages.
func (s *session) send(msgs ...engineio.Message) {
	s.t.Helper()
	if err := s.Send(msgs...); err != nil {
		s.t.Fatal(err)
	}
}

// expect reads messages.
func (s *session) expect(msgs ...engineio.Message) {
	s.t.Helper()
	for i, want := range msgs {
		if got := await(s.t, s.messages); got.Binary != want.Binary || !bytes.Equal(got.Data, want.Data) {
			s.t.Fatalf("message %d is %v %.50q, want %v %.50q", i, got.Binary, got.Data, want.Binary, want.Data)
		}
	}
}

// numbered is n messages.
func numbered(n int, format string) []engineio.Message {
	list := make([]engineio.Message, n)
	for i := range list {
		list[i] = engineio.Text(fmt.Sprintf(format, i))
	}
	return list
}

// TestEngineServer: engineio/client with npm's engine.io, each feature over each
// transport.
func TestEngineServer(t *testing.T) {
	base := reference(t)
	for _, m := range []struct {
		name    string
		cfg     client.Config
		upgrade bool
	}{
		{"polling", client.Config{Transports: []client.Transport{client.Polling{}}}, false},
		{"websocket", client.Config{Transports: []client.Transport{client.WebSocket{}}}, false},
		{"upgrade", client.Config{}, true},
	} {
		connect := func(t *testing.T, path string) *session { return dial(t, base+path, m.cfg, m.upgrade) }
		for name, run := range map[string]func(*testing.T){
			"contents": func(t *testing.T) {
				s := connect(t, "/engine.io/")
				all := []engineio.Message{
					engineio.Text(""), engineio.Text("hello"), engineio.Text("é€😀"), engineio.Binary([]byte{1, 2, 3}), engineio.Text("bAQID"),
					engineio.Binary(bytes.Repeat([]byte{0xff}, 100_000)), engineio.Text(strings.Repeat("é", 50_000)), engineio.Text("6"),
				}
				s.send(all...)
				s.expect(all...)
			},
			"thousands in order": func(t *testing.T) {
				s := connect(t, "/engine.io/")
				all := numbered(3000, "%d")
				for _, msg := range all {
					s.send(msg)
				}
				s.expect(all...)
			},
			"heartbeats": func(t *testing.T) {
				s := connect(t, "/engine.io/")
				for range 2 {
					await(t, s.pings)
				}
				s.send(engineio.Text("alive"))
				s.expect(engineio.Text("alive"))
			},
			"maxPayload 100": func(t *testing.T) {
				s := connect(t, "/eio-small/")
				all := numbered(100, "message number %d")
				s.send(all...)
				s.expect(all...)
				if err := s.Send(engineio.Text(strings.Repeat("x", 100))); err != client.ErrTooLarge {
					t.Error(err)
				}
			},
			"a burst of the server": func(t *testing.T) {
				s := connect(t, "/eio-cmd/")
				s.send(engineio.Text("burst 500"), engineio.Text("mixed"), engineio.Text("empty"))
				s.expect(numbered(500, "b%d")...)
				s.expect(engineio.Text("t"), engineio.Binary([]byte{1, 2, 3}), engineio.Text("é€😀"), engineio.Text(""))
			},
			"the server closes": func(t *testing.T) {
				s := connect(t, "/eio-cmd/")
				s.send(engineio.Text("close"))
				if why := await(t, s.closes); why != engineio.TransportClose {
					t.Error(why)
				}
			},
			"the client closes": func(t *testing.T) {
				s := connect(t, "/engine.io/")
				s.send(numbered(100, "%d")...)
				s.Session.Close()
				if why := await(t, s.closes); why != engineio.ForcedClose {
					t.Error(why)
				}
			},
			"refused": func(t *testing.T) {
				cfg := m.cfg
				cfg.Query = url.Values{"deny": {"no"}}
				_, err := client.Dial(t.Context(), base+"/engine.io/", &session{t: t}, cfg)
				var status *client.StatusError
				if !errors.As(err, &status) || status.Message != "no" {
					t.Error(err)
				}
			},
		} {
			t.Run(m.name+"/"+name, run)
		}
	}
	t.Run("in order while the upgrade happens", func(t *testing.T) {
		for range 10 {
			s := dial(t, base+"/engine.io/", client.Config{}, false)
			all := numbered(1000, "%d")
			for _, msg := range all {
				s.send(msg)
			}
			if err := await(t, s.upgrades); err != nil {
				t.Error(err)
			}
			s.expect(all...)
			s.Discard()
		}
	})
	t.Run("compression", func(t *testing.T) {
		s := dial(t, base+"/eio-gzip/", client.Config{Transports: []client.Transport{client.Polling{}, client.WebSocket{Compression: true}}}, true)
		text := strings.Repeat("compress me, ", 2000)
		s.send(engineio.Text(text), engineio.Binary([]byte(text)))
		s.expect(engineio.Text(text), engineio.Binary([]byte(text)))
	})
	t.Run("initial packet", func(t *testing.T) {
		dial(t, base+"/eio-init/", client.Config{}, true).expect(engineio.Text("hello"))
	})
	t.Run("no upgrades", func(t *testing.T) {
		for _, path := range []string{"/eio-noup/", "/eio-polling/"} {
			s := dial(t, base+path, client.Config{}, false)
			if up := s.Handshake().Upgrades; len(up) > 0 || s.Transport() != "polling" {
				t.Errorf("%s: %q, on %s", path, up, s.Transport())
			}
		}
	})
	t.Run("cookies", func(t *testing.T) {
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		s := dial(t, base+"/eio-cookie/", client.Config{Network: client.Network{Jar: jar}}, true)
		u, err := url.Parse(base + "/")
		if err != nil {
			t.Fatal(err)
		}
		if c := jar.Cookies(u); len(c) != 1 || c[0].Value != s.ID() {
			t.Errorf("%v", c)
		}
	})
}
