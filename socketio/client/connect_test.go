package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/siokit/siokit/engineio"
	engine "github.com/siokit/siokit/engineio/client"
	"github.com/siokit/siokit/socketio"
	"github.com/siokit/siokit/socketio/client"
)

func TestConnect(t *testing.T) {
	bubble(t, func(t *testing.T) {
		io := newServer(t, socketio.Config{})
		ids := make(chan string, 1)
		io.OnConnection(func(_ context.Context, s *socketio.Socket) { ids <- s.ID() })
		c := io.Client(quiet(client.Config{}))
		var d diary
		d.follow(c.Socket)
		if c.Connected() || c.Active() || c.ID() != "" || c.Client.Transport() != "" {
			t.Error("connected before Connect")
		}
		if err := c.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		if id := <-ids; !c.Connected() || !c.Active() || c.ID() != id || c.Recovered() || c.Namespace() != "/" {
			t.Error(c.Connected(), c.Active(), c.ID(), id)
		}
		d.expect(t, "connect")
		if err := c.Connect(t.Context()); err != nil || len(ids) > 0 {
			t.Error("a second Connect:", err, len(ids))
		}
		c.Disconnect()
		d.expect(t, "disconnect: io client disconnect")
		if c.Connected() || c.Active() || c.ID() != "" {
			t.Error("still connected")
		}
		<-time.After(time.Second) // for the upgrade that was under way
		if n := io.Engine().Len(); n != 0 {
			t.Error(n, "sessions are left")
		}
		if err := c.Connect(t.Context()); err != nil {
			t.Error("again:", err)
		}
		d.expect(t, "connect")
	})
}

func TestConnectRefused(t *testing.T) {
	bubble(t, func(t *testing.T) {
		io := newServer(t, socketio.Config{})
		io.Use(func(_ context.Context, s *socketio.Socket) error {
			var auth struct{ Token string }
			if err := s.Auth(&auth); err != nil {
				return err
			}
			if auth.Token != "right" {
				return &socketio.PublicError{Message: "not authorized", Data: map[string]int{"code": 401}}
			}
			return nil
		})
		token := "wrong"
		c := io.Client(quiet(client.Config{Auth: func(context.Context, string) (any, error) {
			return map[string]string{"Token": token}, nil
		}}))
		var d diary
		d.follow(c.Socket)
		err := c.Connect(t.Context())
		var refused *client.ConnectError
		if !errors.As(err, &refused) || refused.Message != "not authorized" || string(refused.Data) != `{"code":401}` || refused.Namespace != "/" {
			t.Fatalf("%v", err)
		}
		if c.Active() {
			t.Error("active after a refusal")
		}
		<-time.After(time.Hour)
		d.expect(t, "connect error: socketio: the server refuses /: not authorized")
		if n := io.Engine().Len(); n != 0 {
			t.Error(n, "sessions are left")
		}
		token = "right"
		if err := c.Connect(t.Context()); err != nil {
			t.Error(err)
		}
		var none *client.ConnectError
		if err := c.Of("nowhere").Connect(t.Context()); !errors.As(err, &none) || none.Message != "Invalid namespace" || none.Data != nil {
			t.Error(err)
		}
		if !c.Connected() {
			t.Error("the refusal of one namespace has ended another")
		}
	})
}

// A refused client may fetch another token and come back.
func TestOpenInOnConnectError(t *testing.T) {
	bubble(t, func(t *testing.T) {
		io := newServer(t, socketio.Config{})
		io.Use(func(_ context.Context, s *socketio.Socket) error {
			if !strings.Contains(string(s.Handshake().Auth), "fresh") {
				return errors.New("expired")
			}
			return nil
		})
		token := "old"
		c := io.Client(overWebSocket(client.Config{Auth: func(context.Context, string) (any, error) {
			return struct {
				Token string `json:"token"`
			}{token}, nil
		}}))
		c.OnConnectError(func(context.Context, error) {
			token = "fresh"
			if err := c.Open(); err != nil {
				t.Error(err)
			}
		})
		if err := c.Open(); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if !c.Connected() {
			t.Error("not connected")
		}
	})
}

// stamps writes down when attempts are made.
func stamps(c *client.Client, d *diary) {
	start := time.Now()
	c.OnReconnectAttempt(func(_ context.Context, n int) { d.add("attempt %d at %v", n, time.Since(start)) })
	c.OnReconnect(func(_ context.Context, n int) { d.add("reconnected by %d at %v", n, time.Since(start)) })
	c.OnReconnectFailed(func(context.Context) { d.add("failed at %v", time.Since(start)) })
}

