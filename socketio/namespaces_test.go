package socketio_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/socketio"
)

// A client in thousands of namespaces costs what it joins, and no more.
func TestThousandsOfNamespaces(t *testing.T) {
	config := quiet()
	config.ConnectTimeout = time.Minute // they are many for a busy machine
	srv := fixture(t, config)
	before := len(slices.Collect(srv.Namespaces()))
	c := dial(t, serve(t, srv))
	const n = 2000
	for i := range n {
		c.send(fmt.Sprintf("40/dyn-%d,", i))
	}
	for range 2 * n {
		if f := c.next(); !strings.Contains(f, "sid") && !strings.Contains(f, "auth") {
			t.Fatal(f)
		}
	}
	for i := range n / 2 {
		c.send(fmt.Sprintf("41/dyn-%d,", i))
	}
	eventually(t, "half of them", func() bool { return len(slices.Collect(srv.Namespaces())) == before+n/2 })
	c.alive()
	c.kill()
	eventually(t, "all gone", func() bool { return len(slices.Collect(srv.Namespaces())) == before })
}

func TestNamespacesAreLimited(t *testing.T) {
	config := quiet()
	config.MaxNamespaces = 3
	srv := fixture(t, config)
	whys := make(chan *socketio.DisconnectError, 1)
	srv.OnDisconnect(func(_ context.Context, _ *socketio.Socket, why *socketio.DisconnectError) { whys <- why })
	c := dial(t, serve(t, srv))
	c.join("/")
	c.next()
	for i := range 2 {
		c.send(fmt.Sprintf("40/dyn-%d,", i))
		c.next()
		c.next()
	}
	c.send("40/dyn-9,")
	c.expect("CLOSE(1005)")
	if why := receive(t, whys); why.Reason != engineio.TransportError {
		t.Error(why)
	}
}

// What a client sent before it knew that the server took it out of a namespace
// is no offence.
func TestPacketsBehindAServerDisconnectAreIgnored(t *testing.T) {
	srv := fixture(t, quiet())
	c := dial(t, serve(t, srv))
	c.join("/")
	c.next()
	c.send(`42["disconnect-me"]`)
	c.expect("41")
	c.send(`42["message",1]`, "431[]", "41")
	c.alive()
	c.send("40")
	c.expect(joinMain, `42["auth",{}]`)
}

// A matcher that says yes when its time is over is too late or just in time: one
// answer for each client, and, for the race detector, nothing written to a socket
// that was refused.
func TestMatcherAnswersTooLate(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *socketio.Server, c *pipeClient) {
		srv.OfMatch(func(ctx context.Context, _ string, _ *socketio.Handshake) bool {
			<-ctx.Done()
			return true
		})
		c.send("0")
		<-c.frames
		const n = 64
		for i := range n {
			c.send(fmt.Sprintf("0/late-%d,", i))
		}
		answered := map[string]bool{}
		for range n {
			got := <-c.frames
			name, _, _ := strings.Cut(got[1:], ",")
			if answered[name] || got[0] != '4' && got[0] != '0' {
				t.Error(got)
			}
			answered[name] = true
		}
	})
}

// A namespace that was made for a client that has gone meanwhile is cleaned up.
func TestNamespaceOfAGoneClientIsCleanedUp(t *testing.T) {
	config := quiet()
	config.CleanupEmptyChildNamespaces = true
	srv := newServer(t, config)
	asked := make(chan struct{})
	srv.OfMatch(func(ctx context.Context, _ string, _ *socketio.Handshake) bool {
		asked <- struct{}{}
		<-ctx.Done()
		return true
	})
	url := serve(t, srv)
	for i := range 16 {
		c := dial(t, url)
		c.send("40", fmt.Sprintf("40/x%d,", i))
		receive(t, asked)
		c.kill()
	}
	eventually(t, "cleaned up", func() bool {
		n := 0
		for range srv.Namespaces() {
			n++
		}
		return n == 1 && srv.Engine().Len() == 0
	})
}

