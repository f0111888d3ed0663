package engineio_test

import (
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
