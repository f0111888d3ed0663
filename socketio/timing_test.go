package socketio_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/socketio"
)

// The tests of this file run in a bubble with a clock of its own: they show
// what takes how long with the default configuration.

// inBubble runs a test with a server and one client on a pipe.
func inBubble(t *testing.T, f func(t *testing.T, srv *socketio.Server, c *pipeClient)) {
	inBubbleOf(t, quiet(), f)
}

// inBubbleOf is inBubble with a configuration.
func inBubbleOf(t *testing.T, config socketio.Config, f func(t *testing.T, srv *socketio.Server, c *pipeClient)) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t, piped(config))
		c := bubbleClient(t, srv)
		f(t, srv, c)
		if err := srv.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		<-c.served
	})
}

func bubbleClient(t *testing.T, srv *socketio.Server) *pipeClient {
	c := &pipeClient{frames: make(chan string, 1000)}
	c.pipeEnd = connectPipe(t, srv, func(e *pipeEnd, p *eioparser.Packet) {
		switch p.Type {
		case eioparser.Message:
			c.frames <- string(p.Data)
		case eioparser.Ping:
			c.pings.Add(1)
			e.pong()
		}
	})
	return c
}

// pipeClient is a pipeEnd that keeps what it gets.
type pipeClient struct {
	*pipeEnd
	frames chan string
	pings  atomic.Int64
}

// next returns what comes next as it is on the wire of a WebSocket, "CLOSE" at the
// end.
func (c *pipeClient) next() string {
	select {
	case f := <-c.frames:
		return "4" + f
	case <-c.served:
	}
	select {
	case f := <-c.frames: // it came before
		return "4" + f
	default:
		return "CLOSE"
	}
}

// expect is that of wire.
func (c *pipeClient) expect(t *testing.T, patterns ...string) {
	t.Helper()
	for _, p := range patterns {
		if f := c.next(); !matches(p, f) {
			t.Fatalf("frame %q, want %q", f, p)
		}
	}
}

// inFixture runs a test with the fixture and one client on a pipe.
func inFixture(t *testing.T, f func(t *testing.T, srv *socketio.Server, c *pipeClient)) {
	synctest.Test(t, func(t *testing.T) {
		srv := fixture(t, piped(quiet()))
		c := bubbleClient(t, srv)
		f(t, srv, c)
		if err := srv.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		<-c.served
	})
}

func TestReferenceInTime(t *testing.T) {
	for _, e := range timed {
		t.Run(e.id, func(t *testing.T) {
			inFixture(t, func(t *testing.T, _ *socketio.Server, c *pipeClient) {
				for _, f := range e.send {
					c.send(f[1:])
				}
				c.expect(t, e.want...)
			})
		})
	}
}

func TestPingsContinueAfterDisconnect(t *testing.T) { // S-DC-02, S-DC-15
	inFixture(t, func(t *testing.T, srv *socketio.Server, c *pipeClient) {
		c.send("0")
		c.expect(t, joinMain, `42["auth",{}]`)
		c.send("1")
		before := c.pings.Load()
		<-time.After(time.Minute)
		if n := c.pings.Load() - before; n < 100 { // one each 300 ms
			t.Error(n, "pings")
		}
		c.send("0/custom,")
		c.expect(t, `40/custom,{"sid":"<sid>"}`)
	})
}

func TestBroadcastAckEndsWithWhatHasCome(t *testing.T) { // S-RM-09
	inFixture(t, func(t *testing.T, srv *socketio.Server, a *pipeClient) {
		b := bubbleClient(t, srv)
		for _, c := range []*pipeClient{a, b} {
			c.send("0")
			c.expect(t, joinMain, `42["auth",{}]`)
		}
		a.send(`29["broadcast-ack",100]`)
		for _, c := range []*pipeClient{a, b} {
			request := c.next()
			if !matches(`42<n>["need-ack"]`, request) {
				t.Error(request)
			}
			if c == a {
				a.send("3" + strings.TrimSuffix(request[2:], `["need-ack"]`) + `["A"]`)
			}
		}
		a.expect(t, `439["operation has timed out",["A"]]`)
		b.Close()
		<-b.served
	})
}

