package transporttest

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/engineio"
)

// quiet keeps what these tests provoke out of the log.
var quiet = slog.New(slog.DiscardHandler)

// Run checks a transport. Each rule is a subtest of its own.
func Run(t *testing.T, sub Subject) {
	t.Run("Handshake", sub.handshake)
	t.Run("Contents", sub.contents)
	t.Run("OrderFromClient", sub.orderFromClient)
	t.Run("OrderToClient", sub.orderToClient)
	t.Run("ManySenders", sub.manySenders)
	t.Run("SharedMessages", sub.sharedMessages)
	t.Run("Backlog", sub.backlog)
	t.Run("SendersNeverBlock", sub.sendersNeverBlock)
	t.Run("WriteTimeout", sub.writeTimeout)
	t.Run("CloseDeliversWhatIsQueued", sub.closeDelivers)
	t.Run("NothingAfterDiscard", sub.nothingAfterDiscard)
	t.Run("ClientLeaves", sub.clientLeaves)
	t.Run("MaxPayload", sub.maxPayload)
	t.Run("BadPacket", sub.badPacket)
	t.Run("Heartbeat", sub.heartbeat)
	t.Run("Shutdown", sub.shutdown)
	if target, ok := sub.Transport.(engineio.UpgradeTarget); ok && target.UpgradesFrom(engineio.Polling{}.Name()) {
		t.Run("Upgrade", sub.upgrade)
		t.Run("UpgradeGivenUp", sub.upgradeGivenUp)
	}
}

// handshake: the open packet comes first, and what the handler sent with it.
func (sub Subject) handshake(t *testing.T) {
	b := sub.start(t, engineio.Config{}, false)
	for range 3 {
		_, s := b.dial()
		if got := s.Transport(); got != sub.Transport.Name() {
			t.Errorf("Session.Transport is %q, want %q", got, sub.Transport.Name())
		}
	}
	if n := b.srv.Len(); n != 3 {
		t.Errorf("%d sessions after three handshakes", n)
	}
}

// samples are messages of every kind and size.
func samples() []engineio.Message {
	list := []engineio.Message{
		engineio.Text(""), engineio.Text("hello"), engineio.Text("é€😀\u2028\n\r\t\x00\""),
		engineio.Binary([]byte{}), engineio.Binary([]byte{0}), engineio.Binary([]byte{0, 1, 0x1e, 0xff, 0x80}),
	}
	for _, n := range []int{125, 126, 127, 4095, 65535, 65536, 200_000} {
		list = append(list, engineio.Text(strings.Repeat("é", n/2)), engineio.Binary(bytes.Repeat([]byte{0xfe}, n)))
	}
	return list
}

func same(a, b engineio.Message) bool { return a.Binary == b.Binary && bytes.Equal(a.Data, b.Data) }

func describe(m engineio.Message) string {
	kind := "text"
	if m.Binary {
		kind = "binary"
	}
	if len(m.Data) > 40 {
		return fmt.Sprintf("%s of %d bytes, %q…", kind, len(m.Data), m.Data[:40])
	}
	return fmt.Sprintf("%s %q", kind, m.Data)
}

// contents: messages arrive as they were, both ways.
func (sub Subject) contents(t *testing.T) {
	b := sub.start(t, engineio.Config{}, true)
	p, _ := b.dial()
	for _, m := range samples() {
		p.send(m)
		if got := await(b, b.messages, "message at the server"); !same(got, m) {
			t.Errorf("the server got %s, sent was %s", describe(got), describe(m))
		}
		pkt := p.receive()
		if got := (engineio.Message{Binary: pkt.Binary, Data: pkt.Data}); pkt.Type != eioparser.Message || !same(got, m) {
			t.Errorf("the client got %v %s, sent was %s", pkt.Type, describe(got), describe(m))
		}
	}
}

// numbered is a message that says its place.
func numbered(i int) engineio.Message {
	text := fmt.Sprintf("%d:", i)
	if i%7 == 3 {
		text += strings.Repeat("x", 10_000)
	}
	if i%3 == 1 {
		return engineio.Binary([]byte(text))
	}
	return engineio.Text(text)
}

