package engineio_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/engineio/internal/eiotest"
)

func TestUpgrade(t *testing.T) {
	e := new(echoing)
	s := eiotest.Start(t, slow(), e)
	candidate := func(p *eiotest.Poller) *eiotest.WS {
		t.Helper()
		ws, resp := s.Upgrade("EIO=4&transport=websocket&sid=" + p.SID)
		if ws == nil {
			t.Fatal(resp.Status)
		}
		return ws
	}
	check := func(t *testing.T, got ...string) {
		t.Helper()
		for i := 0; i < len(got); i += 2 {
			if got[i] != got[i+1] {
				t.Errorf("\n got %s\nwant %s", got[i], got[i+1])
			}
		}
	}
	stillPolling := func(t *testing.T, p *eiotest.Poller) {
		t.Helper()
		// A poll that comes while an upgrade is being given up may get a noop.
		p.Post("4y")
		got := show(p.Get())
		if got == "200 6" {
			got = show(p.Get())
		}
		check(t, got, "200 4y")
	}
	upgraded := func(t *testing.T) (*eiotest.Poller, *eiotest.WS) {
		p, _ := s.Poll()
		ws := candidate(p)
		ws.Send("2probe")
		check(t, ws.Read(), "3probe")
		ws.Send("5")
		return p, ws
	}
	t.Run("E-UP-01,02", func(t *testing.T) {
		p, _ := s.Poll()
		ss, _ := s.Session(p.SID)
		ws := candidate(p)
		_ = ss.Send(engineio.Text("for the poll")) // nothing of it goes to the candidate
		ws.Send("2probe")
		check(t, ws.Read(), "3probe", show(p.Get()), "200 4for the poll")
	})
	t.Run("E-UP-03,04", func(t *testing.T) {
		p, _ := s.Poll()
		c := p.Go()
		ws := candidate(p)
		ws.Send("2probe")
		check(t, ws.Read(), "3probe", show(eiotest.Wait(t, c)), "200 6", show(p.Get()), "200 6")
	})
	t.Run("E-UP-05", func(t *testing.T) {
		p, _ := s.Poll()
		ws := candidate(p)
		ws.Send("5")
		ws.Send("4x")
		check(t, ws.Read(), "4x", show(p.Get()), badRequest)
	})
	for id, send := range map[string][]string{
		"E-UP-06": {"4x"}, "E-UP-07": {"2"}, "E-UP-08": {"2hello"}, "E-UP-09": {"2probe", "4x"}, "not a packet": {"x"},
	} {
		t.Run(id, func(t *testing.T) {
			p, _ := s.Poll()
			ws := candidate(p)
			for _, m := range send {
				ws.Send(m)
			}
			if send[0] == "2probe" {
				check(t, ws.Read(), "3probe")
			}
			check(t, ws.Read(), "CLOSE(1005)")
			stillPolling(t, p)
		})
	}
	t.Run("E-UP-10", func(t *testing.T) {
		p, _ := s.Poll()
		ss, _ := s.Session(p.SID)
		ws := candidate(p)
		ws.Send("2probe")
		check(t, ws.Read(), "3probe")
		_ = ss.Send(engineio.Text("buffered"))
		ws.Send("5")
		check(t, ws.Read(), "4buffered")
	})
	t.Run("E-UP-11", func(t *testing.T) {
		p, _ := s.Poll()
		ss, _ := s.Session(p.SID)
		ws := candidate(p)
		c := p.Go()
		eiotest.Until(t, "poll pending", ss.Writable)
		ws.Send("5")
		ws.Send("4z")
		check(t, show(eiotest.Wait(t, c)), "200 1", ws.Read(), "4z")
	})
	t.Run("E-UP-12,13", func(t *testing.T) {
		p, ws := upgraded(t)
		ws.Send("4a")
		check(t, ws.Read(), "4a", show(p.Get()), badRequest, show(p.Post("4x")), badRequest)
		ws.Send("4b")
		check(t, ws.Read(), "4b")
	})
	t.Run("E-UP-14", func(t *testing.T) {
		p, ws := upgraded(t)
		ws.Send("4a")
		check(t, ws.Read(), "4a", candidate(p).Read(), "CLOSE(1005)")
		ws.Send("4x")
		check(t, ws.Read(), "4x")
	})
	t.Run("E-UP-15", func(t *testing.T) {
		p, _ := s.Poll()
		ws := candidate(p)
		ws.Send("2probe")
		check(t, ws.Read(), "3probe", candidate(p).Read(), "CLOSE(1005)")
		ws.Send("5")
		ws.Send("4x")
		check(t, ws.Read(), "4x")
	})
	t.Run("E-UP-16", func(t *testing.T) {
		p, _ := s.Poll()
		ws := candidate(p)
		ws.Send("2probe")
		check(t, ws.Read(), "3probe", ws.Read(), "CLOSE(1005)")
		stillPolling(t, p)
	})
	t.Run("E-UP-17", func(t *testing.T) {
		p, _ := s.Poll()
		ws := candidate(p)
		ws.Send("2probe")
		check(t, ws.Read(), "3probe")
		ws.Conn.Close()
		stillPolling(t, p)
		eiotest.Until(t, "a new attempt", func() bool {
			ws := candidate(p)
			ws.Send("2probe")
			return ws.Read() == "3probe"
		})
	})
	t.Run("E-UP-21", func(t *testing.T) {
		p, _ := s.Poll()
		ws := candidate(p)
		ws.Send("2probe")
		check(t, ws.Read(), "3probe", show(p.Post("1")), "200 ok", ws.Read(), "CLOSE(1005)")
	})
	t.Run("E-UP-22,23", func(t *testing.T) {
		_, ws := upgraded(t)
		ws.Send("1")
		ws.SendBinary([]byte{1, 2})
		check(t, ws.Read(), "<bin 0102>")
	})
	t.Run("transport", func(t *testing.T) {
		p, ws := upgraded(t)
		ss, _ := s.Session(p.SID)
		ws.Send("4a")
		check(t, ws.Read(), "4a", ss.Transport(), "websocket")
		ws.Conn.Close()
		eiotest.Wait(t, ss.Context().Done())
	})
}

