package engineio_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/engineio/internal/eiotest"
)

// slack is what a time of the server may be late: a few ticks of its wheel.
const slack = 10 * time.Millisecond

// about checks a time against what it should be.
func about(t *testing.T, what string, got, want time.Duration) {
	t.Helper()
	if got < want || got > want+slack {
		t.Errorf("%s after %v, want %v", what, got, want)
	}
}

func TestHeartbeat(t *testing.T) {
	in := func(name string, f func(t *testing.T, s *eiotest.Server, e *echoing)) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := new(echoing)
				f(t, eiotest.StartPipe(t, fixture(), e), e)
			})
		})
	}
	in("E-HB-01,02", func(t *testing.T, s *eiotest.Server, e *echoing) {
		ws, _ := s.WS()
		from := time.Now()
		if got := ws.ReadAny(); got != "2" {
			t.Error(got)
		}
		about(t, "ping", time.Since(from), 300*time.Millisecond)
		if got := ws.ReadAny(); got != "CLOSE(1005)" {
			t.Error(got)
		}
		about(t, "close", time.Since(from), 500*time.Millisecond)
		synctest.Wait()
		if got := e.reasons(); len(got) != 1 || got[0] != "ping timeout" {
			t.Error(got)
		}
	})
	in("E-HB-03", func(t *testing.T, s *eiotest.Server, _ *echoing) {
		ws, _ := s.WS()
		ws.ReadAny()
		from := time.Now()
		<-time.After(150 * time.Millisecond)
		ws.Send("4a") // gives 200 ms more, once
		if got := ws.ReadAny(); got != "4a" {
			t.Error(got)
		}
		<-time.After(150 * time.Millisecond)
		ws.Send("4b")
		if got := ws.ReadAny(); got != "4b" {
			t.Error(got)
		}
		if got := ws.ReadAny(); got != "CLOSE(1005)" {
			t.Error(got)
		}
		about(t, "close", time.Since(from), 350*time.Millisecond)
	})
	in("E-HB-08", func(t *testing.T, s *eiotest.Server, _ *echoing) {
		ws, _ := s.WS()
		ws.ReadAny()
		<-time.After(100 * time.Millisecond)
		ws.Send("3")
		from := time.Now()
		if got := ws.ReadAny(); got != "2" {
			t.Error(got)
		}
		about(t, "next ping", time.Since(from), 300*time.Millisecond)
	})
	in("E-HB-09", func(t *testing.T, s *eiotest.Server, e *echoing) {
		p, _ := s.Poll()
		from := time.Now()
		if got := show(p.Get()); got != "200 2" {
			t.Error(got)
		}
		about(t, "ping", time.Since(from), 300*time.Millisecond)
		if got := show(p.Get()); got != "200 1" {
			t.Error(got)
		}
		about(t, "end", time.Since(from), 500*time.Millisecond)
		if got := show(p.Get()); got != unknownSID {
			t.Error(got)
		}
	})
	in("an unsolicited pong gives no credit", func(t *testing.T, s *eiotest.Server, _ *echoing) {
		ws, _ := s.WS()
		from := time.Now()
		<-time.After(200 * time.Millisecond)
		ws.Send("3")
		if got := ws.ReadAny(); got != "2" {
			t.Error(got)
		}
		about(t, "ping", time.Since(from), 300*time.Millisecond)
	})
	in("sessions that answer live on", func(t *testing.T, s *eiotest.Server, e *echoing) {
		ws, _ := s.WS()
		for range 100 {
			if got := ws.ReadAny(); got != "2" {
				t.Fatal(got)
			}
			ws.Send("3")
		}
		if s.Len() != 1 || len(e.reasons()) != 0 {
			t.Error(s.Len(), e.reasons())
		}
	})
	in("a slow body ends with the heartbeat", func(t *testing.T, s *eiotest.Server, e *echoing) {
		p, _ := s.Poll()
		c := s.Dial()
		go func() {
			_, _ = c.Write([]byte("POST /engine.io/?EIO=4&transport=polling&sid=" + p.SID + " HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n4abc"))
		}()
		from := time.Now()
		var b [1]byte
		_, _ = c.Read(b[:]) // an answer, or the end of the connection
		about(t, "end", time.Since(from), 500*time.Millisecond)
		synctest.Wait()
		if got := e.reasons(); len(got) != 1 || got[0] != "ping timeout" {
			t.Error(got)
		}
	})
}

// TestHeartbeatStops: a server without sessions has no timer left.
func TestHeartbeatStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := eiotest.StartPipe(t, engineio.Config{}, new(echoing))
		ws, _ := s.WS()
		ws.Send("4close")
		if got := ws.Read(); got != "CLOSE(1005)" {
			t.Error(got)
		}
		from := time.Now()
		s.Stop()
		if d := time.Since(from); d > time.Second {
			t.Errorf("stopping took %v", d)
		}
	})
}