func (sub Subject) orderFromClient(t *testing.T) {
	b := sub.start(t, engineio.Config{}, false)
	p, _ := b.dial()
	const n = 300
	for i := range n {
		p.send(numbered(i))
	}
	for i := range n {
		if got := await(b, b.messages, fmt.Sprintf("message %d", i)); !same(got, numbered(i)) {
			t.Fatalf("message %d is %s, want %s", i, describe(got), describe(numbered(i)))
		}
	}
}

// expectNumbered reads n numbered messages.
func (p *peer) expectNumbered(n int) {
	p.b.t.Helper()
	for i := range n {
		pkt := p.receive()
		if got := (engineio.Message{Binary: pkt.Binary, Data: pkt.Data}); pkt.Type != eioparser.Message || !same(got, numbered(i)) {
			p.b.t.Fatalf("packet %d is %v %s, want %s", i, pkt.Type, describe(got), describe(numbered(i)))
		}
	}
}

func (sub Subject) orderToClient(t *testing.T) {
	b := sub.start(t, engineio.Config{}, false)
	p, s := b.dial()
	const n = 300
	go func() {
		for i := range n {
			if i%50 == 0 {
				s.Cork() // several in a batch
			}
			if err := s.Send(numbered(i)); err != nil {
				t.Errorf("send %d: %v", i, err)
			}
			if i%50 == 20 {
				s.Uncork()
			}
		}
	}()
	p.expectNumbered(n)
}

