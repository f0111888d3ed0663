package engineio_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/engineio/internal/eiotest"
)

func TestTopics(t *testing.T) {
	s := eiotest.Start(t, engineio.Config{}, eiotest.Handler{OnOpen: func(ss *engineio.Session) error {
		if q := ss.Handshake().URL.Query()["topic"]; q != nil {
			ss.Subscribe(q...)
		}
		return nil
	}})
	a, _ := s.WS("topic=red", "topic=blue")
	b, open := s.WS("topic=red")
	c, _ := s.WS()
	p, _ := s.Poll("topic=blue")
	publish := func(m string, want int, topics ...string) {
		t.Helper()
		if n := s.Publish(topics, engineio.Text(m), 0); n != want {
			t.Errorf("%s: %d sessions, want %d", m, n, want)
		}
	}
	read := func(ws *eiotest.WS, n int) string {
		var got []string
		for range n {
			got = append(got, ws.Read())
		}
		return strings.Join(got, " ")
	}
	publish("1", 2, "red")
	publish("2", 3, "red", "blue") // once each
	publish("3", 0, "green")
	publish("4", 0)
	ss, _ := s.Session(eiotest.SID(t, open))
	ss.Unsubscribe("red", "never")
	publish("5", 1, "red")
	ss.Subscribe("red")
	publish("6", 2, "red")
	if got := read(b, 3); got != "41 42 46" {
		t.Error(got)
	}
	ss.Discard()
	publish("7", 1, "red")
	ss.Subscribe("red") // too late
	publish("8", 1, "red")
	if got := read(a, 6); got != "41 42 45 46 47 48" {
		t.Error(got)
	}
	if got := read(b, 1); got != "CLOSE(1005)" {
		t.Error(got)
	}
	if got := show(p.Get()); got != "200 42" {
		t.Error(got)
	}
	_ = c
}

// TestBroadcastToMany: more sessions than one goroutine writes, in order at
// each of them.
func TestBroadcastToMany(t *testing.T) {
	const n, messages = 200, 20
	s := eiotest.Start(t, engineio.Config{Transports: []engineio.Transport{engineio.WebSocket{Compression: &engineio.Deflate{Threshold: 64}}}},
		eiotest.Handler{OnOpen: func(ss *engineio.Session) error { ss.Subscribe("all"); return nil }})
	conns := make([]*eiotest.WS, n)
	for i := range conns {
		conns[i], _ = s.WS()
	}
	big := strings.Repeat("x", 9000)
	go func() {
		for i := range messages {
			m := fmt.Sprintf("%d", i)
			if i%5 == 4 {
				m += big
			}
			s.Publish([]string{"all"}, engineio.Text(m), 0)
		}
	}()
	var wg sync.WaitGroup
	for _, ws := range conns {
		wg.Go(func() {
			for i := range messages {
				want := fmt.Sprintf("4%d", i)
				if i%5 == 4 {
					want += big
				}
				if got := ws.Read(); got != want {
					t.Errorf("%.20s, want %.20s", got, want)
					return
				}
			}
		})
	}
	wg.Wait()
}
