package socketio_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/siokit/siokit/socketio"
)

// What EmitFunc is answered comes in turn with the events, and what two handlers
// ask for leaves in the order of their events: S-EV-41.
func TestEmitFuncKeepsTheOrder(t *testing.T) {
	srv := fixture(t, quiet())
	steps := make(chan string, 10)
	srv.On("ask", func(_ context.Context, ev *socketio.Event) error {
		return ev.Socket().EmitFunc("question", func(ctx context.Context, ack *socketio.Ack, err error) {
			var answer string
			if err == nil {
				err = ack.Bind(&answer)
			}
			steps <- fmt.Sprint("answer ", answer, " ", err, " ", ctx.Err())
		}, ev.Args())
	})
	srv.On("event", func(context.Context, *socketio.Event) error { steps <- "event"; return nil })
	c := dial(t, serve(t, srv))
	c.join("/")
	c.next()
	c.send(`42["ask","a"]`, `42["ask","b"]`)
	c.expect(`420["question","a"]`, `421["question","b"]`)
	c.send(`431["B"]`, `42["event"]`, `430["A"]`, `430["again"]`, `42["event"]`)
	for _, want := range []string{"answer B <nil> <nil>", "event", "answer A <nil> <nil>", "event"} {
		if got := receive(t, steps); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// EmitFunc's function is called once whatever happens, and before OnDisconnect.
func TestEmitFuncEnds(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *socketio.Server, c *pipeClient) {
		sockets := make(chan *socketio.Socket, 1)
		srv.OnConnection(func(_ context.Context, s *socketio.Socket) { sockets <- s })
		steps := make(chan string, 10)
		srv.OnDisconnect(func(context.Context, *socketio.Socket, *socketio.DisconnectError) { steps <- "disconnect" })
		c.send("0")
		s := <-sockets
		note := func(_ context.Context, _ *socketio.Ack, err error) {
			steps <- fmt.Sprint(errors.Is(err, socketio.ErrAckTimeout), errors.Is(err, socketio.ErrDisconnected))
		}
		start := time.Now()
		if err := s.EmitFunc("x", note); err != nil {
			t.Error(err)
		}
		if got, d := <-steps, time.Since(start); got != "true false" || d != 10*time.Second {
			t.Error(got, d)
		}
		if err := s.Timeout(time.Minute).EmitFunc("x", note); err != nil {
			t.Error(err)
		}
		if got, d := <-steps, time.Since(start); got != "true false" || d != 70*time.Second {
			t.Error(got, d)
		}
		if err := s.Volatile().EmitFunc("x", note); err != nil {
			t.Error(err)
		}
		var wrong *socketio.ArgumentError
		if err := s.EmitFunc("x", note, func() {}); !errors.As(err, &wrong) {
			t.Error(err)
		}
		c.send("1")
		if got := <-steps; got != "false true" {
			t.Error(got)
		}
		if got := <-steps; got != "disconnect" {
			t.Error(got)
		}
		if err := s.EmitFunc("x", note); !errors.Is(err, socketio.ErrDisconnected) {
			t.Error(err)
		}
		<-time.After(time.Hour)
		if len(steps) > 0 {
			t.Error("called once more:", <-steps)
		}
	})
}

// A panic in EmitFunc's function is one of its socket's handlers.
func TestEmitFuncPanics(t *testing.T) {
	srv := fixture(t, quiet())
	gone := make(chan *socketio.DisconnectError, 1)
	srv.OnDisconnect(func(_ context.Context, _ *socketio.Socket, why *socketio.DisconnectError) { gone <- why })
	srv.OnConnection(func(_ context.Context, s *socketio.Socket) {
		_ = s.EmitFunc("x", func(context.Context, *socketio.Ack, error) { panic("boom") })
	})
	c := dial(t, serve(t, srv))
	c.join("/")
	c.expect(`42["auth",{}]`, `420["x"]`)
	c.send("430[]")
	var panicked *socketio.PanicError
	if why := receive(t, gone); !errors.As(why, &panicked) || why.Reason != socketio.ServerNamespaceDisconnect {
		t.Error(why)
	}
}

func TestDoFunc(t *testing.T) {
	srv := fixture(t, quiet())
	sum := socketio.DefineCall[socketio.Args2[int, int], int]("sum")
	results := make(chan string, 1)
	srv.OnConnection(func(_ context.Context, s *socketio.Socket) {
		err := sum.DoFunc(s, socketio.Args2[int, int]{A: 1, B: 2}, func(_ context.Context, n int, err error) {
			results <- fmt.Sprint(n, " ", err)
		})
		if err != nil {
			t.Error(err)
		}
	})
	url := serve(t, srv)
	for answer, want := range map[string]string{
		`[3]`:                            "3 <nil>",
		`["three"]`:                      `0 socketio: arguments of "sum"`,
		`[{"error":{"message":"busy"}}]`: "0 socketio: remote: busy",
	} {
		c := dial(t, url)
		c.join("/")
		c.expect(`42["auth",{}]`)
		f := c.next()
		c.send("43" + f[2:len(f)-len(`["sum",1,2]`)] + answer)
		if got := receive(t, results); len(got) < len(want) || got[:len(want)] != want {
			t.Errorf("%s: %q, want %q", answer, got, want)
		}
	}
}

// Acknowledgements that wait for a busy dispatcher count in the inbox.
func TestEmitFuncCountsInTheInbox(t *testing.T) {
	config := quiet()
	config.EngineConfig.MaxPayload = 1000
	srv := fixture(t, config)
	release := make(chan struct{})
	defer close(release)
	srv.On("hang", func(context.Context, *socketio.Event) error { <-release; return nil })
	srv.OnConnection(func(_ context.Context, s *socketio.Socket) {
		for range 10 {
			_ = s.EmitFunc("x", func(context.Context, *socketio.Ack, error) {})
		}
	})
	c := dial(t, serve(t, srv))
	c.join("/")
	c.expect(`42["auth",{}]`)
	for i := range 10 {
		c.expect(fmt.Sprintf(`42%d["x"]`, i))
	}
	c.send(`42["hang"]`)
	for i := range 10 {
		c.send(fmt.Sprintf(`43%d["%s"]`, i, strings.Repeat("a", 900)))
	}
	c.send(`42["event"]`)
	c.expect("CLOSE(1005)")
}