// manySenders: each sender's messages arrive once and in order.
func (sub Subject) manySenders(t *testing.T) {
	b := sub.start(t, engineio.Config{}, false)
	p, s := b.dial()
	const senders, each = 8, 100
	var wg sync.WaitGroup
	for k := range senders {
		wg.Go(func() {
			for i := range each {
				if err := s.Send(engineio.Text(fmt.Sprintf("%d %d", k, i))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	var next [senders]int
	for range senders * each {
		var k, i int
		pkt := p.receive()
		if _, err := fmt.Sscanf(string(pkt.Data), "%d %d", &k, &i); err != nil || k >= senders || i != next[k] {
			t.Fatalf("got %v %q while message %d of sender %d was due", pkt.Type, pkt.Data, next[min(k, senders-1)], k)
		}
		next[k]++
	}
	wg.Wait()
}

// sharedMessages: one Prepared goes to many sessions, alone and with others.
func (sub Subject) sharedMessages(t *testing.T) {
	b := sub.start(t, engineio.Config{}, false)
	var peers []*peer
	var sessions []*engineio.Session
	for range 5 {
		p, s := b.dial()
		peers, sessions = append(peers, p), append(sessions, s)
	}
	for _, m := range samples() {
		head := engineio.Text("head")
		shared := engineio.Prepare(head, m)
		for _, s := range sessions {
			if err := s.Push(shared, 0); err != nil {
				t.Fatal(err)
			}
		}
		b.srv.Uncork(sessions)
		for _, p := range peers {
			for _, want := range []engineio.Message{head, m} {
				pkt := p.receive()
				if got := (engineio.Message{Binary: pkt.Binary, Data: pkt.Data}); !same(got, want) {
					t.Fatalf("got %s, want %s", describe(got), describe(want))
				}
			}
		}
	}
}

// backlog: more than a connection holds waits for a client that reads late.
func (sub Subject) backlog(t *testing.T) {
	b := sub.start(t, engineio.Config{}, false)
	p, s := b.dial()
	const n = 3000 // some 4 MB
	for i := range n {
		if err := s.Send(numbered(i)); err != nil {
			t.Fatal(err)
		}
	}
	p.expectNumbered(n)
	b.written(s)
}

// written waits until everything counts as written that the client has.
func (b *bench) written(s *engineio.Session) {
	b.t.Helper()
	deadline := time.Now().Add(b.sub.Patience)
	for s.BufferedBytes() > 0 {
		if time.Now().After(deadline) {
			b.t.Fatalf("%d bytes count as not written although the client has everything", s.BufferedBytes())
		}
		b.pause()
	}
}

// pause gives others a moment.
func (b *bench) pause() {
	timer := time.NewTimer(time.Millisecond)
	<-timer.C
}

// sendersNeverBlock: a client that does not read fills the outbox, and then
// its session ends.
func (sub Subject) sendersNeverBlock(t *testing.T) {
	b := sub.start(t, engineio.Config{Limits: engineio.Limits{Outbox: 1 << 20}, Logger: quiet}, false)
	_, s := b.dial()
	b.written(s) // or whoever still writes the open packet goes on for the sender
	done := make(chan error, 1)
	go func() {
		chunk := engineio.Binary(make([]byte, 64<<10))
		for {
			if err := s.Send(chunk); err != nil {
				done <- err
				return
			}
		}
	}()
	if err := await(b, done, "Send returns an error for a client that does not read"); !errors.Is(err, engineio.ErrSlowClient) && !errors.Is(err, engineio.ErrClosed) {
		t.Errorf("Send: %v", err)
	}
	if end := await(b, b.closes, "end of the session"); !errors.Is(end.err, engineio.ErrSlowClient) {
		t.Errorf("the session ended with %q, %v", end.why, end.err)
	}
}

// writeTimeout: a write that makes no progress ends the session.
func (sub Subject) writeTimeout(t *testing.T) {
	b := sub.start(t, engineio.Config{PingInterval: time.Hour, PingTimeout: writing, Limits: engineio.Limits{Outbox: 64 << 20}}, false)
	_, s := b.dial()
	if sub.Unpushed {
		return // nothing is written before the client asks
	}
	for range 200 { // more than the buffers of two systems hold
		if err := s.Send(engineio.Binary(make([]byte, 256<<10))); err != nil {
			break
		}
	}
	end := await(b, b.closes, "end of a session whose client stopped reading (Port.WriteTimeout)")
	if end.why != engineio.TransportError || end.err == nil {
		t.Errorf("the session ended with %q, %v; want %q and the write's error", end.why, end.err, engineio.TransportError)
	}
}

// closeDelivers: Session.Close sends what is queued first.
func (sub Subject) closeDelivers(t *testing.T) {
	b := sub.start(t, engineio.Config{}, false)
	p, s := b.dial()
	const n = 100
	for i := range n {
		if err := s.Send(numbered(i)); err != nil {
			t.Fatal(err)
		}
	}
	s.Close()
	p.expectNumbered(n)
	p.expectEnd()
	if end := await(b, b.closes, "end of the session"); end.why != engineio.ForcedClose {
		t.Errorf("the session ended with %q, %v; want %q", end.why, end.err, engineio.ForcedClose)
	}
}

// expectEnd reads the end of the connection, which a close packet may announce.
func (p *peer) expectEnd() {
	p.b.t.Helper()
	for {
		pkt, err := p.next()
		if err != nil {
			return
		}
		if pkt.Type != eioparser.Close {
			p.b.t.Fatalf("%v %q after the end of the session", pkt.Type, pkt.Data)
		}
	}
}

// nothingAfterDiscard: a discarded session sends nothing any more.
func (sub Subject) nothingAfterDiscard(t *testing.T) {
	b := sub.start(t, engineio.Config{}, false)
	for range 10 {
		if t.Failed() {
			return
		}
		p, s := b.dial()
		s.Cork()
		if err := s.Send(engineio.Text("never")); err != nil {
			t.Fatal(err)
		}
		s.Discard()
		s.Uncork()
		p.expectEnd()
		if end := await(b, b.closes, "end of the session"); end.why != engineio.ForcedClose {
			t.Errorf("the session ended with %q, %v", end.why, end.err)
		}
	}
}

// clientLeaves: the server notices, once.
func (sub Subject) clientLeaves(t *testing.T) {
	b := sub.start(t, engineio.Config{PingInterval: writing, PingTimeout: writing}, true)
	for i := range 5 {
		p, _ := b.dial()
		if i%2 == 0 {
			p.send(engineio.Text("hello"))
			await(b, b.messages, "message")
		}
		_ = p.Close()
		end := await(b, b.closes, "end of a session whose client left")
		if end.why != engineio.TransportClose && end.why != engineio.TransportError && !(sub.Unpushed && end.why == engineio.PingTimeout) {
			t.Errorf("the session ended with %q, %v", end.why, end.err)
		}
	}
	if n := len(b.closes); n > 0 {
		t.Errorf("%d sessions ended twice", n)
	}
}

// maxPayload: a message of exactly the limit passes, a larger one ends the
// session and is not delivered. Over the wire a packet's type may count or not.
func (sub Subject) maxPayload(t *testing.T) {
	b := sub.start(t, engineio.Config{MaxPayload: 1000, Logger: quiet}, false)
	p, _ := b.dial()
	p.send(engineio.Text(strings.Repeat("a", 999)))
	if got := await(b, b.messages, "message of the largest size"); len(got.Data) != 999 {
		t.Errorf("%d bytes arrived", len(got.Data))
	}
	// The client may be cut off while it sends.
	_ = p.Client.Send(eioparser.Packet{Type: eioparser.Message, Data: []byte(strings.Repeat("a", 5000))})
	if !sub.Unpushed {
		await(b, b.closes, "end of a session whose client sent too much (Port.MaxPayload)")
	}
	select {
	case m := <-b.messages:
		t.Errorf("a message of %d bytes was delivered; the limit is 1000", len(m.Data))
	default:
	}
}

// badPacket: what is no packet ends the session with ParseError, and what came
// before it counts.
func (sub Subject) badPacket(t *testing.T) {
	b := sub.start(t, engineio.Config{Logger: quiet}, false)
	p, _ := b.dial()
	p.send(engineio.Text("good"))
	if err := p.Client.Send(eioparser.Packet{Type: 9}); err != nil {
		t.Fatal(err)
	}
	if got := await(b, b.messages, "message before the bad packet"); string(got.Data) != "good" {
		t.Errorf("got %s", describe(got))
	}
	if end := await(b, b.closes, "end of the session"); end.why != engineio.ParseError {
		t.Errorf("the session ended with %q, %v; want %q", end.why, end.err, engineio.ParseError)
	}
}

// heartbeat: pings arrive, pongs keep the session, and silence ends it.
func (sub Subject) heartbeat(t *testing.T) {
	// The timeout is long enough for a client on a busy machine.
	b := sub.start(t, engineio.Config{PingInterval: writing / 2, PingTimeout: 4 * writing}, false)
	p, s := b.dial()
	for range 2 {
		pkt, err := p.Client.Receive()
		for err == nil && pkt.Type == eioparser.Noop {
			pkt, err = p.Client.Receive()
		}
		if err != nil || pkt.Type != eioparser.Ping {
			t.Fatalf("got %v, %v; want a ping", pkt.Type, err)
		}
		if err := p.Client.Send(eioparser.Packet{Type: eioparser.Pong}); err != nil {
			t.Fatal(err)
		}
	}
	if s.State() != engineio.Open {
		t.Errorf("the session is %v", s.State())
	}
	if end := await(b, b.closes, "end of a silent session"); end.why != engineio.PingTimeout {
		t.Errorf("the session ended with %q, %v; want %q", end.why, end.err, engineio.PingTimeout)
	}
	if !sub.Unpushed {
		for {
			pkt, err := p.Client.Receive()
			if err != nil {
				break
			}
			if pkt.Type != eioparser.Ping && pkt.Type != eioparser.Close {
				t.Errorf("then %v", pkt.Type)
			}
		}
	}
}

// shutdown: Server.Shutdown returns while clients are connected and silent.
func (sub Subject) shutdown(t *testing.T) {
	b := sub.start(t, engineio.Config{}, false)
	for range 3 {
		b.dial()
	}
	b.stop()
	for range 3 {
		if end := await(b, b.closes, "end of the session"); end.why != engineio.ServerShuttingDown {
			t.Errorf("the session ended with %q", end.why)
		}
	}
}
