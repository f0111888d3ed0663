package engineio_test

import (
	"bytes"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/engineio/internal/eiotest"
)

// TestPongsAreCoalesced: a client that pings and never reads costs one pending
// pong.
func TestPongsAreCoalesced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := eiotest.StartPipe(t, engineio.Config{}, eiotest.Handler{})
		ws, open := s.WS()
		ss, _ := s.Session(eiotest.SID(t, open))
		synctest.Wait() // until the write of the open packet is accounted for
		for i := range 1000 {
			ws.Raw(eiotest.AppendFrame(nil, 0x89, fmt.Appendf(nil, "%d", i)))
		}
		synctest.Wait()
		if got := ss.BufferedBytes(); got != 0 {
			t.Errorf("%d bytes buffered", got)
		}
		first := ws.ReadAny() // was being written when the others came
		if got := ws.ReadAny(); got != "pong(999)" {
			t.Errorf("%s, then %s", first, got)
		}
	})
}

// TestFragmentsAreBounded: fragments without end, even empty ones, and pings
// between them end the session.
func TestFragmentsAreBounded(t *testing.T) {
	for name, frame := range map[string][]byte{
		"empty fragments": eiotest.AppendFrame(nil, 0, nil),
		"pings":           eiotest.AppendFrame(nil, 0x89, bytes.Repeat([]byte("p"), 125)),
	} {
		t.Run(name, func(t *testing.T) {
			s := eiotest.Start(t, small(), eiotest.Handler{})
			ws, open := s.WS()
			ss, _ := s.Session(eiotest.SID(t, open))
			ws.Raw(eiotest.AppendFrame(nil, 1, []byte("4")))
			flood := bytes.Repeat(frame, 64<<10/len(frame))
			go func() {
				for range 100 {
					if _, err := ws.Conn.Write(flood); err != nil {
						return
					}
				}
			}()
			eiotest.Wait(t, ss.Context().Done())
		})
	}
}

// TestAnnouncedLengthCostsNothing: a frame header that announces a lot is
// refused from the header, and a body's Content-Length is only a promise.
func TestAnnouncedLengthCostsNothing(t *testing.T) {
	s := eiotest.Start(t, engineio.Config{MaxPayload: 64 << 20}, eiotest.Handler{})
	var m0, m1 runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m0)
	for range 20 {
		ws, _ := s.WS()
		ws.Raw([]byte{0x82, 0xff, 0, 0, 0, 0, 3, 0xff, 0xff, 0xff, 1, 2, 3, 4, 5, 6, 7}) // just below the limit
		p, _ := s.Poll()
		c := s.Dial()
		fmt.Fprintf(c, "POST /engine.io/?EIO=4&transport=polling&sid=%s HTTP/1.1\r\nHost: x\r\nContent-Length: 67000000\r\n\r\n4abc", p.SID)
	}
	runtime.GC()
	runtime.ReadMemStats(&m1)
	if grown := int64(m1.HeapAlloc) - int64(m0.HeapAlloc); grown > 10<<20 {
		t.Errorf("heap grew by %d KB", grown>>10)
	}
}

// TestHalfAMillionPackets in one body cost the others nothing.
func TestHalfAMillionPackets(t *testing.T) {
	n := 0
	done := make(chan int, 1)
	s := eiotest.Start(t, engineio.Config{}, eiotest.Handler{OnMessage: func(ss *engineio.Session, m engineio.Message) {
		if n++; n == 499_999 {
			done <- n
		}
	}})
	p, _ := s.Poll()
	body := strings.Repeat("4\x1e", 499_998) + "4"
	if got := show(p.Post(body)); got != "200 ok" {
		t.Error(got)
	}
	if got := eiotest.Wait(t, done); got != 499_999 {
		t.Error(got)
	}
}

// TestUnfinishedUpgradesAreReclaimed: candidates that never speak have no
// timer of their own and go after the timeout.
func TestUnfinishedUpgradesAreReclaimed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := eiotest.StartPipe(t, engineio.Config{UpgradeTimeout: 3 * time.Second}, eiotest.Handler{})
		p, _ := s.Poll()
		ws, _ := s.Upgrade("EIO=4&transport=websocket&sid=" + p.SID)
		from := time.Now()
		if got := ws.ReadAny(); got != "CLOSE(1005)" {
			t.Error(got)
		}
		about(t, "given up", time.Since(from), 3*time.Second)
		if s.Len() != 1 {
			t.Error("the session is gone")
		}
	})
}

// TestEventsPerSecond: bursts up to the limit are free, more ends the session.
func TestEventsPerSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := eiotest.StartPipe(t, engineio.Config{Limits: engineio.Limits{EventsPerSecond: 10}}, eiotest.Handler{OnMessage: eiotest.Echo})
		ws, open := s.WS()
		ss, _ := s.Session(eiotest.SID(t, open))
		for range 3 {
			for range 10 {
				ws.Send("4x")
				if got := ws.ReadAny(); got != "4x" {
					t.Fatal(got)
				}
			}
			<-time.After(time.Second)
		}
		for range 11 {
			go ws.Send("4x")
			ws.ReadAny()
		}
		<-ss.Context().Done()
	})
}

func TestSessionLimits(t *testing.T) {
	t.Run("all", func(t *testing.T) {
		s := eiotest.Start(t, engineio.Config{Limits: engineio.Limits{Sessions: 2}}, eiotest.Handler{})
		p, _ := s.Poll()
		s.WS()
		if a := s.Do("GET", s.URL("EIO=4&transport=polling"), ""); a.Status != 503 {
			t.Errorf("%+v", a)
		}
		p.Post("1")
		eiotest.Until(t, "room again", func() bool { return s.Do("GET", s.URL("EIO=4&transport=polling"), "").Status == 200 })
	})
	t.Run("one address", func(t *testing.T) {
		cfg := engineio.Config{Limits: engineio.Limits{SessionsPerAddr: 1}, ClientAddr: func(r *http.Request) string { return r.Header.Get("X-Test") }}
		s := eiotest.Start(t, cfg, eiotest.Handler{})
		get := func(addr string) int {
			return s.Do("GET", s.URL("EIO=4&transport=polling"), "", "X-Test", addr).Status
		}
		if a, b, c := get("a"), get("a"), get("b"); a != 200 || b != 429 || c != 200 {
			t.Error(a, b, c)
		}
		for ss := range s.Sessions() {
			ss.Discard()
		}
		if a := get("a"); a != 200 {
			t.Error(a)
		}
	})
}

// TestAdaptiveTimeout notices a dead client sooner than the protocol promises.
func TestAdaptiveTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := eiotest.StartPipe(t, engineio.Config{PingInterval: 5 * time.Second, AdaptiveTimeout: true}, eiotest.Handler{})
		ws, open := s.WS()
		ss, _ := s.Session(eiotest.SID(t, open))
		for range 3 {
			if got := ws.ReadAny(); got != "2" {
				t.Fatal(got)
			}
			<-time.After(400 * time.Millisecond)
			ws.Send("3")
		}
		if got := ss.RTT(); got != 0 && (got < 400*time.Millisecond || got > 410*time.Millisecond) {
			t.Error(got)
		}
		if got := ws.ReadAny(); got != "2" {
			t.Fatal(got)
		}
		from := time.Now()
		if got := ws.ReadAny(); got != "CLOSE(1005)" {
			t.Error(got)
		}
		if d := time.Since(from); d < 1500*time.Millisecond || d > 1800*time.Millisecond {
			t.Errorf("after %v", d)
		}
	})
}
