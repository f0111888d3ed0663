package engineio_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/engineio/internal/eiotest"
)

// TestHandshakeIsKept: everything that a handler may want to know of the first
// request is there for as long as the session is.
func TestHandshakeIsKept(t *testing.T) {
	s := eiotest.Start(t, engineio.Config{}, eiotest.Handler{})
	before := time.Now().Truncate(0)
	a := s.Do("GET", "http://"+s.Addr+"/engine.io/a%2Fb/?EIO=4&transport=polling&q=%20x&q=y", "", "X-Empty", "", "Cookie", "a=b; c=d", "User-Agent", "é")
	ss, _ := s.Session(eiotest.SID(t, a.Body))
	got := ss.Handshake()
	if got.Time.Before(before) || got.Time.After(time.Now()) {
		t.Errorf("time %v", got.Time)
	}
	want := &engineio.Handshake{
		Header:     http.Header{"X-Empty": {""}, "Cookie": {"a=b; c=d"}, "User-Agent": {"é"}, "Connection": {"close"}},
		URL:        &url.URL{Path: "/engine.io/a/b/", RawPath: "/engine.io/a%2Fb/", RawQuery: "EIO=4&transport=polling&q=%20x&q=y"},
		Host:       s.Addr,
		RemoteAddr: "127.0.0.1",
		Time:       got.Time,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	got.Header.Set("Cookie", "changed")
	if c := ss.Handshake().Header["Cookie"][0]; c != "a=b; c=d" {
		t.Errorf("the next caller gets %q", c)
	}
}

// TestHandshakeOfServeConn: a request that was made up may lack things.
func TestHandshakeOfServeConn(t *testing.T) {
	cfg := engineio.Config{Transports: []engineio.Transport{memory{}}}
	opened := make(chan *engineio.Handshake, 1)
	s := eiotest.Start(t, cfg, eiotest.Handler{OnOpen: func(ss *engineio.Session) error {
		opened <- ss.Handshake()
		return nil
	}})
	l := &meddling{closed: make(chan struct{})}
	l.Close()
	r := &http.Request{Method: "GET", URL: &url.URL{Scheme: "tcp", Host: "h:1", RawQuery: "EIO=4&transport=memory"}}
	if err := s.ServeConn(r, func(*engineio.Port) (engineio.Link, error) { return l, nil }); err != nil {
		t.Fatal(err)
	}
	h := eiotest.Wait(t, opened)
	want := &engineio.Handshake{Header: http.Header{}, URL: r.URL, Time: h.Time}
	if d := cmp.Diff(want, h); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}
