package routers_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"go.uber.org/goleak"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/engineio/client"
	"github.com/siokit/siokit/engineio/examples/routers"
)

func TestMain(m *testing.M) {
	gin.SetMode(gin.TestMode) // it prints its routes otherwise
	goleak.VerifyTestMain(m)
}

// echo is the application of the server.
type echo struct{}

func (echo) Open(*engineio.Session) error                    { return nil }
func (echo) Message(s *engineio.Session, m engineio.Message) { _ = s.Send(m) }
func (echo) Close(*engineio.Session, engineio.Reason, error) {}

// user is the application of the client.
type user struct {
	messages chan engineio.Message
	upgrades chan error
}

func (user) Open(*client.Session) {}
func (u user) Message(_ *client.Session, m engineio.Message) {
	m.Data = bytes.Clone(m.Data)
	u.messages <- m
}
func (u user) Upgraded(_ *client.Session, _ string, err error)   { u.upgrades <- err }
func (user) Close(_ *client.Session, _ engineio.Reason, _ error) {}

// TestSessions has a client talk to a server behind each router, over
// long-polling, over WebSocket, and moving from one to the other.
func TestSessions(t *testing.T) {
	for router, mount := range map[string]func(*engineio.Server) http.Handler{
		"net/http": routers.NetHTTP, "chi": routers.Chi, "gin": routers.Gin, "echo": routers.Echo,
	} {
		srv, err := engineio.NewServer(engineio.Config{})
		if err != nil {
			t.Fatal(err)
		}
		if err := srv.Handle(echo{}); err != nil {
			t.Fatal(err)
		}
		web := httptest.NewServer(mount(srv))
		t.Cleanup(web.Close)
		t.Cleanup(func() { _ = srv.Close() })
		for name, transports := range map[string][]client.Transport{
			"polling":   {client.Polling{}},
			"websocket": {client.WebSocket{}},
			"upgrade":   {client.Polling{}, client.WebSocket{}},
		} {
			t.Run(router+"/"+name, func(t *testing.T) { session(t, web.URL, transports) })
		}
	}
}

// session sends messages and expects them back.
func session(t *testing.T, url string, transports []client.Transport) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	u := user{make(chan engineio.Message, 200), make(chan error, 1)}
	s, err := client.Dial(ctx, url, u, client.Config{Transports: transports})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		s.Close()
		<-s.Done()
	}()
	if len(transports) > 1 {
		if err := <-u.upgrades; err != nil {
			t.Fatal(err)
		}
	}
	for i := range 100 {
		if err := s.Send(engineio.Text(fmt.Sprint(i)), engineio.Binary([]byte{byte(i)})); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 100 {
		for _, want := range []engineio.Message{engineio.Text(fmt.Sprint(i)), engineio.Binary([]byte{byte(i)})} {
			select {
			case got := <-u.messages:
				if got.Binary != want.Binary || !bytes.Equal(got.Data, want.Data) {
					t.Fatalf("message %d is %v %q", i, got.Binary, got.Data)
				}
			case <-ctx.Done():
				t.Fatalf("message %d did not come back", i)
			}
		}
	}
}
