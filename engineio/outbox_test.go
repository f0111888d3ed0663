package engineio_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/engineio/internal/eiotest"
)

// TestSlowClient: a client that does not read is closed when its outbox is
// full, and nobody else notices.
func TestSlowClient(t *testing.T) {
	ended := make(chan error, 1)
	cfg := engineio.Config{Limits: engineio.Limits{Outbox: 1 << 20}, Logger: quiet}
	s := eiotest.Start(t, cfg, eiotest.Handler{
		OnMessage: eiotest.Echo,
		OnClose:   func(_ *engineio.Session, _ engineio.Reason, err error) { ended <- err },
	})
	other, _ := s.WS()
	_, open := s.WS() // does not read from now on
	ss, _ := s.Session(eiotest.SID(t, open))
	chunk := engineio.Text(strings.Repeat("a", 64<<10))
	var err error
	for range 10_000 {
		if err = ss.Send(chunk); err != nil {
			break
		}
		if got := ss.BufferedBytes(); got > 1<<20 {
			t.Fatalf("%d bytes buffered", got)
		}
	}
	if !errors.Is(err, engineio.ErrSlowClient) {
		t.Fatal(err)
	}
	if err := eiotest.Wait(t, ended); !errors.Is(err, engineio.ErrSlowClient) {
		t.Error(err)
	}
	if err := ss.Send(chunk); !errors.Is(err, engineio.ErrClosed) && !errors.Is(err, engineio.ErrSlowClient) {
		t.Error(err)
	}
	other.Send("4x")
	if got := other.Read(); got != "4x" {
		t.Error(got)
	}
	eiotest.Until(t, "memory given back", func() bool { return ss.BufferedBytes() == 0 })
}

// TestMessageBeyondTheOutbox: a message that is larger than the limit is no fault
// of a client that reads; the next one while it waits is.
func TestMessageBeyondTheOutbox(t *testing.T) {
	cfg := engineio.Config{Limits: engineio.Limits{Outbox: 1 << 20}, Logger: quiet}
	s := eiotest.Start(t, cfg, eiotest.Handler{})
	ws, open := s.WS()
	ss, _ := s.Session(eiotest.SID(t, open))
	huge := strings.Repeat("h", 8<<20)
	for range 2 {
		ss.Cork()
		if err := errors.Join(ss.Send(engineio.Text("small")), ss.Send(engineio.Text(huge))); err != nil {
			t.Fatal(err)
		}
		ss.Uncork()
		if first, second := ws.Read(), ws.Read(); first != "4small" || second != "4"+huge {
			t.Fatalf("%.20s, %d bytes", first, len(second))
		}
		eiotest.Until(t, "written", func() bool { return ss.BufferedBytes() == 0 })
	}
	ss.Cork()
	_ = ss.Send(engineio.Text(huge))
	if err := ss.Send(engineio.Text("small")); !errors.Is(err, engineio.ErrSlowClient) {
		t.Error(err)
	}
}

// TestSendNothing sends nothing: an empty payload would be no answer to a poll.
func TestSendNothing(t *testing.T) {
	s := eiotest.Start(t, engineio.Config{}, eiotest.Handler{})
	p, _ := s.Poll()
	ss, _ := s.Session(p.SID)
	if err := ss.Send(); err != nil {
		t.Error(err)
	}
	poll := p.Go()
	_ = ss.Send(engineio.Text("x"))
	if got := eiotest.Wait(t, poll); got.Body != "4x" {
		t.Errorf("%+v", got)
	}
}

// TestWriteTimeout: a client that stops reading below the outbox's limit is
// noticed too.
func TestWriteTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan error, 1)
		cfg := engineio.Config{PingInterval: time.Hour, PingTimeout: 5 * time.Second}
		s := eiotest.StartPipe(t, cfg, eiotest.Handler{
			OnClose: func(_ *engineio.Session, _ engineio.Reason, err error) { ended <- err },
		})
		_, open := s.WS()
		ss, _ := s.Session(eiotest.SID(t, open))
		from := time.Now()
		_ = ss.Send(engineio.Text("nobody reads this"))
		err := <-ended
		if err == nil || !strings.Contains(err.Error(), "timeout") {
			t.Error(err)
		}
		about(t, "end", time.Since(from), 5*time.Second)
	})
}

// TestNothingFollowsHalfAFrame: a frame that was given up in its middle is the
// last thing that is written. A close frame would be taken for its content.
func TestNothingFollowsHalfAFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan error, 1)
		cfg := engineio.Config{PingInterval: time.Hour, PingTimeout: 5 * time.Second, Logger: quiet}
		s := eiotest.StartPipe(t, cfg, eiotest.Handler{
			OnClose: func(_ *engineio.Session, _ engineio.Reason, err error) { ended <- err },
		})
		ws, open := s.WS()
		ss, _ := s.Session(eiotest.SID(t, open))
		_ = ss.Send(engineio.Text(strings.Repeat("a", 1000)))
		if _, err := io.ReadFull(ws.Conn, make([]byte, 10)); err != nil {
			t.Fatal(err)
		}
		<-ended // the rest is not read in time
		rest, err := io.ReadAll(ws.Conn)
		if err != nil || len(rest) > 0 {
			t.Errorf("then came %x, %v", rest, err)
		}
	})
}