// TestRequestsBesideTheUpgradePacket: the packet and a poll leave the client
// together, on two connections. Whichever arrives first, the poll is refused.
func TestRequestsBesideTheUpgradePacket(t *testing.T) {
	for _, c := range []struct {
		name    string
		act     func(p *eiotest.Poller, ws *eiotest.WS) <-chan eiotest.Answer
		want    string
		unasked bool // nothing was probed before
	}{
		{"the packet is first", func(p *eiotest.Poller, ws *eiotest.WS) <-chan eiotest.Answer {
			ws.Send("5")
			synctest.Wait()
			return p.Go()
		}, mismatch, false},
		{"the poll is first", func(p *eiotest.Poller, ws *eiotest.WS) <-chan eiotest.Answer {
			poll := p.Go()
			synctest.Wait() // it waits for the upgrade's outcome
			ws.Send("5")
			return poll
		}, mismatch, false},
		{"the poll is before the probe", func(p *eiotest.Poller, ws *eiotest.WS) <-chan eiotest.Answer {
			poll := p.Go()
			synctest.Wait()
			ws.Send("2probe")
			if got := ws.Read(); got != "3probe" { // not awaited, but a pipe holds nothing
				t.Error(got)
			}
			ws.Send("5")
			return poll
		}, mismatch, true},
		{"the packet is late", func(p *eiotest.Poller, ws *eiotest.WS) <-chan eiotest.Answer {
			poll := p.Go()
			<-time.After(200 * time.Millisecond) // the poll has been ended meanwhile
			ws.Send("5")
			return poll
		}, "200 6", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := eiotest.StartPipe(t, slow(), new(echoing))
				p, _ := s.Poll()
				ws, _ := s.Upgrade("EIO=4&transport=websocket&sid=" + p.SID)
				if !c.unasked {
					ws.Send("2probe")
					if got := ws.Read(); got != "3probe" {
						t.Fatal(got)
					}
				}
				if got := show(<-c.act(p, ws)); got != c.want {
					t.Errorf("got %s, want %s", got, c.want)
				}
				ws.Send("4y")
				if got := ws.Read(); got != "4y" {
					t.Error(got)
				}
			})
		})
	}
}

