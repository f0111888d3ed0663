package engineio_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/engineio/internal/eiotest"
)

// TestCorkBehindWhatIsQueued: what was queued before there was a cork does not wait
// for it longer than what is queued behind it, nor does a link's own pong.
func TestCorkBehindWhatIsQueued(t *testing.T) {
	const ping, pong = 0x89, 0x8a
	text := engineio.Text("x")
	for name, run := range map[string]func(s *eiotest.Server) (*engineio.Session, func() string){
		"pushed": func(s *eiotest.Server) (*engineio.Session, func() string) {
			ws, open := s.WS()
			ss, _ := s.Session(eiotest.SID(t, open))
			_ = ss.Push(engineio.Prepare(text), 0)
			return ss, ws.Read
		},
		"between two polls": func(s *eiotest.Server) (*engineio.Session, func() string) {
			p, _ := s.Poll()
			ss, _ := s.Session(p.SID)
			_ = ss.Send(text)
			return ss, func() string { return p.Get().Body }
		},
		"pong": func(s *eiotest.Server) (*engineio.Session, func() string) {
			ws, open := s.WS()
			ss, _ := s.Session(eiotest.SID(t, open))
			return ss, func() string {
				go ws.Raw(eiotest.AppendFrame(nil, ping, []byte("4x")))
				if b0, data, err := ws.Frame(); err == nil && b0 == pong {
					return string(data)
				}
				return "no pong"
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ss, read := run(eiotest.StartPipe(t, slow(), eiotest.Handler{}))
				ss.Cork()
				ss.Wake()
				time.AfterFunc(5*time.Second, ss.Uncork) // a handler that takes its time
				from := time.Now()
				if got := read(); got != "4x" {
					t.Error(got)
				}
				if d := time.Since(from); d > 2*time.Millisecond {
					t.Errorf("after %v", d)
				}
			})
		})
	}
}

// shutdownWithin calls Shutdown as a handler of ss would, for at most a minute.
func shutdownWithin(s *eiotest.Server, ss *engineio.Session) error {
	ctx, cancel := context.WithTimeout(ss.Context(), time.Minute)
	defer cancel()
	return s.Shutdown(ctx)
}

// TestShutdownFromEveryCallback: it waits neither for the call that it is in, nor
// for the session, which cannot end before.
func TestShutdownFromEveryCallback(t *testing.T) {
	for _, where := range []string{"open", "message", "close", "discard"} {
		t.Run(where, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var s *eiotest.Server
				done := make(chan error, 1)
				do := func(ss *engineio.Session, here string) {
					if here == where || here == "close" && where == "discard" {
						done <- shutdownWithin(s, ss)
					}
				}
				s = eiotest.StartPipe(t, engineio.Config{}, eiotest.Handler{
					OnOpen:    func(ss *engineio.Session) error { do(ss, "open"); return nil },
					OnMessage: func(ss *engineio.Session, _ engineio.Message) { do(ss, "message") },
					OnClose:   func(ss *engineio.Session, _ engineio.Reason, _ error) { do(ss, "close") },
				})
				ws, open := s.WS()
				switch where {
				case "message":
					ws.Send("4x")
					ws.Read()
				case "close":
					_ = ws.Conn.Close()
				case "discard":
					ss, _ := s.Session(eiotest.SID(t, open))
					go ss.Discard()
					ws.Read()
				}
				if err := <-done; err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestShutdownBesideAHandler: the handler that is at work when Shutdown is called
// is not the one that calls it. When it has returned, its place is nobody else's.
func TestShutdownBesideAHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, out := make(chan struct{}), make(chan struct{})
		s := eiotest.StartPipe(t, engineio.Config{}, eiotest.Handler{OnMessage: func(*engineio.Session, engineio.Message) {
			close(in)
			<-out
		}})
		ws, open := s.WS()
		ss, _ := s.Session(eiotest.SID(t, open))
		p, _ := s.Poll() // who fetches nothing is waited for
		other, _ := s.Session(p.SID)
		_ = other.Send(engineio.Text("x"))
		ws.Send("4x")
		<-in
		done := make(chan error, 1)
		go func() { done <- shutdownWithin(s, ss) }()
		synctest.Wait()
		close(out)
		ws.Read()
		_ = ws.Conn.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if n := s.Len(); n != 0 {
			t.Errorf("%d sessions", n)
		}
	})
}

// lateFailure does what a test says when somebody looks at it.
type lateFailure struct{ seen func() }

func (e lateFailure) Error() string { return "broken" }

func (e lateFailure) Is(error) bool {
	e.seen()
	return false
}

// TestLinkFailsWhileItIsLeft: the upgrade packet arrives when somebody has begun to
// end the session for the old link.
func TestLinkFailsWhileItIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ss, ws := probed(t)
		var once sync.Once
		engineio.LivePort(ss).Fail(lateFailure{func() {
			once.Do(func() {
				ws.Send("5")
				synctest.Wait()
			})
		}})
		ws.Send("4y")
		if got := ws.Read(); got != "4y" {
			t.Error(got)
		}
	})
}

// TestDiscardWhileWriting: who ends a session while somebody writes to its link does
// not keep the close frame from leaving.
func TestDiscardWhileWriting(t *testing.T) {
	s := eiotest.Start(t, engineio.Config{}, eiotest.Handler{})
	for range 500 {
		ws, open := s.WS()
		ss, _ := s.Session(eiotest.SID(t, open))
		begin := make(chan struct{})
		var both sync.WaitGroup
		for range 4 {
			both.Go(func() {
				<-begin
				for n := 0; n < 1000 && ss.Send(engineio.Text("x")) == nil; n++ { // which never fill the connection
				}
			})
		}
		both.Go(func() {
			<-begin
			ss.Discard()
		})
		close(begin)
		got := ws.Read()
		for got == "4x" {
			got = ws.Read()
		}
		if got != "CLOSE(1005)" {
			t.Fatal(got)
		}
		_ = ws.Conn.Close()
		both.Wait()
	}
}