// TestFlush: a producer that waits for room is never too fast.
func TestFlush(t *testing.T) {
	s := eiotest.Start(t, engineio.Config{Limits: engineio.Limits{Outbox: 1 << 20}}, eiotest.Handler{})
	ws, open := s.WS()
	ss, _ := s.Session(eiotest.SID(t, open))
	const n, size = 400, 100_000
	go func() {
		for range n {
			if err := ss.Flush(t.Context()); err != nil {
				t.Error(err)
				return
			}
			if err := ss.Send(engineio.Text(strings.Repeat("a", size))); err != nil {
				t.Error(err)
				return
			}
		}
	}()
	for range n {
		if got := ws.Read(); len(got) != size+1 {
			t.Fatalf("%.80s", got)
		}
	}
	if err := ss.Flush(t.Context()); err != nil {
		t.Error(err)
	}
	// A full outbox: Flush ends with its context, or with the session.
	stuck, open2 := s.WS()
	ss2, _ := s.Session(eiotest.SID(t, open2))
	for ss2.BufferedBytes() < 1<<19 {
		_ = ss2.Send(engineio.Text(strings.Repeat("a", 100_000)))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := ss2.Flush(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	done := make(chan error, 1)
	go func() { done <- ss2.Flush(t.Context()) }()
	stuck.Conn.Close()
	if err := eiotest.Wait(t, done); !errors.Is(err, engineio.ErrClosed) {
		t.Error(err)
	}
}

// TestCork: what is sent under a cork leaves together, and no cork lasts.
func TestCork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := eiotest.StartPipe(t, engineio.Config{}, eiotest.Handler{})
		ws, open := s.WS()
		ss, _ := s.Session(eiotest.SID(t, open))
		from := time.Now()
		ss.Cork()
		ss.Cork()
		_ = ss.Send(engineio.Text("a"))
		ss.Uncork()
		if ss.Wake(); ss.BufferedBytes() == 0 {
			t.Error("written behind a cork")
		}
		if got := ws.Read(); got != "4a" {
			t.Error(got)
		}
		if d := time.Since(from); d < time.Millisecond || d > 2*time.Millisecond {
			t.Errorf("a cork held for %v", d)
		}
		_ = ss.Send(engineio.Text("b"))
		ss.Uncork()
		if got := ws.Read(); got != "4b" {
			t.Error(got)
		}
		if d := time.Since(from); d > 2*time.Millisecond {
			t.Errorf("b after %v", d)
		}
		ss.Uncork() // one too many is nothing
		_ = ss.Send(engineio.Text("c"))
		if got := ws.Read(); got != "4c" {
			t.Error(got)
		}
	})
}

// TestEchoesOfABatchLeaveTogether: what comes in one segment is answered in
// one, unless that takes longer than a millisecond.
func TestEchoesOfABatchLeaveTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := eiotest.StartPipe(t, engineio.Config{}, eiotest.Handler{OnMessage: eiotest.Echo})
		ws, _ := s.WS()
		var batch, want []byte
		for i := range 16 {
			text := fmt.Sprintf("4message %d", i)
			batch = eiotest.AppendFrame(batch, 0x81, []byte(text))
			want = append(append(want, 0x81, byte(len(text))), text...)
		}
		ws.Raw(batch)
		buf := make([]byte, 4096)
		n, err := ws.Conn.Read(buf)
		if err != nil || string(buf[:n]) != string(want) {
			t.Errorf("one read gave %d bytes of %d: %v", n, len(want), err)
		}
	})
}