func TestServerIsAwaited(t *testing.T) {
	bubble(t, func(t *testing.T) {
		io := newServer(t, socketio.Config{})
		c := io.Client(quiet(client.Config{}))
		c.Unreachable(true)
		var d diary
		stamps(c.Client, &d)
		time.AfterFunc(15*time.Second, func() { c.Unreachable(false) })
		if err := c.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		d.expect(t, "attempt 1 at 1s", "attempt 2 at 3s", "attempt 3 at 7s", "attempt 4 at 12s", "attempt 5 at 17s", "reconnected by 5 at 17s")
	})
}

func TestConnectUntilContextEnds(t *testing.T) {
	bubble(t, func(t *testing.T) {
		io := newServer(t, socketio.Config{})
		c := io.Client(quiet(client.Config{}))
		c.Unreachable(true)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		err := c.Connect(ctx)
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "refused") {
			t.Error(err)
		}
		var d diary
		stamps(c.Client, &d)
		<-time.After(time.Hour)
		d.expect(t)
		if c.Active() {
			t.Error("still active")
		}
	})
}

func TestReconnectionAttempts(t *testing.T) {
	bubble(t, func(t *testing.T) {
		io := newServer(t, socketio.Config{})
		c := io.Client(quiet(client.Config{ReconnectionAttempts: 2, ReconnectionDelay: time.Minute, ReconnectionDelayMax: time.Hour}))
		c.Unreachable(true)
		var d diary
		stamps(c.Client, &d)
		for range 2 {
			if err := c.Connect(t.Context()); err == nil || !strings.Contains(err.Error(), "refused") {
				t.Fatal(err)
			}
			if c.Active() {
				t.Error("still active")
			}
		}
		d.expect(t, "attempt 1 at 1m0s", "attempt 2 at 3m0s", "failed at 3m0s", "attempt 1 at 4m0s", "attempt 2 at 6m0s", "failed at 6m0s")
	})
}

func TestNoReconnection(t *testing.T) {
	bubble(t, func(t *testing.T) {
		io := newServer(t, socketio.Config{})
		c := io.Client(overWebSocket(client.Config{NoReconnection: true}))
		c.Unreachable(true)
		if err := c.Connect(t.Context()); err == nil {
			t.Error("connected to nobody")
		}
		c.Unreachable(false)
		if err := c.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		var d diary
		d.follow(c.Socket)
		c.Cut()
		<-time.After(time.Hour)
		d.expect(t, "disconnect: transport close")
		if c.Active() {
			t.Error("still active")
		}
	})
}

// The delay varies, and never leaves its bounds.
func TestRandomizationFactor(t *testing.T) {
	bubble(t, func(t *testing.T) {
		io := newServer(t, socketio.Config{})
		c := io.Client(client.Config{Logger: discard, ReconnectionAttempts: 200, ReconnectionDelay: time.Second, ReconnectionDelayMax: 2 * time.Second})
		c.Unreachable(true)
		var delays []time.Duration
		last := time.Now()
		c.OnReconnectAttempt(func(context.Context, int) {
			delays = append(delays, time.Since(last))
			last = time.Now()
		})
		if err := c.Connect(t.Context()); err == nil {
			t.Fatal("connected to nobody")
		}
		synctest.Wait()
		different := map[time.Duration]bool{}
		for i, delay := range delays {
			different[delay] = true
			if i == 0 && (delay < 500*time.Millisecond || delay > 1500*time.Millisecond) || delay < 500*time.Millisecond || delay > 2*time.Second {
				t.Errorf("delay %d is %v", i+1, delay)
			}
		}
		if len(delays) != 200 || len(different) < 50 {
			t.Errorf("%d delays, %d different ones", len(delays), len(different))
		}
	})
}

// A server that takes the connection and says nothing.
func TestHandshakeTimeout(t *testing.T) {
	bubble(t, func(t *testing.T) {
		io := newServer(t, socketio.Config{})
		c := io.Client(quiet(client.Config{NoReconnection: true}))
		c.Stall(true)
		start := time.Now()
		if err := c.Connect(t.Context()); !errors.Is(err, client.ErrTimeout) || time.Since(start) != client.DefaultTimeout {
			t.Error(err, time.Since(start))
		}
	})
}

