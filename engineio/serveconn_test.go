package engineio_test

import (
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/engineio/internal/eiotest"
)

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
