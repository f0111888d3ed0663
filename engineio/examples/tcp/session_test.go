package tcp_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/engineio/client"
	"github.com/siokit/siokit/engineio/examples/tcp"
)

// echo is the application of the server.
type echo struct{ ends chan engineio.Reason }

func (echo) Open(*engineio.Session) error                              { return nil }
func (echo) Message(s *engineio.Session, m engineio.Message)           { _ = s.Send(m) }
func (e echo) Close(_ *engineio.Session, why engineio.Reason, _ error) { e.ends <- why }

// user is the application of the client.
type user struct {
	messages chan string
	upgrades chan error
}

func (user) Open(*client.Session)                                {}
func (u user) Message(_ *client.Session, m engineio.Message)     { u.messages <- string(m.Data) }
func (u user) Upgraded(_ *client.Session, _ string, err error)   { u.upgrades <- err }
func (user) Close(_ *client.Session, _ engineio.Reason, _ error) {}

// TestClient: sessions begin here, or move here from long-polling.
func TestClient(t *testing.T) {
	srv, err := engineio.NewServer(engineio.Config{Transports: []engineio.Transport{engineio.Polling{}, tcp.Transport{}}})
	if err != nil {
		t.Fatal(err)
	}
	app := echo{make(chan engineio.Reason, 10)}
	if err := srv.Handle(app); err != nil {
		t.Fatal(err)
	}
	addr := serve(t, srv)
	web := httptest.NewServer(srv)
	t.Cleanup(web.Close)
	for name, transports := range map[string][]client.Transport{
		"begins here": {tcp.Client{Addr: addr}},
		"moves here":  {client.Polling{}, tcp.Client{Addr: addr}},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			u := user{make(chan string, 100), make(chan error, 1)}
			s, err := client.Dial(ctx, web.URL, u, client.Config{Transports: transports})
			if err != nil {
				t.Fatal(err)
			}
			if len(transports) > 1 {
				if err := <-u.upgrades; err != nil {
					t.Error(err)
				}
			}
			if s.Transport() != "tcp" {
				t.Errorf("on %s", s.Transport())
			}
			for i := range 100 {
				if err := s.Send(engineio.Text(fmt.Sprint(i))); err != nil {
					t.Fatal(err)
				}
			}
			for i := range 100 {
				if got := <-u.messages; got != fmt.Sprint(i) {
					t.Fatalf("message %d is %q", i, got)
				}
			}
			s.Close()
			<-s.Done()
			if why := <-app.ends; why != engineio.TransportClose {
				t.Errorf("the server: %s", why)
			}
		})
	}
}