// A server that never answers CONNECT is given up, unless another namespace has
// joined over the connection.
func TestConnectIsNotAnswered(t *testing.T) {
	bubble(t, func(t *testing.T) {
		silent := true
		sc := newScript(t, func(s *engineio.Session, text string) {
			if !silent || text == "0/other," {
				welcome(s, text)
			}
		})
		c := sc.net.Client(overWebSocket(client.Config{}))
		var d diary
		d.follow(c.Socket)
		if err := c.Open(); err != nil {
			t.Fatal(err)
		}
		sc.expect("0")
		<-time.After(client.DefaultTimeout + time.Millisecond)
		d.expect(t, "connect error: socketio: timeout", "connect error: socketio: disconnected: forced close: socketio: timeout")
		<-time.After(time.Second)
		sc.expect("0")
		first := sc.session()
		if err := c.Of("other").Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		<-time.After(client.DefaultTimeout)
		d.expect(t, "connect error: socketio: timeout")
		say(first, `0{"sid":"late"}`)
		d.expect(t, "connect")
		if sc.session() != first || c.ID() != "late" {
			t.Error("another connection")
		}
	})
}

func TestServerOfVersion2(t *testing.T) {
	for name, answer := range map[string]string{"no payload": "0", "no sid": `0{}`, "no object": `0{"sid":7}`} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				sc := newScript(t, func(s *engineio.Session, _ string) { say(s, answer) })
				c := sc.net.Client(quiet(client.Config{}))
				if err := c.Connect(t.Context()); !errors.Is(err, client.ErrVersion) || c.Active() {
					t.Error(err, c.Active())
				}
			})
		})
	}
}

func TestPrepareChangesOneAttempt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		io := newServer(t, socketio.Config{})
		var d, server diary
		calls := 0
		io.OnConnection(func(_ context.Context, s *socketio.Socket) {
			server.add("token %s over %s", s.Handshake().Header.Get("Authorization"), s.Session().Transport())
		})
		config := overWebSocket(client.Config{Prepare: func(ctx context.Context, attempt int, options *engine.Config) error {
			d.add("attempt %d, %d headers", attempt, len(options.Header))
			options.Header.Set("Authorization", strconv.Itoa(attempt))
			switch calls++; calls {
			case 1:
				return errors.New("token server is down")
			case 2:
				panic("boom")
			case 3:
				<-ctx.Done()
				return context.Cause(ctx)
			case 4:
				options.Transports = []engine.Transport{engine.Polling{}}
			}
			return nil
		}})
		config.Engine.Header = http.Header{"X-Kept": {"1"}}
		c := io.Client(config)
		d.follow(c.Socket)
		if err := c.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		d.expect(t,
			"attempt 0, 1 headers", "connect error: socketio: prepare: token server is down",
			"attempt 1, 1 headers", "connect error: socketio: panic: boom",
			"attempt 2, 1 headers", "connect error: socketio: prepare: socketio: timeout",
			"attempt 3, 1 headers", "connect")
		c.Cut()
		<-time.After(10 * time.Second)
		server.expect(t, "token 3 over polling", "token 1 over websocket")
		d.expect(t, "disconnect: transport error", "attempt 1, 1 headers", "connect")
	})
}

// Whatever is under way when a client is closed, it ends at once.
func TestCloseWhileConnecting(t *testing.T) {
	cases := map[string]struct {
		config  client.Config
		stall   bool
		refused bool
	}{
		"dial":    {refused: true},
		"answer":  {stall: true},
		"auth":    {config: client.Config{Auth: func(ctx context.Context, _ string) (any, error) { <-ctx.Done(); return nil, ctx.Err() }}},
		"connect": {config: client.Config{}},
	}
	for name, x := range cases {
		for _, end := range []string{"Close", "Disconnect", "Connect"} {
			t.Run(name+"/"+end, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					sc := newScript(t, func(*engineio.Session, string) {})
					c := sc.net.Client(overWebSocket(x.config))
					c.Stall(x.stall)
					c.Unreachable(x.refused)
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					result := make(chan error, 1)
					go func() { result <- c.Connect(ctx) }()
					synctest.Wait()
					start := time.Now()
					want := error(socketio.ErrDisconnected)
					switch end {
					case "Close":
						want = client.ErrClosed
						c.Stall(false)
						if err := c.Close(); err != nil {
							t.Error(err)
						}
					case "Disconnect":
						c.Disconnect()
					case "Connect":
						want = context.Canceled
						cancel()
					}
					if err := <-result; !errors.Is(err, want) || time.Since(start) > 0 || c.Active() {
						t.Error(err, time.Since(start), c.Active())
					}
				})
			})
		}
	}
}

