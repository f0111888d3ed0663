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

	"github.com/google/go-cmp/cmp"

	"github.com/siokit/siokit/socketio"
	"github.com/siokit/siokit/socketio/adapter"
)

// recovering is a fixture with connection state recovery.
func recovering(t *testing.T, r socketio.Recovery) (*socketio.Server, string) {
	config := quiet()
	if r.MaxDisconnection == 0 {
		r.MaxDisconnection = time.Minute
	}
	config.Recovery = &r
	srv := fixture(t, config)
	srv.On("recovered", func(_ context.Context, ev *socketio.Event) error { return ev.Ack(ev.Socket().Recovered()) })
	return srv, serve(t, srv)
}

var (
	connectAnswer = regexp.MustCompile(`^40\{"sid":"([\w-]{20})","pid":"([\w-]{20})"\}$`)
	withOffset    = regexp.MustCompile(`^42\[(.*),"([^"]+)"\]$`)
)

// session is what a client knows of itself.
type session struct{ sid, pid, offset string }

// answered reads the answer to CONNECT.
func (c *wire) answered(s *session) {
	c.t.Helper()
	match := connectAnswer.FindStringSubmatch(c.next())
	if match == nil {
		c.t.Fatal("no answer with sid and pid")
	}
	s.sid, s.pid = match[1], match[2]
}

// event reads an event and returns it without the offset, which it keeps.
func (c *wire) event(s *session) string {
	c.t.Helper()
	f := c.next()
	match := withOffset.FindStringSubmatch(f)
	if match == nil {
		c.t.Fatalf("%q has no offset", f)
	}
	s.offset = match[2]
	return match[1]
}

func (s session) connect() string {
	return `40{"pid":"` + s.pid + `","offset":"` + s.offset + `"}`
}

// begin connects a new client.
func begin(t *testing.T, url string) (*wire, session) {
	t.Helper()
	c := dial(t, url)
	var s session
	c.send("40")
	c.answered(&s)
	if got := c.event(&s); got != `"auth",{}` {
		t.Error(got)
	}
	return c, s
}

// cut ends a client's connection as a network does, and waits until the server
// has seen it.
func cut(t *testing.T, srv *socketio.Server, c *wire) {
	t.Helper()
	n := srv.Engine().Len()
	c.kill()
	eventually(t, "session gone", func() bool { return srv.Engine().Len() < n })
}

func TestOffsets(t *testing.T) { // S-CR-01 to S-CR-05
	_, url := recovering(t, socketio.Recovery{})
	c, s := begin(t, url)
	c.send(`42["message","hi"]`)
	before := s.offset
	if got := c.event(&s); got != `"message-back","hi"` || s.offset == before {
		t.Error(got, s.offset)
	}
	c.send(`42["emit-with-ack","q"]`)
	c.expect(`42<n>["emit-with-ack","q"]`) // no offset
	c.send(`430[]`)
	if got := c.event(&s); got != `"emit-with-ack-result"` {
		t.Error(got)
	}
	c.send(`42["emit-binary"]`)
	f := c.next()
	if !regexp.MustCompile(`^452-\["bin",\{"_placeholder":true,"num":0\},\{"a":\{"_placeholder":true,"num":1\}\},"[^"]+"\]$`).MatchString(f) {
		t.Error(f)
	}
}

