package engineio_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/engineio/internal/eiotest"
)

// goroutines waits until there are at most n.
func goroutines(t *testing.T, n int) {
	t.Helper()
	eiotest.Until(t, fmt.Sprintf("%d goroutines", n), func() bool { return runtime.NumGoroutine() <= n })
}

// TestStartStop: a hundred servers in one process leave nothing behind.
func TestStartStop(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 100 {
		t.Run("", func(t *testing.T) {
			s := eiotest.Start(t, engineio.Config{}, new(echoing))
			ws, _ := s.WS()
			ws.Send("4x")
			if got := ws.Read(); got != "4x" {
				t.Error(got)
			}
			p, _ := s.Poll()
			poll := p.Go()
			ss, _ := s.Session(p.SID)
			eiotest.Until(t, "poll pending", ss.Writable)
			go ws.Read() // answers the close frame
			s.Stop()
			if got := show(eiotest.Wait(t, poll)); got != "200 1" {
				t.Error(got)
			}
		})
	}
	goroutines(t, before)
}

// sessionGoroutines counts the goroutines that run code of package engineio.
func sessionGoroutines() int {
	buf := make([]byte, 1<<20)
	n := 0
	for g := range strings.SplitSeq(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
		if strings.Contains(g, "/engineio.(*Port).read(") || strings.Contains(g, "/engineio.(*group).run") || strings.Contains(g, "/engineio.(*Server).") {
			n++
		}
	}
	return n
}

// TestIdleSessionIsOneGoroutine: and a polling one is none.
func TestIdleSessionIsOneGoroutine(t *testing.T) {
	const n = 50
	s := eiotest.Start(t, engineio.Config{}, new(echoing))
	for range n {
		s.Poll()
	}
	eiotest.Until(t, "no goroutine", func() bool { return sessionGoroutines() == 0 })
	for range n {
		ws, _ := s.WS()
		ws.Send("4x")
		ws.Read()
	}
	eiotest.Until(t, "one goroutine a session", func() bool { return sessionGoroutines() == n })
	if s.Len() != 2*n {
		t.Errorf("%d sessions", s.Len())
	}
}

// TestKilledClients: clients that vanish at any point of a session leave
// nothing, and each session ends exactly once.
func TestKilledClients(t *testing.T) {
	var opens, closes atomic.Int64
	s := eiotest.Start(t, engineio.Config{}, eiotest.Handler{
		OnOpen:    func(*engineio.Session) error { opens.Add(1); return nil },
		OnMessage: eiotest.Echo,
		OnClose:   func(*engineio.Session, engineio.Reason, error) { closes.Add(1) },
	})
	before := runtime.NumGoroutine()
	handshake := "GET /engine.io/?EIO=4&transport=websocket%s HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
	frames := string(eiotest.AppendFrame(nil, 0x81, []byte("4hello"))) + string(eiotest.AppendFrame(nil, 0x82, []byte{1, 2, 3}))
	whole := fmt.Sprintf(handshake, "") + frames
	for cut := 0; cut <= len(whole); cut += 7 {
		c := s.Dial()
		_, _ = c.Write([]byte(whole[:cut]))
		c.Close()
	}
	for _, script := range []string{
		"GET /engine.io/?EIO=4&transport=polling&sid=%s HTTP/1.1\r\nHost: x\r\n\r\n",
		"POST /engine.io/?EIO=4&transport=polling&sid=%s HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n4abc",
		strings.Replace(handshake, "%s", "&sid=%s", 1) + string(eiotest.AppendFrame(nil, 0x81, []byte("2probe"))) + string(eiotest.AppendFrame(nil, 0x81, []byte("5"))) + frames,
	} {
		for part := 1; part <= 4; part++ {
			p, _ := s.Poll()
			text := fmt.Sprintf(script, p.SID)
			c := s.Dial()
			_, _ = c.Write([]byte(text[:len(text)*part/4]))
			c.Close()
			p.Post("1") // what is still there may go
		}
	}
	eiotest.Until(t, "no sessions", func() bool { return s.Len() == 0 })
	eiotest.Until(t, "every session closed once", func() bool { return opens.Load() == closes.Load() })
	goroutines(t, before)
}