func TestConfig(t *testing.T) {
	for want, config := range map[string]client.Config{
		"ReconnectionAttempts": {ReconnectionAttempts: -1},
		"ReconnectionDelay":    {ReconnectionDelay: -1},
		"ReconnectionDelayMax": {ReconnectionDelay: time.Minute, ReconnectionDelayMax: time.Second},
		"RandomizationFactor":  {RandomizationFactor: 1.1},
		"Retries":              {Retries: -1},
		"Buffer":               {Buffer: -1},
		"Inbox":                {Inbox: -1},
	} {
		if _, err := client.New("http://127.0.0.1:1", config); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	for _, url := range []string{"", "127.0.0.1:3000", "ftp://127.0.0.1", "http://", "http://[::1", "/socket.io/"} {
		if _, err := client.New(url, client.Config{}); err == nil {
			t.Errorf("%q is taken", url)
		}
	}
	for _, url := range []string{"http://127.0.0.1:3000", "wss://example.org/", "https://example.org/io/?token=x"} {
		if _, err := client.New(url, client.Config{}); err != nil {
			t.Error(err)
		}
	}
}

// The data of a refusal may be anything, and need not be there.
func TestRefusals(t *testing.T) {
	for answer, want := range map[string]string{
		`4{"message":"no"}`:                         "no ",
		`4{"message":"no","data":[1,{"a":"b"}]}`:    `no [1,{"a":"b"}]`,
		`4{"data":1}`:                               " 1",
		`4"text"`:                                   "text ",
		`4{"message":{"not":"text"}}`:               `{"message":{"not":"text"}} `,
		`4{"message":"` + strings.Repeat("é", 1000): "",
	} {
		bubble(t, func(t *testing.T) {
			sc := newScript(t, func(s *engineio.Session, _ string) { say(s, answer) })
			c := sc.net.Client(quiet(client.Config{NoReconnection: true}))
			err := c.Connect(t.Context())
			var refused *client.ConnectError
			if want == "" {
				if err == nil || errors.As(err, &refused) {
					t.Error(err)
				}
				return
			}
			if !errors.As(err, &refused) || fmt.Sprintf("%s %s", refused.Message, refused.Data) != want || refused.Data != nil && !json.Valid(refused.Data) {
				t.Errorf("%s: %v", answer, err)
			}
		})
	}
}

// A namespace whose CONNECT can't be sent ends alone.
func TestConnectThatCannotBeSent(t *testing.T) {
	bubble(t, func(t *testing.T) {
		io := newServer(t, socketio.Config{})
		config := overWebSocket(client.Config{})
		config.Auth = func(_ context.Context, namespace string) (any, error) {
			if namespace == "/large" {
				return map[string]string{"token": strings.Repeat("x", 2_000_000)}, nil
			}
			return nil, nil
		}
		c := io.Connect(config)
		var d diary
		d.follow(c.Socket)
		for _, namespace := range []string{"/large", "/a,b"} {
			if err := c.Of(namespace).Connect(t.Context()); err == nil || !strings.Contains(err.Error(), "CONNECT") {
				t.Error(namespace, err)
			}
		}
		d.expect(t)
	})
}

// Of two who wait for a connection one may lose patience.
func TestConnectOfAnother(t *testing.T) {
	bubble(t, func(t *testing.T) {
		io := newServer(t, socketio.Config{})
		c := io.Client(overWebSocket(client.Config{}))
		c.Unreachable(true)
		patient := make(chan error, 1)
		go func() { patient <- c.Connect(t.Context()) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		if err := c.Connect(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		c.Unreachable(false)
		if err := <-patient; err != nil {
			t.Error(err)
		}
	})
}

// A path is a folder, as for the official client.
func TestPathWithoutSlash(t *testing.T) {
	srv, err := socketio.NewServer(socketio.Config{Logger: discard})
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Close()
	mux := http.NewServeMux()
	mux.Handle("/mine/", srv) // which sends /mine there
	web := httptest.NewServer(mux)
	defer web.Close()
	c, err := client.New(web.URL+"/mine", quiet(client.Config{}))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Connect(t.Context()); err != nil {
		t.Error(err)
	}
}
