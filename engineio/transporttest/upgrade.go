package transporttest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/engineio"
)

// poller is a long-polling client: where upgrades come from.
type poller struct {
	b   *bench
	url string
}

// poll begins a long-polling session at the bench's server.
func (b *bench) poll() (*poller, *engineio.Session) {
	b.t.Helper()
	hs := httptest.NewServer(b.srv)
	b.t.Cleanup(hs.Close)
	b.t.Cleanup(func() { _ = b.srv.Close() }) // pending polls end before hs waits for them
	p := &poller{b: b, url: hs.URL + "/?EIO=4&transport=polling"}
	open, err := eioparser.DecodeText([]byte(p.get()))
	if err != nil {
		b.t.Fatal(err)
	}
	h, err := eioparser.ParseHandshake(open.Data)
	if err != nil {
		b.t.Fatal(err)
	}
	if want := b.sub.Transport.Name(); len(h.Upgrades) != 1 || h.Upgrades[0] != want {
		b.t.Errorf("upgrades of a long-polling session are %q, want %q", h.Upgrades, want)
	}
	p.url += "&sid=" + h.SID
	s, ok := b.srv.Session(h.SID)
	if !ok {
		b.t.Fatal("no session")
	}
	return p, s
}

func (p *poller) do(method, body string) string {
	p.b.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, p.url, strings.NewReader(body))
	if err != nil {
		p.b.t.Fatal(err)
	}
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: p.b.sub.Patience}).Do(r)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func (p *poller) get() string { return p.do("GET", "") }

// candidate connects for an upgrade of a session.
func (b *bench) candidate(s *engineio.Session) *peer {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), b.sub.Patience)
	defer cancel()
	c, err := b.sub.Dial(ctx, b.addr, "EIO=4&transport="+b.sub.Transport.Name()+"&sid="+s.ID())
	if err != nil {
		b.t.Fatalf("dial: %v", err)
	}
	b.t.Cleanup(func() { _ = c.Close() })
	return &peer{b: b, Client: c}
}

// probe asks whether the candidate works.
func (p *peer) probe() {
	p.b.t.Helper()
	if err := p.Client.Send(eioparser.Packet{Type: eioparser.Ping, Data: []byte("probe")}); err != nil {
		p.b.t.Fatal(err)
	}
	if got := p.receive(); got.Type != eioparser.Pong || string(got.Data) != "probe" {
		p.b.t.Fatalf("answer to the probe: %v %q", got.Type, got.Data)
	}
}

// upgrade: sessions move here from long-polling while messages flow both ways.
func (sub Subject) upgrade(t *testing.T) {
	b := sub.start(t, engineio.Config{Transports: []engineio.Transport{engineio.Polling{}}}, false)
	for range 5 {
		b.upgradeOnce()
	}
}

func (b *bench) upgradeOnce() {
	b.t.Helper()
	old, s := b.poll()
	const n = 60
	for i := range n / 3 {
		_ = s.Send(numbered(i))
	}
	got := 0
	take := func(p eioparser.Packet) {
		b.t.Helper()
		if p.Type == eioparser.Noop {
			return
		}
		if m := (engineio.Message{Binary: p.Binary, Data: p.Data}); !same(m, numbered(got)) {
			b.t.Fatalf("packet %d is %v %s, want %s", got, p.Type, describe(m), describe(numbered(got)))
		}
		got++
	}
	p := b.candidate(s)
	p.probe()
	if a := old.do("POST", "4first"); a != "ok" {
		b.t.Fatalf("post: %s", a)
	}
	for pkt, err := range eioparser.Payload([]byte(old.get())) {
		if err != nil {
			b.t.Fatal(err)
		}
		take(pkt)
	}
	for i := n / 3; i < 2*n/3; i++ {
		_ = s.Send(numbered(i))
	}
	if err := p.Client.Send(eioparser.Packet{Type: eioparser.Upgrade}); err != nil {
		b.t.Fatal(err)
	}
	p.send(engineio.Text("second"))
	for i := 2 * n / 3; i < n; i++ {
		_ = s.Send(numbered(i))
	}
	for got < n {
		take(p.receive())
	}
	for _, want := range []string{"first", "second"} {
		if m := await(b, b.messages, want); string(m.Data) != want {
			b.t.Errorf("got %s, want %q", describe(m), want)
		}
	}
	if name := s.Transport(); name != b.sub.Transport.Name() {
		b.t.Errorf("the session is on %s", name)
	}
	s.Close()
	p.expectEnd()
	if end := await(b, b.closes, "end of the session"); end.why != engineio.ForcedClose {
		b.t.Errorf("the session ended with %q, %v", end.why, end.err)
	}
}

// upgradeGivenUp: a candidate that breaks, or says the wrong thing, goes, and
// the session stays where it is.
func (sub Subject) upgradeGivenUp(t *testing.T) {
	b := sub.start(t, engineio.Config{Transports: []engineio.Transport{engineio.Polling{}}}, true)
	for i, spoil := range []func(*peer){
		func(p *peer) { _ = p.Close() },
		func(p *peer) { p.send(engineio.Text("too soon")); p.expectEnd() },
		func(p *peer) { p.probe(); _ = p.Close() },
		func(p *peer) { p.probe(); p.send(engineio.Text("too soon")); p.expectEnd() },
	} {
		old, s := b.poll()
		spoil(b.candidate(s))
		want := fmt.Sprintf("4still here %d", i)
		if a := old.do("POST", want); a != "ok" {
			t.Fatalf("post: %s", a)
		}
		a := old.get()
		for a == "6" { // an answer to the probe that came before
			a = old.get()
		}
		if a != want {
			t.Errorf("polling answers %q, want %q", a, want)
		}
	}
}
