package client_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/engineio/client"
	"github.com/siokit/siokit/engineio/internal/eiotest"
)

// A redirection is not followed, since it could make a GET of a POST, but told: the
// error says where to go, and nothing of the query.
func TestRedirections(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://other.example"+r.URL.String(), status)
		}))
		for _, m := range modes() {
			m.cfg.Query = url.Values{"token": {"secret"}}
			_, err := client.Dial(t.Context(), front.URL, newRecorder(), m.cfg)
			var refused *client.StatusError
			if !errors.As(err, &refused) || refused.Status != status ||
				!strings.Contains(err.Error(), "https://other.example/engine.io/") || strings.Contains(err.Error(), "secret") {
				t.Errorf("%d over %s: %v", status, m.name, err)
			}
		}
		front.Close()
	}
}

// Name and password of the URL are the basic authorization of every request.
func TestUserOfTheURL(t *testing.T) {
	srv := eiotest.Start(t, engineio.Config{Connect: func(r *http.Request) (context.Context, error) {
		if name, password, _ := r.BasicAuth(); name != "ada" || password != "secret" {
			return nil, errors.New("not you")
		}
		return nil, nil
	}}, eiotest.Handler{})
	for _, m := range modes() {
		r := newRecorder()
		s, err := client.Dial(t.Context(), "http://ada:secret@"+srv.Addr, r, m.cfg)
		if err != nil {
			t.Errorf("%s: %v", m.name, err)
			continue
		}
		if len(m.cfg.Transports) == 0 {
			if u := eiotest.Wait(t, r.upgrades); u.err != nil {
				t.Error(u.err)
			}
		}
		s.Close()
		eiotest.Wait(t, s.Done())
	}
}

// Errors of the network hold nothing of the query, where tokens and ids are.
func TestErrorsHoldNoSecrets(t *testing.T) {
	refuse := func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no way") }
	for _, m := range modes() {
		m.cfg.Query = url.Values{"token": {"secret"}}
		m.cfg.Network.DialContext = refuse
		_, err := client.Dial(t.Context(), "http://127.0.0.1:1", newRecorder(), m.cfg)
		if err == nil || !strings.Contains(err.Error(), "no way") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", m.name, err)
		}
	}
}

// Nothing of a session runs when Dial has been given up, also not what net/http
// would finish.
func TestDiallingEndsWithDial(t *testing.T) {
	for _, m := range modes() {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{}, 2)
		m.cfg.Network.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			cancel()
			<-ctx.Done() // an address that does not answer
			ended <- struct{}{}
			return nil, ctx.Err()
		}
		if _, err := client.Dial(ctx, "http://127.0.0.1:1", newRecorder(), m.cfg); err == nil {
			t.Errorf("%s: dialled", m.name)
		}
		eiotest.Wait(t, ended)
	}
}

// A second open packet means nothing: the session goes on under its id.
func TestSecondOpenPacket(t *testing.T) {
	const open = `0{"sid":%q,"upgrades":[],"pingInterval":25000,"pingTimeout":20000}`
	var polls atomic.Int32
	posts := make(chan string, 100)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch sid := r.URL.Query().Get("sid"); {
		case r.Method == http.MethodPost:
			posts <- sid
			_, _ = w.Write([]byte("ok"))
		case polls.Add(1) == 1:
			fmt.Fprintf(w, open, "first")
		default:
			<-time.After(time.Millisecond)
			fmt.Fprintf(w, open, "other")
		}
	}))
	defer web.Close()
	s, err := client.Dial(t.Context(), web.URL, newRecorder(), client.Config{Transports: []client.Transport{client.Polling{}}})
	if err != nil {
		t.Fatal(err)
	}
	for range 50 {
		if err := s.Send(engineio.Text("x")); err != nil {
			t.Fatal(err)
		}
		if sid := eiotest.Wait(t, posts); sid != "first" {
			t.Fatal(sid)
		}
	}
	s.Discard()
	eiotest.Wait(t, s.Done())
}
