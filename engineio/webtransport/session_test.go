package webtransport_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/engineio/client"
	"github.com/siokit/siokit/engineio/webtransport"
)

// app is an application that echoes and says how sessions end.
type app struct {
	open   func(*engineio.Session) error
	closes chan ending
}

type ending struct {
	why engineio.Reason
	err error
}

func newApp() *app { return &app{closes: make(chan ending, 100)} }

func (a *app) Open(s *engineio.Session) error {
	if a.open == nil {
		return nil
	}
	return a.open(s)
}

func (a *app) Message(s *engineio.Session, m engineio.Message) { _ = s.Send(m) }

func (a *app) Close(_ *engineio.Session, why engineio.Reason, err error) {
	a.closes <- ending{why, err}
}

// user is the handler of a client.
type user struct {
	messages chan engineio.Message
	upgrades chan error
	closes   chan ending
}

func newUser() *user {
	return &user{make(chan engineio.Message, 10_000), make(chan error, 10), make(chan ending, 1)}
}

func (u *user) Open(*client.Session) {}

func (u *user) Message(_ *client.Session, m engineio.Message) {
	m.Data = bytes.Clone(m.Data)
	u.messages <- m
}

func (u *user) Upgraded(_ *client.Session, _ string, err error) { u.upgrades <- err }

func (u *user) Close(_ *client.Session, why engineio.Reason, err error) { u.closes <- ending{why, err} }

// await returns what comes out of c, or fails the test.
func await[T any](t testing.TB, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatal("waited in vain")
		panic("unreachable")
	}
}

// connectClient begins a session of engineio/client that ends with the test.
func (s *site) connectClient(t testing.TB, u *user, transports ...client.Transport) *client.Session {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, err := client.Dial(ctx, "https://"+s.addr, u, client.Config{Transports: transports, Network: client.Network{TLS: s.tls}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Discard()
		await(t, c.Done())
	})
	return c
}

// echoes sends n messages and expects them back in order.
func echoes(t testing.TB, c *client.Session, u *user, n int) {
	t.Helper()
	for i := range n {
		if err := c.Send(engineio.Text(fmt.Sprint(i)), engineio.Binary([]byte{byte(i)})); err != nil {
			t.Fatal(err)
		}
	}
	for i := range n {
		for _, want := range []engineio.Message{engineio.Text(fmt.Sprint(i)), engineio.Binary([]byte{byte(i)})} {
			if m := await(t, u.messages); m.Binary != want.Binary || !bytes.Equal(m.Data, want.Data) {
				t.Fatalf("message %d is %v %q", i, m.Binary, m.Data)
			}
		}
	}
}

func TestSessionBeginsHere(t *testing.T) {
	s := serve(t, newServer(t, engineio.Config{}, newApp()))
	u := newUser()
	c := s.connectClient(t, u, webtransport.Client{})
	if c.Transport() != "webtransport" || len(c.Handshake().Upgrades) != 0 {
		t.Errorf("on %s, upgrades %q", c.Transport(), c.Handshake().Upgrades)
	}
	echoes(t, c, u, 100)
	large := engineio.Text(strings.Repeat("é", 300_000))
	if err := c.Send(large); err != nil {
		t.Fatal(err)
	}
	if m := await(t, u.messages); !bytes.Equal(m.Data, large.Data) {
		t.Errorf("%d bytes came back", len(m.Data))
	}
}

// TestUpgrade moves sessions here from the other transports, while messages flow
// both ways.
func TestUpgrade(t *testing.T) {
	a := newApp()
	a.open = func(s *engineio.Session) error { return s.Send(engineio.Text("welcome")) }
	s := serve(t, newServer(t, engineio.Config{}, a))
	for from, transports := range map[string][]client.Transport{
		"polling":   {client.Polling{}, webtransport.Client{}},
		"websocket": {client.WebSocket{}, webtransport.Client{}},
		"both":      {client.Polling{}, client.WebSocket{}, webtransport.Client{}},
	} {
		t.Run(from, func(t *testing.T) {
			for range 5 {
				u := newUser()
				c := s.connectClient(t, u, transports...)
				listed := []string{"websocket", "webtransport"}
				if from == "websocket" {
					listed = []string{} // the official client would try, and hang
				}
				if got := c.Handshake().Upgrades; fmt.Sprint(got) != fmt.Sprint(listed) {
					t.Errorf("upgrades are %q", got)
				}
				if m := await(t, u.messages); string(m.Data) != "welcome" {
					t.Errorf("%q", m.Data)
				}
				echoes(t, c, u, 500)
				if err := await(t, u.upgrades); err != nil || c.Transport() != "webtransport" {
					t.Fatalf("%v, on %s", err, c.Transport())
				}
				echoes(t, c, u, 100)
				c.Close()
				if end := await(t, u.closes); end.why != engineio.ForcedClose {
					t.Errorf("the client: %q, %v", end.why, end.err)
				}
				if end := await(t, a.closes); end.why != engineio.TransportClose {
					t.Errorf("the server: %q, %v", end.why, end.err)
				}
			}
		})
	}
}

func TestServerCloses(t *testing.T) {
	a := newApp()
	sessions := make(chan *engineio.Session, 1)
	a.open = func(s *engineio.Session) error { sessions <- s; return nil }
	s := serve(t, newServer(t, engineio.Config{}, a))
	u := newUser()
	s.connectClient(t, u, webtransport.Client{})
	session := await(t, sessions)
	for i := range 500 {
		if err := session.Send(engineio.Text(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	session.Close()
	for i := range 500 {
		if m := await(t, u.messages); string(m.Data) != fmt.Sprint(i) {
			t.Fatalf("message %d is %q", i, m.Data)
		}
	}
	if end := await(t, u.closes); end.why != engineio.TransportClose {
		t.Errorf("the client: %q, %v", end.why, end.err)
	}
	if end := await(t, a.closes); end.why != engineio.ForcedClose {
		t.Errorf("the server: %q, %v", end.why, end.err)
	}
}

func TestConnectRefuses(t *testing.T) {
	cfg := engineio.Config{Connect: func(r *http.Request) (context.Context, error) {
		if r.Header.Get("X-Token") != "secret" || r.URL.Query().Get("transport") != webtransport.Name {
			return nil, errors.New("not you")
		}
		return nil, nil
	}}
	s := serve(t, newServer(t, cfg, newApp()))
	dial := func(token string) error {
		c, err := client.Dial(t.Context(), "https://"+s.addr, newUser(), client.Config{
			Transports: []client.Transport{webtransport.Client{}},
			Header:     http.Header{"X-Token": {token}},
			Network:    client.Network{TLS: s.tls},
		})
		if err == nil {
			c.Discard()
			await(t, c.Done())
		}
		return err
	}
	if err := dial("secret"); err != nil {
		t.Error(err)
	}
	if err := dial("wrong"); err == nil || !strings.Contains(err.Error(), "not you") {
		t.Errorf("refused with %v", err)
	}
}

func TestClientNeedsHTTPS(t *testing.T) {
	_, err := client.Dial(t.Context(), "http://127.0.0.1:1", newUser(), client.Config{Transports: []client.Transport{webtransport.Client{}}})
	if err == nil {
		t.Error("dialled http")
	}
}
