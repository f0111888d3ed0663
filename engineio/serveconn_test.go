package engineio_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/engineio/internal/eiotest"
)

// TestServeConnPanics: whoever accepts connections on goroutines of its own
// lives on when a function of the application's panics.
func TestServeConnPanics(t *testing.T) {
	boom := func() { panic("no") }
	for name, set := range map[string]func(*engineio.Config){
		"Connect": func(c *engineio.Config) {
			c.Connect = func(*http.Request) (context.Context, error) { boom(); return nil, nil }
		},
		"GenerateID": func(c *engineio.Config) {
			c.GenerateID = func(*http.Request) (string, error) { boom(); return "", nil }
		},
		"ClientAddr": func(c *engineio.Config) { c.ClientAddr = func(*http.Request) string { boom(); return "" } },
		"accept":     func(*engineio.Config) {},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := engineio.Config{Logger: quiet, Transports: []engineio.Transport{memory{}}}
			set(&cfg)
			s := eiotest.Start(t, cfg, eiotest.Handler{})
			r, _ := http.NewRequest("GET", "/?EIO=4&transport=memory", nil)
			err := s.ServeConn(r, func(*engineio.Port) (engineio.Link, error) { boom(); return nil, nil })
			if err == nil || !strings.Contains(err.Error(), "panic in ServeConn: no") {
				t.Error(err)
			}
			if n := s.Len(); n != 0 {
				t.Errorf("%d sessions", n)
			}
		})
	}
}

// TestServeConnRefusesTheOverdue: as over HTTP, a session whose client is
// overdue is not found, although no timer has ended it yet.
func TestServeConnRefusesTheOverdue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := slow()
		cfg.Transports = []engineio.Transport{engineio.Polling{}, memory{}}
		s := eiotest.StartPipe(t, cfg, eiotest.Handler{})
		p, _ := s.Poll()
		ss, _ := s.Session(p.SID)
		<-time.After(26 * time.Second) // a ping waits for a poll
		engineio.Overdue(ss)
		r, _ := http.NewRequest("GET", "/?EIO=4&transport=memory&sid="+p.SID, nil)
		err := s.ServeConn(r, func(*engineio.Port) (engineio.Link, error) { t.Error("accepted"); return nil, errors.New("no") })
		var e *engineio.ConnectionError
		if !errors.As(err, &e) || e.Code != engineio.UnknownSession {
			t.Error(err)
		}
	})
}