func TestShutdown(t *testing.T) {
	t.Run("delivers what is queued, then says goodbye", func(t *testing.T) {
		e := new(echoing)
		s := eiotest.Start(t, engineio.Config{}, e)
		ws, open := s.WS()
		ss, _ := s.Session(eiotest.SID(t, open))
		p, _ := s.Poll()
		poll := p.Go()
		ps, _ := s.Session(p.SID)
		eiotest.Until(t, "poll pending", ps.Writable)
		ss.Cork()
		_ = ss.Send(engineio.Text("last words"))
		if err := s.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := ws.Read() + " , " + ws.Read(); got != "4last words , CLOSE(1005)" {
			t.Error(got)
		}
		if got := show(eiotest.Wait(t, poll)); got != "200 1" {
			t.Error(got)
		}
		for _, r := range e.reasons() {
			if r != "server shutting down" {
				t.Error(r)
			}
		}
		if a := s.Do("GET", s.URL("EIO=4&transport=polling"), ""); a.Status != 503 {
			t.Errorf("afterwards %d", a.Status)
		}
	})
	t.Run("waits for a client that polls for its last messages", func(t *testing.T) {
		s := eiotest.Start(t, engineio.Config{}, new(echoing))
		p, _ := s.Poll()
		p.Post("4x")
		done := make(chan error, 1)
		go func() { done <- s.Shutdown(context.WithoutCancel(t.Context())) }()
		ss, _ := s.Session(p.SID)
		eiotest.Until(t, "closing", func() bool { return ss.State() != engineio.Open })
		if got := show(p.Get()) + " , " + show(p.Get()); got != "200 4x , 200 6␞1" {
			t.Error(got)
		}
		if err := eiotest.Wait(t, done); err != nil {
			t.Error(err)
		}
	})
	t.Run("ends with ctx", func(t *testing.T) {
		s := eiotest.Start(t, engineio.Config{}, new(echoing))
		p, _ := s.Poll()
		p.Post("4x") // nobody fetches the answer
		ctx, cancel := context.WithCancelCause(t.Context())
		enough := errors.New("enough")
		cancel(enough)
		if err := s.Shutdown(ctx); !errors.Is(err, enough) {
			t.Error(err)
		}
		eiotest.Until(t, "no sessions", func() bool { return s.Len() == 0 })
	})
	t.Run("from a handler", func(t *testing.T) {
		done := make(chan error, 1)
		var s *eiotest.Server
		s = eiotest.Start(t, engineio.Config{}, eiotest.Handler{OnMessage: func(ss *engineio.Session, m engineio.Message) {
			done <- s.Shutdown(ss.Context())
		}})
		ws, _ := s.WS()
		other, _ := s.WS()
		ws.Send("4x")
		if got := other.Read(); got != "CLOSE(1005)" {
			t.Error(got)
		}
		go ws.Read()
		if err := eiotest.Wait(t, done); err != nil {
			t.Error(err)
		}
	})
	t.Run("Close from every callback", func(t *testing.T) {
		for _, where := range []string{"open", "message", "close"} {
			var s *eiotest.Server
			do := func(here string) {
				if here == where {
					_ = s.Close()
				}
			}
			ready := make(chan struct{})
			s = eiotest.Start(t, engineio.Config{}, eiotest.Handler{
				OnOpen:    func(*engineio.Session) error { <-ready; do("open"); return nil },
				OnMessage: func(*engineio.Session, engineio.Message) { do("message") },
				OnClose:   func(*engineio.Session, engineio.Reason, error) { do("close") },
			})
			close(ready)
			ws, resp := s.Upgrade("EIO=4&transport=websocket")
			if ws == nil {
				t.Fatal(resp.Status)
			}
			ws.Send("4x")
			ws.Raw(eiotest.AppendFrame(nil, 0x88, nil))
			eiotest.Until(t, "no sessions", func() bool { return s.Len() == 0 })
		}
	})
}

// TestOpen: what Open sends follows the handshake; what it refuses is refused;
// what it closes is closed.
func TestOpen(t *testing.T) {
	var closes atomic.Int64
	s := eiotest.Start(t, fixture(), eiotest.Handler{
		OnOpen: func(ss *engineio.Session) error {
			q := ss.Handshake().URL.Query()
			switch {
			case q.Has("refuse"):
				return errors.New("not you")
			case q.Has("close"):
				_ = ss.Send(engineio.Text("a"))
				ss.Close()
			case q.Has("discard"):
				ss.Discard()
			default:
				_ = ss.Send(engineio.Text("a"), engineio.Binary([]byte{1}))
				_ = ss.Send(engineio.Text("b"))
			}
			return nil
		},
		OnClose: func(*engineio.Session, engineio.Reason, error) { closes.Add(1) },
	})
	if _, a := s.Poll(); show(a) != opened+"␞4a␞bAQ==␞4b" {
		t.Error(show(a))
	}
	ws, open := s.WS()
	if got := masked(open) + " , " + ws.Read() + " , " + ws.Read() + " , " + ws.Read(); got != openedWS+" , 4a , <bin 01> , 4b" {
		t.Error(got)
	}
	if got := show(s.Do("GET", s.URL("EIO=4&transport=polling&refuse"), "")); got != `403 [application/json] {"code":4,"message":"not you"}` {
		t.Error(got)
	}
	ws, _ = s.Upgrade("EIO=4&transport=websocket&refuse")
	if got := ws.Read(); got != "CLOSE(1005)" {
		t.Error(got)
	}
	ws, _ = s.Upgrade("EIO=4&transport=websocket&close")
	if got := masked(ws.Read()) + " , " + ws.Read() + " , " + ws.Read(); got != openedWS+" , 4a , CLOSE(1005)" {
		t.Error(got)
	}
	ws, _ = s.Upgrade("EIO=4&transport=websocket&discard")
	if got := ws.Read(); got != "CLOSE(1005)" {
		t.Error(got)
	}
	eiotest.Until(t, "two closed", func() bool { return closes.Load() == 2 })
}