func TestRecovery(t *testing.T) {
	t.Run("S-CR-06 and 16", func(t *testing.T) {
		srv, url := recovering(t, socketio.Recovery{})
		srv.OnConnection(func(_ context.Context, s *socketio.Socket) {
			if _, ok := user.Get(s); ok != s.Recovered() {
				t.Errorf("data before connection: %v, recovered: %v", ok, s.Recovered())
			}
			_ = user.Set(s, account{"Ada"})
			if name, ok := secret.Get(s); ok != s.Recovered() || ok && name() != "kept" {
				t.Error("local value was lost")
			}
			secret.Set(s, func() string { return "kept" })
		})
		c, s := begin(t, url)
		c.send(`420["join","r"]`)
		c.expect("430[2]")
		cut(t, srv, c)
		for i := range 2 {
			if err := srv.To("r").Emit("missed", i); err != nil {
				t.Fatal(err)
			}
		}
		_ = srv.To("other").Emit("missed", 2)
		_ = srv.Volatile().Emit("missed", 3)
		_ = srv.Emit("missed", 4)

		c = dial(t, url)
		c.send(s.connect())
		again := s
		for _, want := range []string{`"missed",0`, `"missed",1`, `"missed",4`} {
			if got := c.event(&again); got != want {
				t.Errorf("replayed %s, want %s", got, want)
			}
		}
		c.answered(&again)
		if again.sid != s.sid || again.pid != s.pid {
			t.Error("another id")
		}
		c.event(&again) // auth: connection hooks run again
		c.send(`420["recovered"]`)
		c.expect("430[true]")
		if err := srv.To("r").Emit("live"); err != nil {
			t.Fatal(err)
		}
		if got := c.event(&again); got != `"live"` {
			t.Error(got)
		}

		// Again, over another outage: what was replayed is not replayed twice.
		cut(t, srv, c)
		_ = srv.To("r").Emit("missed", 5)
		c = dial(t, url)
		c.send(again.connect())
		if got := c.event(&again); got != `"missed",5` {
			t.Error(got)
		}
		c.answered(&again)
	})
	fresh := func(name string, leave func(srv *socketio.Server, c *wire, s *session), r socketio.Recovery) {
		t.Run(name, func(t *testing.T) {
			srv, url := recovering(t, r)
			c, s := begin(t, url)
			leave(srv, c, &s)
			c = dial(t, url)
			c.send(s.connect())
			var again session
			c.answered(&again)
			if again.sid == s.sid || again.pid == s.pid {
				t.Error("the session came back")
			}
			c.event(&again)
			c.send(`420["recovered"]`)
			c.expect("430[false]")
		})
	}
	fresh("S-CR-07", func(_ *socketio.Server, _ *wire, s *session) { *s = session{pid: "nope", offset: "x"} }, socketio.Recovery{})
	fresh("S-CR-09", func(srv *socketio.Server, c *wire, s *session) {
		cut(t, srv, c)
		s.offset = "unknown"
	}, socketio.Recovery{})
	fresh("S-CR-10", func(srv *socketio.Server, c *wire, _ *session) {
		c.send("41")
		eventually(t, "the client has left", func() bool { return srv.Len() == 0 }) // else its return is a race with the old connection
	}, socketio.Recovery{})
	fresh("S-CR-11", func(_ *socketio.Server, c *wire, _ *session) {
		c.send(`42["disconnect-me"]`)
		c.expect("41")
	}, socketio.Recovery{})
	expired := make(chan string, 1)
	fresh("S-CR-15", func(srv *socketio.Server, c *wire, s *session) {
		cut(t, srv, c)
		if id := receive(t, expired); id != s.sid {
			t.Error("expired", id)
		}
	}, socketio.Recovery{MaxDisconnection: 50 * time.Millisecond, OnExpired: func(namespace, id string) {
		if namespace == "/" {
			expired <- id
		}
	}})
}

