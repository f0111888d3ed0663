package engineio_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/engineio/internal/eiotest"
)

// TestAcceptEncoding follows RFC 9110, section 12.5.3: what is excluded by name is
// not chosen for a star.
func TestAcceptEncoding(t *testing.T) {
	s := eiotest.Start(t, engineio.Config{Transports: []engineio.Transport{engineio.Polling{CompressionThreshold: -1}}}, eiotest.Handler{OnMessage: eiotest.Echo})
	p, _ := s.Poll()
	for accept, want := range map[string]string{
		"gzip;q=0, *":                "deflate",
		"gzip;q=0, *;q=0.5":          "deflate",
		"*;q=0.5, gzip;q=0":          "deflate",
		"gzip;q=0.5, deflate":        "deflate",
		"*":                          "gzip",
		"*;q=0":                      "",
		"gzip;q=0, deflate;q=0, *":   "",
		"gzip;q=0.000":               "",
		"gzip; Q=0":                  "",
		"gzip ; q = 0":               "",
		"gzip;q=":                    "",
		"gzip;q=NaN":                 "",
		"x-gzip":                     "",
		"GZIP":                       "gzip",
		"br, gzip;q=0.8, *;q=0.1":    "gzip",
		"identity;q=1, deflate;q=.1": "deflate",
	} {
		p.Post("4hello")
		if got := p.Get("Accept-Encoding", accept).Header.Get("Content-Encoding"); got != want {
			t.Errorf("%q: %q, want %q", accept, got, want)
		}
	}
}

// TestRefusedSessionLeavesNoCookie, whose id nobody knows.
func TestRefusedSessionLeavesNoCookie(t *testing.T) {
	s := eiotest.Start(t, engineio.Config{Cookie: &http.Cookie{Name: "sid"}}, eiotest.Handler{OnOpen: func(*engineio.Session) error { return errors.New("no") }})
	if a := s.Do("GET", s.URL("EIO=4&transport=polling"), ""); a.Status != http.StatusForbidden || len(a.Header["Set-Cookie"]) > 0 {
		t.Error(a.Status, a.Header)
	}
}