// probed returns a session of a server in a bubble, and a WebSocket that has asked
// to carry it.
func probed(t *testing.T) (*engineio.Session, *eiotest.WS) {
	t.Helper()
	s := eiotest.StartPipe(t, slow(), new(echoing))
	p, _ := s.Poll()
	session, _ := s.Session(p.SID)
	ws, _ := s.Upgrade("EIO=4&transport=websocket&sid=" + p.SID)
	ws.Send("2probe")
	if got := ws.Read(); got != "3probe" {
		t.Fatal(got)
	}
	return session, ws
}

// TestLateProbeAlarm: the wheel has taken the upgrade's alarm, to end a poll or
// to give the upgrade up, when the upgrade packet arrives. The session goes on.
func TestLateProbeAlarm(t *testing.T) {
	for name, late := range map[string]time.Duration{"to end a poll": 0, "to give up": time.Second} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ss, ws := probed(t)
				fire := engineio.ProbeAlarm(ss)
				ws.Send("5")
				synctest.Wait()
				<-time.After(late)
				fire()
				ws.Send("4y")
				if got := ws.Read(); got != "4y" {
					t.Error(got)
				}
			})
		})
	}
}

// TestRequestsRaceTheUpgradePacket is the same over a network, whose order
// nobody knows: whatever the poll gets, the session goes on.
func TestRequestsRaceTheUpgradePacket(t *testing.T) {
	s := eiotest.Start(t, engineio.Config{}, new(echoing))
	for i := range 200 {
		p, _ := s.Poll()
		ws, resp := s.Upgrade("EIO=4&transport=websocket&sid=" + p.SID)
		if ws == nil {
			t.Fatal(resp.Status)
		}
		ws.Send("2probe")
		if got := ws.Read(); got != "3probe" {
			t.Fatal(got)
		}
		var poll <-chan eiotest.Answer
		if i%2 == 0 {
			poll = p.Go()
			ws.Send("5")
		} else {
			ws.Send("5")
			poll = p.Go()
		}
		switch got := show(eiotest.Wait(t, poll)); got {
		case mismatch, "200 1", "200 6": // a poll that the upgrade found pending gets a 1
		default:
			t.Fatalf("%d: %s", i, got)
		}
		ws.Send("4y")
		if got := ws.Read(); got != "4y" {
			t.Fatal(got)
		}
		ws.Conn.Close()
	}
}

// TestCloseBesideAPoll: a poll and a close packet leave the client together.
func TestCloseBesideAPoll(t *testing.T) {
	s := eiotest.Start(t, slow(), new(echoing))
	for i := range 200 {
		p, _ := s.Poll()
		get, post := s.Dial(), s.Dial()
		one := fmt.Appendf(nil, "GET /engine.io/?EIO=4&transport=polling&sid=%s HTTP/1.1\r\nHost: x\r\n\r\n", p.SID)
		two := fmt.Appendf(nil, "POST /engine.io/?EIO=4&transport=polling&sid=%s HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n1", p.SID)
		if i%2 == 0 {
			_, _ = get.Write(one)
			_, _ = post.Write(two)
		} else {
			_, _ = post.Write(two)
			_, _ = get.Write(one)
		}
		r, err := http.ReadResponse(bufio.NewReader(get), nil)
		if err != nil {
			t.Fatal(err)
		}
		if b, _ := io.ReadAll(r.Body); r.StatusCode != 200 || string(b) != "6" {
			t.Fatalf("%d: %d %q", i, r.StatusCode, b)
		}
		get.Close()
		post.Close()
	}
}