func TestConnectTimeoutIs45Seconds(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *socketio.Server, c *pipeClient) {
		start := time.Now()
		<-c.served
		if d := time.Since(start); d < 45*time.Second || d > 46*time.Second {
			t.Errorf("closed after %v", d)
		}
	})
}

func TestConnectTimeoutEndsAtTheFirstNamespace(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *socketio.Server, c *pipeClient) {
		c.send("0")
		<-c.frames
		c.send("1") // it is not armed again
		select {
		case <-c.served:
			t.Error("closed")
		case <-time.After(10 * time.Minute):
		}
	})
}

func TestAckTimeoutIs10Seconds(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *socketio.Server, c *pipeClient) {
		sockets := make(chan *socketio.Socket, 1)
		srv.OnConnection(func(_ context.Context, s *socketio.Socket) { sockets <- s })
		c.send("0")
		s := <-sockets
		took := func(f func() error) time.Duration {
			start := time.Now()
			if err := f(); !errors.Is(err, socketio.ErrAckTimeout) {
				t.Error(err)
			}
			return time.Since(start)
		}
		for name, test := range map[string]struct {
			ask  func() error
			want time.Duration
		}{
			"one, no deadline": {func() error { _, err := s.EmitWithAck(t.Context(), "x"); return err }, 10 * time.Second},
			"one, timeout":     {func() error { _, err := s.Timeout(time.Minute).EmitWithAck(t.Context(), "x"); return err }, time.Minute},
			"one, deadline": {func() error {
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				_, err := s.EmitWithAck(ctx, "x")
				return err
			}, time.Hour},
			"all, no deadline": {func() error {
				var last error
				for _, err := range srv.EmitWithAck(t.Context(), "x") {
					last = err
				}
				return last
			}, 10 * time.Second},
			"all, timeout": {func() error {
				var last error
				for _, err := range srv.Timeout(3*time.Second).EmitWithAck(t.Context(), "x") {
					last = err
				}
				return last
			}, 3 * time.Second},
		} {
			if got := took(test.ask); got != test.want {
				t.Errorf("%s: %v, want %v", name, got, test.want)
			}
		}
	})
}

func TestDisconnectGraceIs5Seconds(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *socketio.Server, c *pipeClient) {
		release, began := make(chan struct{}), make(chan struct{})
		srv.On("hang", func(context.Context, *socketio.Event) error {
			close(began)
			<-release
			return nil
		})
		gone := make(chan time.Time, 1)
		srv.OnDisconnect(func(context.Context, *socketio.Socket, *socketio.DisconnectError) { gone <- time.Now() })
		c.send("0", `2["hang"]`)
		<-began
		start := time.Now()
		c.send("1")
		if d := (<-gone).Sub(start); d != 5*time.Second {
			t.Error(d)
		}
		close(release)
	})
}

// What a handler sent before it waits for something else does not wait with it.
func TestOutputOfABlockedHandlerLeavesAfterAMillisecond(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *socketio.Server, c *pipeClient) {
		release := make(chan struct{})
		srv.On("x", func(_ context.Context, ev *socketio.Event) error {
			for i := range 3 {
				if err := ev.Socket().Emit("y", i); err != nil {
					return err
				}
			}
			<-release
			return nil
		})
		c.send("0")
		<-c.frames
		start := time.Now()
		c.send(`2["x"]`)
		for i := range 3 {
			if got, want := <-c.frames, `2["y",`+strconv.Itoa(i)+`]`; got != want {
				t.Errorf("%q, want %q", got, want)
			}
		}
		if d := time.Since(start); d > 2*time.Millisecond { // the timer's own grain is another one
			t.Error("it left after", d)
		}
		close(release)
	})
}
