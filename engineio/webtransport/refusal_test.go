package webtransport_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/quic-go/quic-go/http3"
	wt "github.com/quic-go/webtransport-go"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/engineio/webtransport"
)

type refuser struct{ *app }

func (refuser) Open(*engineio.Session) error { return errors.New("not you") }

// A client that the application refuses is told so, in one way.
func TestOpenRefuses(t *testing.T) {
	s := serve(t, newServer(t, engineio.Config{}, refuser{newApp()}))
	for range 20 {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		c, err := dial(ctx, s.addr, s.tls, nil)
		if err != nil {
			t.Fatal(err)
		}
		<-c.session.Context().Done()
		_, err = c.session.OpenStream()
		var told *wt.SessionError
		if !errors.As(err, &told) || told.ErrorCode != 1 {
			t.Error(err)
		}
		cancel()
	}
}

// wrapped is the writer of a middleware.
type wrapped struct{ http.ResponseWriter }

func (w wrapped) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Sessions come through middlewares that wrap the writer, and can be unwrapped.
func TestWrappedWriter(t *testing.T) {
	s := serve(t, newServer(t, engineio.Config{}, newApp()), func(_ *webtransport.Handler, w *wt.Server) {
		inner := w.H3.Handler
		w.H3.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { inner.ServeHTTP(wrapped{w}, r) })
	})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, err := dial(ctx, s.addr, s.tls, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if p, err := c.Receive(); err != nil {
		t.Error(p, err)
	}
}

// A body that is too large gets 413 over HTTP/3, too: an answer that a client takes.
func TestTooLargeOverHTTP3(t *testing.T) {
	s := serve(t, newServer(t, engineio.Config{MaxPayload: 100}, newApp()))
	transport := &http3.Transport{TLSClientConfig: s.tls}
	defer transport.Close()
	c := &http.Client{Transport: transport}
	address := "https://" + s.addr + "/engine.io/?EIO=4&transport=polling"
	resp, err := c.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	open, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	resp, err = c.Post(address+"&sid="+strings.Split(string(open), `"`)[3], "text/plain", strings.NewReader("4"+strings.Repeat("x", 1000)))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusRequestEntityTooLarge {
		t.Error(resp.Status)
	}
}