// TestUpgradeKeepsTheHeartbeat is E-UP-25, and E-UP-26 as it should be: the
// reference forgets the ping that it sent before.
func TestUpgradeKeepsTheHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := new(echoing)
		s := eiotest.StartPipe(t, fixture(), e)
		p, _ := s.Poll()
		from := time.Now()
		if got := show(p.Get()); got != "200 2" {
			t.Error(got)
		}
		about(t, "ping", time.Since(from), 300*time.Millisecond)
		ws, _ := s.Upgrade("EIO=4&transport=websocket&sid=" + p.SID)
		ws.Send("5")
		if got := ws.ReadAny(); got != "CLOSE(1005)" {
			t.Error(got)
		}
		about(t, "end", time.Since(from), 500*time.Millisecond)
		synctest.Wait()
		if got := e.reasons(); len(got) != 1 || got[0] != "ping timeout" {
			t.Error(got)
		}
	})
}

// TestUpgradeKeepsPackets: sessions upgrade while messages flow both ways, and
// every message arrives once and in order.
func TestUpgradeKeepsPackets(t *testing.T) {
	const each = 40
	sessions := 300
	if testing.Short() {
		sessions = 30
	}
	var arrived sync.Map // session id → *atomic.Int64, next expected
	var bad atomic.Int64
	s := eiotest.Start(t, engineio.Config{}, eiotest.Handler{
		OnOpen: func(ss *engineio.Session) error {
			arrived.Store(ss.ID(), new(atomic.Int64))
			return nil
		},
		OnMessage: func(ss *engineio.Session, m engineio.Message) {
			next, _ := arrived.Load(ss.ID())
			n := next.(*atomic.Int64).Add(1) - 1
			if string(m.Data) != fmt.Sprint(n) {
				bad.Add(1)
			}
		},
	})
	var wg sync.WaitGroup
	limit := make(chan struct{}, 16)
	for range sessions {
		limit <- struct{}{}
		wg.Go(func() {
			defer func() { <-limit }()
			upgradeWithTraffic(t, s, each)
		})
	}
	wg.Wait()
	arrived.Range(func(k, v any) bool {
		if n := v.(*atomic.Int64).Load(); n != each {
			t.Errorf("%d messages arrived, want %d", n, each)
		}
		return true
	})
	if n := bad.Load(); n > 0 {
		t.Errorf("%d messages out of order", n)
	}
}

// upgradeWithTraffic behaves as the official client does: it polls and posts,
// probes, pauses polling when the probe is answered, and upgrades.
func upgradeWithTraffic(t *testing.T, s *eiotest.Server, each int) {
	p, _ := s.Poll()
	ss, ok := s.Session(p.SID)
	if !ok {
		t.Error("no session")
		return
	}
	go func() { // the server sends all the time
		for i := range each {
			_ = ss.Send(engineio.Text(fmt.Sprint(i)))
		}
	}()
	got := 0
	take := func(packet string) {
		if packet == "6" {
			return
		}
		if packet != fmt.Sprintf("4%d", got) {
			t.Errorf("got %q, want 4%d", packet, got)
		}
		got++
	}
	sent := 0
	post := func(n int) {
		var parts []string
		for range n {
			parts = append(parts, fmt.Sprintf("4%d", sent))
			sent++
		}
		if a := p.Post(strings.Join(parts, "\x1e")); a.Body != "ok" {
			t.Errorf("post: %+v", a)
		}
	}
	post(each / 4)
	polling := p.Go()
	ws, resp := s.Upgrade("EIO=4&transport=websocket&sid=" + p.SID)
	if ws == nil {
		t.Error(resp.Status)
		return
	}
	ws.Send("2probe")
	post(each / 4)
	if r := ws.Read(); r != "3probe" {
		t.Errorf("probe: %s", r)
		return
	}
	// Pause: the poll that is pending must end, posts must be answered.
	for packet := range strings.SplitSeq(eiotest.Wait(t, polling).Body, "\x1e") {
		take(packet)
	}
	ws.Send("5")
	for sent < each {
		ws.Send(fmt.Sprintf("4%d", sent))
		sent++
	}
	for got < each {
		take(ws.Read())
	}
	ws.Raw(eiotest.AppendFrame(nil, 0x88, nil))
	if r := ws.Read(); r != "CLOSE(1005)" {
		t.Errorf("then %s", r)
	}
	ws.Conn.Close()
	<-ss.Context().Done()
}