// Middlewares that ignore that their client has left count as its namespaces:
// whoever connects and leaves again and again starts no more of them than that.
func TestDepartedNamespacesCount(t *testing.T) {
	config := quiet()
	config.MaxNamespaces = 3
	srv := newServer(t, config)
	release := make(chan struct{})
	defer close(release)
	var begun atomic.Int64
	srv.OfMatch(func(context.Context, string, *socketio.Handshake) bool { return true }).
		Use(func(context.Context, *socketio.Socket) error {
			begun.Add(1)
			<-release
			return nil
		})
	c := dial(t, serve(t, srv))
	c.join("/")
	for i := range 10 {
		_ = c.write(1, fmt.Appendf(nil, "40/n%d,", i)) // the last ones find it closed
		_ = c.write(1, fmt.Appendf(nil, "41/n%d,", i))
	}
	c.expect("CLOSE(1005)")
	if n := begun.Load(); n > 3 {
		t.Errorf("%d middlewares", n)
	}
}

// So do hooks that take their time, beyond some.
func TestDepartedSocketsCount(t *testing.T) {
	for name, hold := range map[string]func(srv *socketio.Server, wait func()){
		"OnConnection": func(srv *socketio.Server, wait func()) {
			srv.OnConnection(func(context.Context, *socketio.Socket) { wait() })
		},
		"OnDisconnect": func(srv *socketio.Server, wait func()) {
			srv.OnDisconnect(func(context.Context, *socketio.Socket, *socketio.DisconnectError) { wait() })
		},
	} {
		t.Run(name, func(t *testing.T) {
			config := quiet()
			config.MaxNamespaces = 3
			srv := newServer(t, config)
			release := make(chan struct{})
			hold(srv, func() { <-release })
			c := dial(t, serve(t, srv))
			defer close(release)
			for range 200 {
				_ = c.write(1, []byte("40")) // the last ones find it closed
				_ = c.write(1, []byte("41"))
			}
			for f := c.next(); f != "CLOSE(1005)"; f = c.next() {
				if !strings.HasPrefix(f, "40") {
					t.Fatal(f)
				}
			}
			if n := srv.Running(); n > 3+64 {
				t.Errorf("%d at work for one connection", n)
			}
		})
	}
}

// A middleware that disconnects the socket has refused the CONNECT: the client
// hears of it, and may try again.
func TestDisconnectInAMiddlewareRefuses(t *testing.T) {
	srv := fixture(t, quiet())
	srv.Of("/bounced").Use(func(_ context.Context, s *socketio.Socket) error {
		s.Disconnect(false)
		return nil
	})
	c := dial(t, serve(t, srv))
	for range 2 {
		c.send("40/bounced,")
		c.expect(`44/bounced,{"message":"disconnected"}`)
	}
	c.join("/")
	c.next()
	c.alive()
}

// counted counts how often it is encoded.
type counted struct{ times *int }

func (c counted) MarshalJSON() ([]byte, error) {
	*c.times++
	return []byte("1"), nil
}

// What a parent namespace emits is encoded once for all its children, and what can't
// be is an error whether there are any or not.
func TestParentNamespaceEncodesArgumentsOnce(t *testing.T) {
	srv := newServer(t, quiet())
	parent := srv.OfPattern(regexp.MustCompile("^/tenant-"))
	if err := parent.Emit("connect"); !errors.Is(err, socketio.ErrReserved) {
		t.Errorf("a reserved name: %v", err)
	}
	c := dial(t, serve(t, srv))
	c.idOf("/tenant-1")
	c.idOf("/tenant-2")
	times := 0
	if err := parent.Emit("x", counted{&times}); err != nil || times != 1 {
		t.Errorf("encoded %d times: %v", times, err)
	}
	for range 2 {
		if f := c.next(); !matches(`42/tenant-<n>,["x",1]`, f) {
			t.Error(f)
		}
	}
}
