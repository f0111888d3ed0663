package engineio_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/engineio/internal/eiotest"
)

// TestTrace follows a session from its handshake over its upgrade to its end.
func TestTrace(t *testing.T) {
	var mu sync.Mutex
	var in, out, moved []string
	note := func(list *[]string, what string) {
		mu.Lock()
		defer mu.Unlock()
		*list = append(*list, what)
	}
	text := func(p eioparser.Packet) string {
		what := string(eioparser.AppendPacket(nil, p))
		return what[:min(2, len(what))]
	}
	cfg := slow()
	cfg.Trace = &engineio.Trace{
		Received: func(_ *engineio.Session, p eioparser.Packet) { note(&in, text(p)) },
		Sending:  func(_ *engineio.Session, p eioparser.Packet) { note(&out, text(p)) },
		Upgraded: func(s *engineio.Session) { note(&moved, s.Transport()) },
	}
	s := eiotest.Start(t, cfg, new(echoing))
	p, _ := s.Poll()
	p.Post("4a")
	p.Get()
	ws, _ := s.Upgrade("EIO=4&transport=websocket&sid=" + p.SID)
	ws.Send("2probe")
	ws.Read()
	ws.Send("5")
	ws.Send("4b")
	ws.Read()
	ss, _ := s.Session(p.SID)
	engineio.Beat(ss)
	for ws.ReadAny() != "2" {
	}
	ws.Send("3")
	ws.Send("4close")
	for !strings.HasPrefix(ws.Read(), "CLOSE") {
	}
	eiotest.Wait(t, ss.Context().Done())
	mu.Lock()
	defer mu.Unlock()
	got := [][]string{in, out, moved}
	want := [][]string{{"4a", "4b", "3", "4c"}, {"0{", "4a", "4b", "2", "1"}, {"websocket"}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

// TestTracePanics: a panic ends its session and no other.
func TestTracePanics(t *testing.T) {
	var closes sync.Map
	cfg := slow()
	cfg.Logger = quiet
	cfg.Trace = &engineio.Trace{
		Received: func(_ *engineio.Session, p eioparser.Packet) {
			if string(p.Data) == "received" {
				panic("no")
			}
		},
		Sending: func(_ *engineio.Session, p eioparser.Packet) {
			if string(p.Data) == "sending" {
				panic("no")
			}
		},
		Upgraded: func(*engineio.Session) { panic("no") },
	}
	s := eiotest.Start(t, cfg, eiotest.Handler{
		OnMessage: eiotest.Echo,
		OnClose:   func(ss *engineio.Session, _ engineio.Reason, err error) { closes.Store(ss.ID(), fmt.Sprint(err)) },
	})
	expect := func(id, where string) {
		t.Helper()
		eiotest.Until(t, "the end by "+where, func() bool { _, ok := closes.Load(id); return ok })
		if err, _ := closes.Load(id); err != "engineio: panic in Trace."+where+": no" {
			t.Error(err)
		}
	}
	other, _ := s.WS()
	for message, where := range map[string]string{"4received": "Received", "4sending": "Sending"} {
		ws, open := s.WS()
		ws.Send(message)
		expect(eiotest.SID(t, open), where)
		p, _ := s.Poll()
		answer := p.Go()
		p.Post(message)
		eiotest.Wait(t, answer)
		expect(p.SID, where)
	}
	p, _ := s.Poll()
	ws, _ := s.Upgrade("EIO=4&transport=websocket&sid=" + p.SID)
	ws.Send("2probe")
	ws.Read()
	ws.Send("5")
	expect(p.SID, "Upgraded")
	other.Send("4x")
	if got := other.Read(); got != "4x" {
		t.Error(got)
	}
}
