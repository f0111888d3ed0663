package engineio_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/engineio/internal/eiotest"
)

// quiet is a logger for tests that provoke warnings.
var quiet = slog.New(slog.DiscardHandler)

// The servers of the recorded cases: the fixture's main path, and the one with
// the long intervals.
func fixture() engineio.Config {
	return engineio.Config{
		PingInterval: 300 * time.Millisecond, PingTimeout: 200 * time.Millisecond, UpgradeTimeout: time.Second,
		Connect: deny, Logger: quiet,
	}
}

func slow() engineio.Config {
	return engineio.Config{UpgradeTimeout: 300 * time.Millisecond, Connect: deny, Logger: quiet}
}

func small() engineio.Config { return engineio.Config{MaxPayload: 100, Logger: quiet} }

// deny refuses requests with ?deny=message.
func deny(r *http.Request) (context.Context, error) {
	if q := r.URL.Query(); q.Has("deny") {
		return nil, errors.New(q.Get("deny"))
	}
	return nil, nil
}

// echoing is a handler that echoes, obeys the fixture's commands, and keeps
// what happened.
type echoing struct {
	mu     sync.Mutex
	closes []string
}

func (e *echoing) Open(s *engineio.Session) error { return nil }

func (e *echoing) Message(s *engineio.Session, m engineio.Message) {
	text := string(m.Data)
	var n int
	switch {
	case m.Binary:
		_ = s.Send(m)
	case text == "close":
		s.Close()
	case text == "discard":
		s.Discard()
	case text == "empty":
		_ = s.Send(engineio.Text(""))
	case text == "mixed":
		for _, m := range []engineio.Message{engineio.Text("t"), engineio.Binary([]byte{1, 2, 3}), engineio.Text("é€😀")} {
			_ = s.Send(m)
		}
	case strings.HasPrefix(text, "burst "):
		_, _ = fmt.Sscanf(text, "burst %d", &n)
		for i := range n {
			_ = s.Send(engineio.Text(fmt.Sprintf("b%d", i)))
		}
	default:
		_ = s.Send(m)
	}
}

func (e *echoing) Close(s *engineio.Session, why engineio.Reason, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closes = append(e.closes, string(why))
}

func (e *echoing) reasons() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]string{}, e.closes...)
}

var sidPattern = regexp.MustCompile(`"sid":"[A-Za-z0-9_-]{20}"`)

// masked replaces session ids.
func masked(s string) string { return sidPattern.ReplaceAllString(s, `"sid":"<sid>"`) }

// show is an answer in the notation of the records.
func show(a eiotest.Answer) string {
	body := masked(a.Body)
	if body == "" {
		body = "(empty body)"
	}
	if a.Type != "" && a.Type != "text/plain; charset=UTF-8" && a.Type != "text/html" {
		return fmt.Sprintf("%d [%s] %s", a.Status, a.Type, body)
	}
	return fmt.Sprintf("%d %s", a.Status, strings.ReplaceAll(body, "\x1e", "␞"))
}

// reply is a recorded case that is one request.
type reply struct {
	id     string
	method string // GET if empty
	query  string
	header []string
	want   string
}

func (c reply) run(t *testing.T, s *eiotest.Server) {
	t.Run(c.id, func(t *testing.T) {
		method := c.method
		if method == "" {
			method = "GET"
		}
		if got := show(s.Do(method, s.URL(c.query), "", c.header...)); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.query, got, c.want)
		}
	})
}
