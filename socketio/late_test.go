package socketio_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/siokit/siokit/socketio"
)

// TestJoinedWhenTimeIsOver: a CONNECT arrives at the moment when the time for it is
// over. Who has joined then is not sent away for not having done so.
func TestJoinedWhenTimeIsOver(t *testing.T) {
	for range 2000 {
		config := quiet()
		config.ConnectTimeout = time.Second
		inBubbleOf(t, config, func(t *testing.T, srv *socketio.Server, c *pipeClient) {
			srv.OnDisconnect(func(_ context.Context, _ *socketio.Socket, why *socketio.DisconnectError) {
				if errors.Is(why, socketio.ErrConnectTimeout) {
					t.Error(why)
				}
			})
			<-time.After(time.Second)
			c.send("0")
			synctest.Wait()
		})
	}
}

// TestNothingBehindGoodbye: what is sent while a socket is taken out of its namespace
// is before the DISCONNECT, or nowhere: the client may have joined anew.
func TestNothingBehindGoodbye(t *testing.T) {
	bad := 0
	for range 2000 {
		inBubbleOf(t, quiet(), func(t *testing.T, srv *socketio.Server, c *pipeClient) {
			got := make(chan *socketio.Socket, 1)
			srv.OnConnection(func(_ context.Context, s *socketio.Socket) { got <- s })
			c.send("0")
			s := <-got
			var wg sync.WaitGroup
			wg.Go(func() {
				for range 200 {
					if s.Emit("x") != nil {
						return
					}
				}
			})
			wg.Go(func() {
				for range 50 {
					runtime.Gosched() // until the other one is at work
				}
				s.Disconnect(false)
			})
			wg.Wait()
			left := false
			for len(c.frames) > 0 {
				f := <-c.frames
				if left && strings.HasPrefix(f, "2") {
					bad++
					break
				}
				left = left || f == "1"
			}
		})
	}
	if bad > 0 {
		t.Errorf("%d of 2000", bad)
	}
}

// TestNoEventBehindOnDisconnect: an event that arrives while the socket is taken out of
// its namespace is handled before OnDisconnect, or not at all.
func TestNoEventBehindOnDisconnect(t *testing.T) {
	for mode, modes := range map[string][]socketio.Mode{"queued": nil, "inline": {socketio.Inline}} {
		for _, mourned := range []bool{true, false} {
			t.Run(fmt.Sprint(mode, ", hooks: ", mourned), func(t *testing.T) {
				inBubbleOf(t, quiet(), func(t *testing.T, srv *socketio.Server, c *pipeClient) {
					got := make(chan *socketio.Socket, 1)
					srv.OnConnection(func(_ context.Context, s *socketio.Socket) { got <- s })
					if mourned {
						srv.OnDisconnect(func(context.Context, *socketio.Socket, *socketio.DisconnectError) {})
					}
					srv.On("x", func(context.Context, *socketio.Event) error {
						t.Error("an event of a socket that is gone")
						return nil
					}, modes...)
					c.send("0")
					s := <-got
					synctest.Wait()
					s.Disconnect(false)
					synctest.Wait()
					s.LateEvent("x")
					synctest.Wait()
					if n := s.Held(); n != 0 {
						t.Errorf("the inbox holds %x", n)
					}
				})
			})
		}
	}
}