// TestContext carries what the request's context and Config.Connect gave, and
// ends with the cause. What Open keeps with SetData is there until then.
func TestContext(t *testing.T) {
	type key string
	cfg := engineio.Config{Connect: func(r *http.Request) (context.Context, error) {
		return context.WithValue(r.Context(), key("user"), "ada"), nil
	}}
	got := make(chan context.Context, 1)
	s := eiotest.Start(t, cfg, eiotest.Handler{OnOpen: func(ss *engineio.Session) error {
		ss.SetData(7)
		got <- ss.Context()
		return nil
	}})
	ws, open := s.WS()
	ctx := eiotest.Wait(t, got)
	if ss, ok := s.Session(eiotest.SID(t, open)); !ok || ss.Data() != 7 {
		t.Error("no data")
	}
	if ctx.Value(key("user")) != "ada" || ctx.Err() != nil {
		t.Error(ctx)
	}
	ws.Send("x")
	eiotest.Wait(t, ctx.Done())
	var end *engineio.DisconnectError
	if !errors.As(context.Cause(ctx), &end) || end.Reason != engineio.ParseError || end.Err == nil {
		t.Error(context.Cause(ctx))
	}
}

// TestCloseGivesUp: a client that does not take what is left is given up.
func TestCloseGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := new(echoing)
		s := eiotest.StartPipe(t, fixture(), e)
		p, _ := s.Poll()
		ss, _ := s.Session(p.SID)
		ss.Close()
		if err := ss.Send(engineio.Text("late")); !errors.Is(err, engineio.ErrClosed) {
			t.Error(err)
		}
		from := time.Now()
		<-ss.Context().Done()
		about(t, "end", time.Since(from), 200*time.Millisecond)
		synctest.Wait()
		if got := e.reasons(); len(got) != 1 || got[0] != "forced close" {
			t.Error(got)
		}
	})
}

