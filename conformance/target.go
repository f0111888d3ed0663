package conformance

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/siokit/siokit/conformance/probe"
)

// Target is a server under test. The constructors are [URL], [Handler] and
// [Command].
type Target interface {
	// Start makes the server reachable and tells where it is.
	Start(context.Context) (probe.Server, error)
	// Stop ends what Start began and waits for it.
	Stop() error
	// Name describes the target in reports.
	Name() string
}

// restarter is a target whose server can be found dead and be started again.
type restarter interface {
	// died reports how the server ended, waiting for that at most for grace; ""
	// means that it runs.
	died(grace time.Duration) string
	restart(context.Context) (probe.Server, error)
}

// URL is a server that runs already: http://127.0.0.1:3000. A path in the URL
// goes before /engine.io/ and /socket.io/; [Paths] names others.
func URL(raw string) Target { return urlTarget{raw: raw} }

type urlTarget struct{ raw string }

func (u urlTarget) Name() string { return u.raw }

func (u urlTarget) Stop() error { return nil }

func (u urlTarget) Start(context.Context) (probe.Server, error) { return locate(u.raw) }

// locate turns a URL into the address that connections go to.
func locate(raw string) (probe.Server, error) {
	if !strings.Contains(raw, "://") {
		raw = "http://" + raw
	}
	parsed, err := url.Parse(raw)
	if err != nil {
		return probe.Server{}, fmt.Errorf("conformance: %w", err)
	}
	s := probe.Server{Addr: parsed.Host, Host: parsed.Host}
	port := "80"
	switch parsed.Scheme {
	case "http", "ws":
	case "https", "wss":
		port = "443"
		s.TLS = &tls.Config{ServerName: parsed.Hostname(), NextProtos: []string{"http/1.1"}}
	default:
		return probe.Server{}, fmt.Errorf("conformance: %q: the scheme must be http or https", raw)
	}
	if parsed.Host == "" {
		return probe.Server{}, fmt.Errorf("conformance: %q names no host", raw)
	}
	if parsed.Port() == "" {
		s.Addr = net.JoinHostPort(parsed.Hostname(), port)
	}
	if prefix := strings.TrimSuffix(parsed.Path, "/"); prefix != "" {
		s.EnginePath, s.SocketPath = prefix+"/engine.io/", prefix+"/socket.io/"
	}
	return s, nil
}

// Paths changes where the Engine.IO echo and the Socket.IO server of a target
// are. An empty path keeps the usual one. Both end with a slash where the
// server wants one.
func Paths(target Target, engine, socket string) Target {
	return pathTarget{target, engine, socket}
}

type pathTarget struct {
	Target
	engine, socket string
}

func (p pathTarget) Start(ctx context.Context) (probe.Server, error) {
	s, err := p.Target.Start(ctx)
	return p.apply(s), err
}

func (p pathTarget) apply(s probe.Server) probe.Server {
	if p.engine != "" {
		s.EnginePath = p.engine
	}
	if p.socket != "" {
		s.SocketPath = p.socket
	}
	return s
}

func (p pathTarget) died(grace time.Duration) string {
	if r, ok := p.Target.(restarter); ok {
		return r.died(grace)
	}
	return ""
}

func (p pathTarget) restart(ctx context.Context) (probe.Server, error) {
	r, ok := p.Target.(restarter)
	if !ok {
		return probe.Server{}, errNoRestart
	}
	s, err := r.restart(ctx)
	return p.apply(s), err
}

var errNoRestart = fmt.Errorf("conformance: this server was not started by the suite, so it cannot be started again")

// Handler is a server in this process: the handler is served on a free port of
// the loopback interface for the time of the run.
func Handler(h http.Handler) Target { return &handlerTarget{handler: h} }

type handlerTarget struct {
	handler http.Handler
	server  *http.Server
	done    chan error
}

func (h *handlerTarget) Name() string { return "handler in process" }

func (h *handlerTarget) Start(ctx context.Context) (probe.Server, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return probe.Server{}, fmt.Errorf("conformance: %w", err)
	}
	h.server = &http.Server{Handler: h.handler, ReadHeaderTimeout: time.Minute}
	h.done = make(chan error, 1)
	go func() { h.done <- h.server.Serve(l) }() // Stop closes the server and waits
	return probe.Server{Addr: l.Addr().String()}, nil
}

func (h *handlerTarget) Stop() error {
	err := h.server.Close()
	<-h.done
	return err
}
