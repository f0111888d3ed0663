package client_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/siokit/siokit/socketio"
	"github.com/siokit/siokit/socketio/client"
)

func TestAuth(t *testing.T) {
	bubble(t, func(t *testing.T) {
		io := newServer(t, socketio.Config{})
		var d, server diary
		for _, name := range []string{"/", "/admin"} {
			io.Of(name).OnConnection(func(_ context.Context, s *socketio.Socket) { server.add("%s %s", name, s.Handshake().Auth) })
		}
		var calls atomic.Int32
		c := io.Client(overWebSocket(client.Config{Auth: func(ctx context.Context, namespace string) (any, error) {
			n := calls.Add(1)
			switch n {
			case 1:
				return nil, errors.New("token server is down")
			case 2:
				return []int{1}, nil
			case 3:
				panic("boom")
			}
			if _, ok := ctx.Deadline(); ok || ctx.Err() != nil {
				t.Error("ctx has a deadline, or has ended")
			}
			return struct {
				Call int32  `json:"call"`
				For  string `json:"for"`
			}{n, namespace}, nil
		}}))
		d.follow(c.Socket)
		if err := c.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		d.expect(t,
			"connect error: socketio: auth: token server is down",
			"connect error: socketio: auth: it returned neither a struct nor a map",
			"connect error: socketio: auth: socketio: panic: boom",
			"connect")
		server.expect(t, `/ {"call":4,"for":"/"}`)
		if err := c.Of("/admin").Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		server.expect(t, `/admin {"call":5,"for":"/admin"}`)
		c.Cut()
		<-time.After(2 * time.Second)
		synctest.Wait()
		if n := calls.Load(); n != 7 {
			t.Error(n, "calls")
		}
	})
}

func TestStaticAuth(t *testing.T) {
	type none struct{}
	for want, auth := range map[string]any{
		"0":              nil,
		`0{"token":"x"}`: map[string]string{"token": "x"},
		`0{}`:            none{},
		`0 `:             (*none)(nil),
	} {
		bubble(t, func(t *testing.T) {
			sc := newScript(t, nil)
			c := sc.net.Connect(overWebSocket(client.Config{Auth: client.Static(auth)}))
			sc.expect(strings.TrimSpace(want))
			c.Disconnect()
			sc.expect("1")
		})
	}
}

// Auth is not asked again where nothing is tried again.
func TestAuthFailsForTheLastTime(t *testing.T) {
	failure := errors.New("no token")
	for name, row := range map[string]struct {
		config client.Config
		asked  int
	}{
		"NoReconnection":       {client.Config{NoReconnection: true}, 1},
		"ReconnectionAttempts": {client.Config{ReconnectionAttempts: 2}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				io := newServer(t, socketio.Config{})
				asked := 0
				config := overWebSocket(row.config)
				config.Auth = func(context.Context, string) (any, error) { asked++; return nil, failure }
				err := io.Client(config).Connect(t.Context())
				if !errors.Is(err, failure) || asked != row.asked {
					t.Errorf("asked %d times: %v", asked, err)
				}
			})
		})
	}
}
