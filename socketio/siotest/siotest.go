package siotest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	engine "github.com/siokit/siokit/engineio/client"

	"github.com/siokit/siokit/socketio"
	"github.com/siokit/siokit/socketio/client"
)

// closeTime bounds the end of a test's server. In a bubble it passes at once.
const closeTime = 30 * time.Second

// Server is a server on a network in memory, until the end of its test.
type Server struct {
	*socketio.Server

	t          testing.TB
	network    *network
	transcript *transcript
	clients    atomic.Int32
}

// New starts a server with this configuration. It ends with the test, after the
// clients; what does not end within a while fails the test. If the test fails,
// everything that its clients sent and received is in its log, and what the
// server and they have logged, unless they have a Logger.
func New(t testing.TB, config socketio.Config) *Server {
	t.Helper()
	record := newTranscript()
	if config.Logger == nil {
		config.Logger = record.logger("server")
	}
	if config.Engine == nil && config.EngineConfig.Logger == nil {
		config.EngineConfig.Logger = config.Logger
	}
	io, err := socketio.NewServer(config)
	if err != nil {
		t.Fatal(err)
	}
	return serve(t, io, io, record)
}

// Serve is New for a server that the application has made, behind the handler
// that it serves it with: its mux, with its middlewares.
func Serve(t testing.TB, io *socketio.Server, handler http.Handler) *Server {
	t.Helper()
	return serve(t, io, handler, newTranscript())
}

func serve(t testing.TB, io *socketio.Server, handler http.Handler, record *transcript) *Server {
	s := &Server{Server: io, t: t, network: newNetwork(), transcript: record}
	web := &http.Server{Handler: handler}
	served := make(chan error, 1)
	go func() { served <- web.Serve(s.network) }() // until Close, which the cleanup waits for
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), closeTime)
		defer cancel()
		if err := io.Shutdown(ctx); err != nil {
			t.Errorf("siotest: shutdown of the server: %v; a handler or hook that hangs?", err)
		}
		if err := web.Close(); err != nil {
			t.Errorf("siotest: %v", err)
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			t.Errorf("siotest: %v", err)
		}
		if t.Failed() {
			t.Log(s.transcript)
		}
	})
	return s
}

// Client is a client of the test's server, with a network of its own that can be
// disturbed.
type Client struct {
	*client.Client
	line *line
}

// Client makes a client that is not connected yet. It is closed at the end of
// the test. Config.Engine.DialContext and Proxy are siotest's; without a Logger it
// logs into the transcript.
func (s *Server) Client(config client.Config) *Client {
	s.t.Helper()
	name := fmt.Sprintf("client %d", s.clients.Add(1))
	l := &line{network: s.network}
	if config.Logger == nil {
		config.Logger = s.transcript.logger(name)
	}
	config.Engine.DialContext, config.Engine.Proxy = l.dial, nil
	transports := config.Engine.Transports
	if transports == nil {
		transports = []engine.Transport{engine.Polling{}, engine.WebSocket{}}
	}
	config.Engine.Transports = slices.Clone(transports)
	for i, t := range transports {
		config.Engine.Transports[i] = recorded{t, name, s.transcript}
	}
	c, err := client.New("http://siotest", config)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		l.change(func(f *faults) { *f = faults{} })
		if err := c.Close(); err != nil {
			s.t.Errorf("siotest: close of a client: %v", err)
		}
	})
	return &Client{c, l}
}

// upgradeTime is how long Connect waits for an upgrade, which may not come.
const upgradeTime = time.Second

// Connect makes a client and waits until it has joined the main namespace and
// its upgrade, if there is one, is over: until then messages wait. That it can't
// join fails the test.
func (s *Server) Connect(config client.Config) *Client {
	s.t.Helper()
	c := s.Client(config)
	ctx, cancel := context.WithTimeout(s.t.Context(), closeTime)
	defer cancel()
	over := make(chan struct{}, 1)
	stop := c.OnUpgrade(func(context.Context, string, error) {
		select {
		case over <- struct{}{}:
		default:
		}
	})
	defer stop()
	if err := c.Client.Connect(ctx); err != nil {
		s.t.Fatalf("siotest: %v", err)
	}
	if first := config.Engine.Transports; !config.Engine.NoUpgrade && (first == nil || len(first) > 1) {
		select {
		case <-over:
		case <-time.After(upgradeTime):
		}
	}
	return c
}
