package client_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/siokit/siokit/engineio"
	engine "github.com/siokit/siokit/engineio/client"
	"github.com/siokit/siokit/socketio/client"
)

// TestReopenWhileConnecting: a connection that nobody wanted any more when it came
// about is not used by who wants one since: it is being closed.
func TestReopenWhileConnecting(t *testing.T) {
	sc := newScript(t, nil)
	var c *client.Client
	again := false
	c = sc.net.Client(overWebSocket(client.Config{Prepare: func(context.Context, int, *engine.Config) error {
		if again {
			return nil
		}
		again = true
		locked, ready := make(chan struct{}), make(chan struct{})
		go c.Reopen(locked, ready)
		<-locked
		time.AfterFunc(50*time.Millisecond, func() { close(ready) }) // the handshake is through by then
		return nil
	}})).Client
	failed := make(chan error, 10)
	c.OnConnectError(func(_ context.Context, err error) { failed <- err })
	joined := make(chan struct{}, 10)
	c.OnConnect(func(context.Context) { joined <- struct{}{} })
	if err := c.Open(); err != nil {
		t.Fatal(err)
	}
	<-joined
	select {
	case err := <-failed:
		t.Error(err)
	default:
	}
	sc.mu.Lock()
	defer sc.mu.Unlock()
	if len(sc.got) != 1 {
		t.Errorf("at the server %q", sc.got)
	}
}

// TestRefusedWhenTimeIsOver: a CONNECT is answered at the moment when its time is
// over. If the answer counts, the connection, over which another one is under way,
// stays.
func TestRefusedWhenTimeIsOver(t *testing.T) {
	for range 50 {
		bubble(t, func(t *testing.T) {
			sessions := 0
			sc := newScript(t, func(s *engineio.Session, text string) {
				switch {
				case strings.HasPrefix(text, "0/a"):
					time.AfterFunc(time.Second, func() { say(s, `4/a,{"message":"no"}`) })
				case strings.HasPrefix(text, "0/b"):
					sessions++
					time.AfterFunc(500*time.Millisecond, func() { say(s, connected("/b", "b")) })
				}
			})
			c := sc.net.Client(overWebSocket(client.Config{Timeout: time.Second}))
			answers := make(chan error, 10)
			c.Of("/a").OnConnectError(func(_ context.Context, err error) { answers <- err })
			if err := c.Of("/a").Open(); err != nil {
				t.Fatal(err)
			}
			<-time.After(700 * time.Millisecond)
			if err := c.Of("/b").Connect(t.Context()); err != nil {
				t.Fatal(err)
			}
			var refused *client.ConnectError
			if err := <-answers; errors.As(err, &refused) && sessions != 1 {
				t.Errorf("%d sessions", sessions)
			}
		})
	}
}

// TestJoinedWhenNobodyWaits: the waiting ends when the socket has joined, before the
// courier has seen that.
func TestJoinedWhenNobodyWaits(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sc := newScript(t, func(*engineio.Session, string) {})
		c := sc.net.Client(overWebSocket(client.Config{Retries: 1}))
		if err := c.Open(); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			if _, err := c.EmitWithAck(ctx, "late"); err == nil {
				t.Error("no error")
			}
		}()
		sc.expect("0")
		c.Welcome(cancel)
		<-done
		sc.expect()
	})
}

// TestLostBeforeTheAnswer: what a server replays before it answers CONNECT, and the
// client drops because the connection is lost in between, is asked for again.
func TestLostBeforeTheAnswer(t *testing.T) {
	bubble(t, func(t *testing.T) {
		connects := 0
		sc := newScript(t, func(s *engineio.Session, text string) {
			if !strings.HasPrefix(text, "0") {
				return
			}
			switch connects++; connects {
			case 1:
				say(s, `0{"sid":"a","pid":"p"}`, `2["x",1,"o1"]`)
			case 2:
				say(s, `2["x",2,"o2"]`)
				time.AfterFunc(time.Second, s.Discard)
			default:
				say(s, `2["x",2,"o2"]`, `0{"sid":"a","pid":"p"}`)
			}
		})
		c := sc.net.Client(overWebSocket(client.Config{}))
		var d diary
		d.record(c.Socket, "x")
		if err := c.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		sc.session().Discard()
		<-time.After(time.Minute)
		d.expect(t, `x 1,"o1"`, `x 2,"o2"`)
		sc.expect("0", `0{"pid":"p","offset":"o1"}`, `0{"pid":"p","offset":"o1"}`)
	})
}
