package engineio_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/engineio/internal/eiotest"
)

// TestHandlerPanics: a panic ends its session and no other.
func TestHandlerPanics(t *testing.T) {
	var closes sync.Map
	s := eiotest.Start(t, engineio.Config{Logger: quiet}, eiotest.Handler{
		OnOpen: func(ss *engineio.Session) error {
			if ss.Handshake().URL.Query().Has("boom") {
				panic("in open")
			}
			return nil
		},
		OnMessage: func(ss *engineio.Session, m engineio.Message) {
			if string(m.Data) == "boom" {
				panic("in message")
			}
			_ = ss.Send(m)
		},
		OnClose: func(ss *engineio.Session, why engineio.Reason, err error) {
			closes.Store(ss.ID(), err)
			panic("in close")
		},
	})
	other, _ := s.WS()
	if got := show(s.Do("GET", s.URL("EIO=4&transport=polling&boom"), "")); got != `403 [application/json] {"code":4,"message":"internal error"}` {
		t.Error(got)
	}
	ws, open := s.WS()
	ws.Send("4boom")
	if got := ws.Read(); got != "CLOSE(1005)" {
		t.Error(got)
	}
	eiotest.Until(t, "closed", func() bool { _, ok := closes.Load(eiotest.SID(t, open)); return ok })
	err, _ := closes.Load(eiotest.SID(t, open))
	if !strings.Contains(fmt.Sprint(err), "panic in Handler.Message: in message") {
		t.Error(err)
	}
	other.Send("4x")
	if got := other.Read(); got != "4x" {
		t.Error(got)
	}
}

// TestHookPanics: a session whose header hook panics is gone.
func TestHookPanics(t *testing.T) {
	s := eiotest.Start(t, engineio.Config{
		Logger:         quiet,
		InitialHeaders: func(http.Header, *http.Request) { panic(http.ErrAbortHandler) },
	}, eiotest.Handler{})
	if a, err := s.Request(t.Context(), "GET", s.URL("EIO=4&transport=polling"), ""); err == nil {
		t.Errorf("answered: %+v", a)
	}
	if n := s.Len(); n != 0 {
		t.Errorf("%d sessions", n)
	}
}

// TestGenerateIDPanics: what was not begun is not counted.
func TestGenerateIDPanics(t *testing.T) {
	first := true
	s := eiotest.Start(t, engineio.Config{
		Limits: engineio.Limits{Sessions: 1, SessionsPerAddr: 1},
		GenerateID: func(*http.Request) (string, error) {
			if first {
				first = false
				panic(http.ErrAbortHandler)
			}
			return "the-second", nil
		},
	}, eiotest.Handler{})
	if a, err := s.Request(t.Context(), "GET", s.URL("EIO=4&transport=polling"), ""); err == nil {
		t.Errorf("answered: %+v", a)
	}
	if n := s.Len(); n != 0 {
		t.Errorf("%d sessions", n)
	}
	if p, _ := s.Poll(); p.SID != "the-second" {
		t.Error(p.SID)
	}
}

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

// broken is a link that panics in one of its methods. Its Read waits for Close.
type broken struct {
	in     string
	closed chan struct{}
	once   sync.Once
}

func (l *broken) boom(method string) {
	if l.in == method {
		panic("no " + method)
	}
}

func (l *broken) Read() error {
	l.boom("Read")
	<-l.closed
	return nil
}

func (l *broken) Write([]engineio.Outgoing) error {
	l.boom("Write")
	return nil
}

func (l *broken) Close() {
	l.once.Do(func() { close(l.closed) })
	l.boom("Close")
}

// brokenTry is broken with TryWrite.
type brokenTry struct{ *broken }

func (l brokenTry) TryWrite([]engineio.Outgoing) error {
	l.boom("TryWrite")
	return engineio.ErrWouldBlock
}

// TestLinkPanics: a transport is anyone's; its faults end their own session.
func TestLinkPanics(t *testing.T) {
	type end struct {
		why engineio.Reason
		err error
	}
	ended := make(chan end, 1)
	s := eiotest.Start(t, engineio.Config{Logger: quiet, Transports: []engineio.Transport{engineio.WebSocket{}, memory{}}}, eiotest.Handler{
		OnMessage: eiotest.Echo,
		OnClose:   func(_ *engineio.Session, why engineio.Reason, err error) { ended <- end{why, err} },
	})
	other, _ := s.WS()
	for _, method := range []string{"Read", "Write", "TryWrite", "Close"} {
		l := &broken{in: method, closed: make(chan struct{})}
		var link engineio.Link = l
		if method == "TryWrite" {
			link = brokenTry{l}
		}
		r, _ := http.NewRequest("GET", "/engine.io/?EIO=4&transport=memory", nil)
		served := make(chan error, 1)
		go func() { served <- s.ServeConn(r, func(*engineio.Port) (engineio.Link, error) { return link, nil }) }()
		if method == "Close" {
			eiotest.Until(t, "open", func() bool { return s.Len() == 2 })
			for ss := range s.Sessions() {
				if ss.Transport() == "memory" {
					ss.Discard()
				}
			}
		}
		e := eiotest.Wait(t, ended)
		if method == "Close" {
			if e.why != engineio.ForcedClose {
				t.Errorf("Close: %v: %v", e.why, e.err)
			}
		} else if want := fmt.Sprintf("panic in Link.%[1]s: no %[1]s", method); e.why != engineio.TransportError || !strings.Contains(fmt.Sprint(e.err), want) {
			t.Errorf("%s: %v: %v", method, e.why, e.err)
		}
		_ = eiotest.Wait(t, served)
	}
	other.Send("4x")
	if got := other.Read(); got != "4x" {
		t.Error(got)
	}
}