func TestReconnectionRacesTheOldConnection(t *testing.T) { // S-CR-14, and issue 4880 of the reference
	srv, url := recovering(t, socketio.Recovery{})
	old, s := begin(t, url)
	whys := make(chan socketio.Reason, 2) // of two sockets, in either order
	srv.OnDisconnect(func(_ context.Context, _ *socketio.Socket, why *socketio.DisconnectError) {
		whys <- why.Reason
	})
	c := dial(t, url) // the server has not noticed the end of the old one
	c.send(s.connect())
	again := s
	c.answered(&again)
	if again.sid != s.sid || again.pid != s.pid {
		t.Error("a fresh session")
	}
	old.expect("CLOSE(1005)")
	if err := srv.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	got := []socketio.Reason{receive(t, whys), receive(t, whys)}
	slices.Sort(got)
	if diff := cmp.Diff([]socketio.Reason{"server shutting down", "transport close"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestRecoveredSocketSkipsMiddlewares(t *testing.T) {
	for _, run := range []bool{false, true} {
		srv, url := recovering(t, socketio.Recovery{RunMiddlewares: run})
		calls := 0
		srv.Use(func(context.Context, *socketio.Socket) error { calls++; return nil })
		c, s := begin(t, url)
		cut(t, srv, c)
		c = dial(t, url)
		c.send(s.connect())
		c.answered(&s)
		if want := map[bool]int{false: 1, true: 2}[run]; calls != want {
			t.Errorf("%d calls, want %d", calls, want)
		}
	}
}

// unbound is a store that can't tell which namespaces its sessions are of.
type unbound struct{ *adapter.Recovery }

func (u unbound) Take(ctx context.Context, privateID, offset string) (*adapter.Session, error) {
	session, err := u.Recovery.Take(ctx, privateID, offset)
	if err == nil {
		session.Unbound = true
	}
	return session, err
}

func TestUnboundSessionRunsMiddlewares(t *testing.T) {
	for name, refusal := range map[string]error{"passed": nil, "refused": errors.New("no")} {
		t.Run(name, func(t *testing.T) {
			config := quiet()
			config.Recovery = &socketio.Recovery{MaxDisconnection: time.Minute}
			config.Adapter = func(l adapter.Local) (adapter.Adapter, error) {
				a, err := adapter.NewRecovery(adapter.RecoveryConfig{})(l)
				if err != nil {
					return nil, err
				}
				return unbound{a.(*adapter.Recovery)}, nil
			}
			srv := fixture(t, config)
			url := serve(t, srv)
			var calls atomic.Int64
			srv.Use(func(context.Context, *socketio.Socket) error {
				if calls.Add(1) > 1 {
					return refusal
				}
				return nil
			})
			c, s := begin(t, url)
			cut(t, srv, c)
			before := s
			c = dial(t, url)
			c.send(s.connect())
			if refusal == nil {
				c.answered(&s)
			} else {
				c.expect(`44{"message":"no"}`)
			}
			if n := calls.Load(); n != 2 || s != before {
				t.Errorf("%d calls, session %+v was %+v", n, s, before)
			}
		})
	}
}

func TestWithoutRecoveryThereIsNoPrivateID(t *testing.T) { // S-CR-17
	c := dial(t, serve(t, fixture(t, quiet())))
	c.send(`40{"pid":"a","offset":"b"}`)
	c.expect(joinMain, `42["auth",{"pid":"a","offset":"b"}]`)
}

// As many packets as the log keeps are replayed.
func TestLongReplay(t *testing.T) {
	srv, url := recovering(t, socketio.Recovery{})
	c, s := begin(t, url)
	cut(t, srv, c)
	const n = 5000
	for i := range n {
		_ = srv.Emit("n", i)
	}
	c = dial(t, url)
	c.send(s.connect())
	for i := range n {
		if got, want := c.event(&s), fmt.Sprintf(`"n",%d`, i); got != want {
			t.Fatalf("%s, want %s", got, want)
		}
	}
	c.answered(&s)
}

// halting is a middleware that holds sockets up, when it is told to, until they go.
type halting struct {
	on      atomic.Bool
	entered chan struct{}
}

func (h *halting) middleware(ctx context.Context, _ *socketio.Socket) error {
	if h.on.Load() {
		h.entered <- struct{}{}
		<-ctx.Done()
	}
	return ctx.Err()
}

// A client whose return was not answered yet has lost nothing: not if its
// connection breaks, and not if it comes over another one before that is seen.
func TestReturnIsInterrupted(t *testing.T) {
	for name, interrupt := range map[string]func(*testing.T, *socketio.Server, *wire){
		"cut":       cut,
		"overtaken": func(*testing.T, *socketio.Server, *wire) {},
	} {
		t.Run(name, func(t *testing.T) {
			srv, url := recovering(t, socketio.Recovery{RunMiddlewares: true})
			h := &halting{entered: make(chan struct{}, 1)}
			srv.Use(h.middleware)
			c, s := begin(t, url)
			cut(t, srv, c)
			if err := srv.Emit("missed", 1); err != nil {
				t.Error(err)
			}
			h.on.Store(true)
			c = dial(t, url)
			c.send(s.connect())
			receive(t, h.entered)
			h.on.Store(false)
			interrupt(t, srv, c)
			again := s
			c = dial(t, url)
			c.send(s.connect())
			if f := c.next(); !strings.HasPrefix(f, `42["missed",1,`) {
				t.Fatal(f)
			}
			c.answered(&again)
			if again.sid != s.sid {
				t.Error("another session")
			}
		})
	}
}

// Who has missed more than its outbox holds comes back as a new one, and is not cut
// off for it again and again.
func TestMissedMoreThanTheOutbox(t *testing.T) {
	config := quiet()
	config.Recovery = &socketio.Recovery{}
	config.EngineConfig.Limits.Outbox = 1 << 20
	srv := fixture(t, config)
	url := serve(t, srv)
	c, s := begin(t, url)
	cut(t, srv, c)
	for range 20 {
		if err := srv.Emit("missed", strings.Repeat("x", 100_000)); err != nil {
			t.Error(err)
		}
	}
	again := s
	c = dial(t, url)
	c.send(s.connect())
	c.answered(&again)
	if again.sid == s.sid {
		t.Error("recovered")
	}
}