// heap returns how much of the heap is in use.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // the first one only begins to empty the pools
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestManySessionsComeAndGo: 50,000 sessions at once, and the heap is back
// afterwards: registries shrink, and nothing holds what was a session.
func TestManySessionsComeAndGo(t *testing.T) {
	const n = 50_000
	came := 0
	srv, err := engineio.NewServer(engineio.Config{
		PingInterval: time.Hour, PingTimeout: time.Hour,
		Limits:     engineio.Limits{SessionsPerAddr: 1},
		ClientAddr: func(*http.Request) string { came++; return fmt.Sprint(came) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Handle(eiotest.Handler{OnOpen: func(ss *engineio.Session) error {
		ss.Subscribe("all", ss.Handshake().RemoteAddr)
		return nil
	}}); err != nil {
		t.Fatal(err)
	}
	comeAndGo := func(n int) (peak uint64) {
		r := httptest.NewRequest("GET", "/?EIO=4&transport=polling", nil)
		for range n {
			w := httptest.NewRecorder()
			srv.ServeHTTP(w, r)
			if w.Code != http.StatusOK {
				t.Fatal(w.Code)
			}
		}
		if srv.Len() != n {
			t.Errorf("%d sessions", srv.Len())
		}
		peak = heap()
		for ss := range srv.Sessions() {
			ss.Discard()
		}
		if srv.Len() != 0 {
			t.Errorf("%d sessions are left", srv.Len())
		}
		return peak
	}
	comeAndGo(100) // what exists once
	before := heap()
	peak := comeAndGo(n)
	// Pools and spare lists of some KB may be fuller than before.
	if after := heap(); float64(after) > float64(before)*1.1+64<<10 {
		t.Errorf("heap %d KB before, %d KB at the peak, %d KB after", before>>10, peak>>10, after>>10)
	}
	if err := srv.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}

// meddling writes nothing, and calls a function when a ping is to be written.
type meddling struct {
	closed chan struct{}
	ping   func()
}

func (l *meddling) Read() error                       { <-l.closed; return nil }
func (l *meddling) Write(b []engineio.Outgoing) error { return l.TryWrite(b) }
func (l *meddling) Close() {
	select {
	case <-l.closed:
	default:
		close(l.closed)
	}
}
func (l *meddling) TryWrite(b []engineio.Outgoing) error {
	for _, o := range b {
		for _, p := range o.Packets() {
			if p.Type == eioparser.Ping && l.ping != nil {
				l.ping()
			}
		}
	}
	return nil
}

type memory struct{ engineio.Polling }

func (memory) Name() string { return "memory" }

// restless is a link that asks to be read on some times.
type restless struct {
	meddling
	reads int
}

func (l *restless) Read() error {
	if l.reads++; l.reads < 4 {
		return engineio.ErrReadOn
	}
	return nil
}

// TestReadOn: a link is read on as often as it asks for it, and then has ended.
func TestReadOn(t *testing.T) {
	ended := make(chan engineio.Reason, 1)
	cfg := engineio.Config{Transports: []engineio.Transport{memory{}}}
	s := eiotest.Start(t, cfg, eiotest.Handler{
		OnClose: func(_ *engineio.Session, why engineio.Reason, _ error) { ended <- why },
	})
	l := &restless{meddling: meddling{closed: make(chan struct{})}}
	r, _ := http.NewRequest("GET", "/engine.io/?EIO=4&transport=memory", nil)
	if err := s.ServeConn(r, func(*engineio.Port) (engineio.Link, error) { return l, nil }); err != nil {
		t.Fatal(err)
	}
	if why := eiotest.Wait(t, ended); why != engineio.TransportClose || l.reads != 4 {
		t.Errorf("%s after %d reads", why, l.reads)
	}
}

// TestCloseIsPatient: a session that is closed at the moment of its heartbeat
// has its time to send what is queued.
func TestCloseIsPatient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan time.Time, 2)
		cfg := engineio.Config{Transports: []engineio.Transport{engineio.Polling{}, memory{}}}
		s := eiotest.StartPipe(t, cfg, eiotest.Handler{
			OnClose: func(*engineio.Session, engineio.Reason, error) { ended <- time.Now() },
		})
		p, _ := s.Poll()
		waiting, _ := s.Session(p.SID)
		_ = waiting.Send(engineio.Text("x"))
		var closed time.Time
		l := &meddling{closed: make(chan struct{})}
		l.ping = func() {
			closed = time.Now()
			waiting.Close()
		}
		r, _ := http.NewRequest("GET", "/engine.io/?EIO=4&transport=memory", nil)
		done := make(chan error, 1)
		go func() {
			done <- s.ServeConn(r, func(*engineio.Port) (engineio.Link, error) { return l, nil })
		}()
		if got := (<-ended).Sub(closed); got < 19*time.Second {
			t.Errorf("given up after %v", got)
		}
		l.Close()
		<-done
	})
}

// TestShutdownByTwoHandlers: they do not wait for each other.
func TestShutdownByTwoHandlers(t *testing.T) {
	var s *eiotest.Server
	var both sync.WaitGroup
	both.Add(2)
	done := make(chan error, 2)
	s = eiotest.Start(t, engineio.Config{}, eiotest.Handler{
		OnMessage: func(ss *engineio.Session, _ engineio.Message) {
			both.Done()
			both.Wait()
			done <- s.Shutdown(ss.Context())
		},
	})
	a, _ := s.WS()
	b, _ := s.WS()
	a.Send("4x")
	b.Send("4x")
	for range 2 {
		if err := eiotest.Wait(t, done); err != nil {
			t.Error(err)
		}
	}
}

// TestShutdownKeepsAHandlersDeadline: the context of a handler ends with its
// session; a deadline that it was given stays.
func TestShutdownKeepsAHandlersDeadline(t *testing.T) {
	var s *eiotest.Server
	hanging, release := make(chan struct{}), make(chan struct{})
	done := make(chan error, 1)
	s = eiotest.Start(t, engineio.Config{}, eiotest.Handler{
		OnMessage: func(ss *engineio.Session, m engineio.Message) {
			if string(m.Data) == "hang" {
				close(hanging)
				<-release
				return
			}
			<-hanging
			ctx, cancel := context.WithTimeout(ss.Context(), 100*time.Millisecond)
			defer cancel()
			done <- s.Shutdown(ctx)
		},
	})
	defer close(release)
	a, _ := s.WS()
	b, _ := s.WS()
	a.Send("4hang")
	b.Send("4stop")
	if err := eiotest.Wait(t, done); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}