func TestVolatile(t *testing.T) {
	s := eiotest.Start(t, slow(), eiotest.Handler{})
	push := func(ss *engineio.Session, text string, f engineio.Flags) {
		t.Helper()
		if err := ss.Push(engineio.Prepare(engineio.Text(text)), f); err != nil {
			t.Error(err)
		}
	}
	t.Run("polling without a poll", func(t *testing.T) {
		p, _ := s.Poll()
		ss, _ := s.Session(p.SID)
		push(ss, "gone", engineio.Volatile)
		push(ss, "kept", 0)
		ss.Wake()
		if got := show(p.Get()); got != "200 4kept" {
			t.Error(got)
		}
	})
	t.Run("polling with a poll", func(t *testing.T) {
		p, _ := s.Poll()
		ss, _ := s.Session(p.SID)
		c := p.Go()
		eiotest.Until(t, "poll pending", ss.Writable)
		ss.Cork()
		push(ss, "a", 0)
		push(ss, "b", engineio.Volatile) // the same batch
		ss.Uncork()
		push(ss, "c", engineio.Volatile)
		if got := show(eiotest.Wait(t, c)); got != "200 4a␞4b" {
			t.Error(got)
		}
	})
	t.Run("upgrading", func(t *testing.T) {
		p, _ := s.Poll()
		ss, _ := s.Session(p.SID)
		ws, _ := s.Upgrade("EIO=4&transport=websocket&sid=" + p.SID)
		ws.Send("2probe")
		if got := ws.Read(); got != "3probe" {
			t.Error(got)
		}
		push(ss, "gone", engineio.Volatile)
		ws.Send("5")
		eiotest.Until(t, "upgraded", ss.Writable)
		push(ss, "kept", engineio.Volatile)
		ss.Wake()
		if got := ws.Read(); got != "4kept" {
			t.Error(got)
		}
	})
	t.Run("a peer that does not read", func(t *testing.T) {
		_, open := s.WS()
		ss, _ := s.Session(eiotest.SID(t, open))
		for ss.BufferedBytes() < 1<<20 {
			_ = ss.Send(engineio.Text(strings.Repeat("a", 1<<16)))
		}
		before := ss.BufferedBytes()
		push(ss, "gone", engineio.Volatile)
		if got := ss.BufferedBytes(); got > before {
			t.Errorf("%d bytes more", got-before)
		}
		if ss.Writable() {
			t.Error("writable")
		}
	})
}

// TestOrderOfSenders: what one goroutine sends arrives in order, whoever else
// sends, corks and wakes.
func TestOrderOfSenders(t *testing.T) {
	const senders, each = 8, 300
	s := eiotest.Start(t, engineio.Config{}, eiotest.Handler{})
	ws, open := s.WS()
	ss, _ := s.Session(eiotest.SID(t, open))
	var wg sync.WaitGroup
	for k := range senders {
		wg.Go(func() {
			for i := range each {
				switch i % 3 {
				case 0:
					_ = ss.Send(engineio.Text(fmt.Sprintf("%d:%d", k, i)))
				case 1:
					ss.Cork()
					_ = ss.Push(engineio.Prepare(engineio.Text(fmt.Sprintf("%d:%d", k, i))), 0)
					ss.Uncork()
				default:
					_ = ss.Push(engineio.Prepare(engineio.Text(fmt.Sprintf("%d:%d", k, i))), 0)
					s.Uncork([]*engineio.Session{ss})
				}
			}
		})
	}
	var next [senders]int
	for range senders * each {
		var k, i int
		text := ws.Read()
		if _, err := fmt.Sscanf(text, "4%d:%d", &k, &i); err != nil || i != next[k] {
			t.Fatalf("%q, want %d:%d", text, k, next[k])
		}
		next[k]++
	}
	wg.Wait()
}

// TestLargeMessages keep their bytes, whatever way they take.
func TestLargeMessages(t *testing.T) {
	s := eiotest.Start(t, engineio.Config{MaxPayload: 8 << 20}, eiotest.Handler{OnMessage: eiotest.Echo})
	ws, _ := s.WS()
	for _, n := range []int{1, 125, 126, 8191, 8192, 65535, 65536, 1 << 20, 5 << 20} {
		text := "4" + strings.Repeat("abcdefg", n/7+1)[:n]
		go ws.Send(text)
		if got := ws.Read(); got != text {
			t.Errorf("%d bytes: %d came back", n, len(got))
		}
	}
}

// TestManyLargeToStuckReader: several writes' worth wait, in order.
func TestMixedSizesThroughAFullSocket(t *testing.T) {
	s := eiotest.Start(t, engineio.Config{}, eiotest.Handler{})
	ws, open := s.WS()
	ss, _ := s.Session(eiotest.SID(t, open))
	var want []string
	total := 0
	for i := 0; total < 12<<20; i++ {
		text := fmt.Sprintf("%d:%s", i, strings.Repeat("x", []int{3, 100_000, 10, 9000, 300_000, 70}[i%6]))
		want = append(want, "4"+text)
		total += len(text)
		if err := ss.Send(engineio.Text(text)); err != nil {
			t.Fatal(err)
		}
	}
	for i, w := range want {
		if got := ws.Read(); got != w {
			t.Fatalf("message %d: %.40s (%d bytes), want %.40s (%d)", i, got, len(got), w, len(w))
		}
	}
	eiotest.Until(t, "all written", func() bool { return ss.BufferedBytes() == 0 })
}

// TestCorkIsBoundedBehindASlowPoll: what waited behind a cork for its time
// leaves with the next poll, although the cork is still there.
func TestCorkIsBoundedBehindASlowPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := eiotest.StartPipe(t, engineio.Config{}, eiotest.Handler{})
		p, _ := s.Poll()
		ss, _ := s.Session(p.SID)
		ss.Cork()
		defer ss.Uncork()
		_ = ss.Send(engineio.Text("x"))
		<-time.After(50 * time.Millisecond)
		from := time.Now()
		if a := p.Get(); a.Body != "4x" {
			t.Errorf("%+v", a)
		}
		if d := time.Since(from); d > 10*time.Millisecond {
			t.Errorf("after %v", d)
		}
	})
}
