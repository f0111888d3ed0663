package engineio

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/cors"
)

// Server is an Engine.IO server: an http.Handler that keeps sessions. Its
// methods may be called from any goroutine.
type Server struct {
	cfg        Config
	log        *slog.Logger
	transports map[string]Transport
	upgrades   map[string][]string // for each transport, which others it may move to
	offers     map[string][]string // those of upgrades that the handshake lists
	webSockets bool                // some transport takes Upgrade: websocket requests
	entry      http.Handler
	cors       *cors.Cors
	anyOrigin  bool // CORS lets everybody in
	handler    Handler

	sessions *registry
	open     atomic.Int64 // sessions, for Limits.Sessions and Len
	addrs    addrCounter
	warned   once
	topics   topics
	flusher  flusher

	wheel *wheel
	corks *corks
	group group

	mu       sync.Mutex
	closed   bool
	shutdown chan struct{} // closed when the server begins to shut down
}

// NewServer returns a server with the options of cfg. It starts nothing: a
// server without sessions has no goroutine and no timer.
func NewServer(cfg Config) (*Server, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	srv := &Server{
		cfg:        cfg,
		log:        cfg.Logger,
		transports: make(map[string]Transport),
		upgrades:   make(map[string][]string),
		offers:     make(map[string][]string),
		sessions:   newRegistry(),
		shutdown:   make(chan struct{}),
	}
	for _, t := range cfg.Transports {
		if t == nil || t.Name() == "" || srv.transports[t.Name()] != nil {
			return nil, errors.New("engineio: a transport has no name, or the name of another")
		}
		srv.transports[t.Name()] = t
		_, ok := t.(RequestChecker)
		srv.webSockets = srv.webSockets || ok
	}
	for _, from := range cfg.Transports {
		name := from.Name()
		srv.offers[name] = []string{}
		for _, to := range cfg.Transports {
			if u, ok := to.(UpgradeTarget); !ok || cfg.NoUpgrades || !u.UpgradesFrom(name) {
				continue
			}
			srv.upgrades[name] = append(srv.upgrades[name], to.Name())
			if u, ok := to.(Unlisted); !ok || !u.Unlisted(name) {
				srv.offers[name] = append(srv.offers[name], to.Name())
			}
		}
	}
	longest := max(cfg.PingInterval, cfg.PingTimeout, cfg.UpgradeTimeout)
	if cfg.AllowEIO3 {
		longest = max(longest, cfg.PingInterval+cfg.PingTimeout)
	}
	srv.wheel = newWheel(longest, &srv.group)
	srv.corks = &corks{group: &srv.group}
	srv.flusher.group = &srv.group

	srv.entry = http.HandlerFunc(srv.serve)
	for i := len(cfg.Middleware) - 1; i >= 0; i-- {
		srv.entry = cfg.Middleware[i](srv.entry)
	}
	if cfg.CORS != nil {
		srv.cors = cors.New(*cfg.CORS)
		srv.entry = srv.cors.Handler(srv.entry)
		srv.anyOrigin = srv.cors.OriginAllowed(stranger()) && !cfg.CORS.AllowCredentials
	}
	return srv, nil
}

// Handle sets the application. It must be called once, before the first
// request.
func (srv *Server) Handle(h Handler) error {
	switch {
	case h == nil:
		return errors.New("engineio: Handle was given no handler")
	case srv.handler != nil:
		return errors.New("engineio: the server has a handler already; each application needs a server of its own")
	}
	srv.handler = h
	return nil
}

// Session returns the session with that id. Sessions whose Handler.Open has not
// returned are not found yet.
func (srv *Server) Session(id string) (*Session, bool) {
	s := srv.sessions.get(id)
	if s == nil || !s.begun() {
		return nil, false
	}
	return s, true
}

// Sessions iterates over the sessions that exist when the loop begins, without
// those whose Handler.Open has not returned and those that have ended since.
func (srv *Server) Sessions() iter.Seq[*Session] {
	return func(yield func(*Session) bool) {
		for _, s := range srv.sessions.all() {
			if s.begun() && !yield(s) {
				return
			}
		}
	}
}

// begun reports whether the session is one that others may find. One that was
// closed before it was open may have no link.
func (s *Session) begun() bool {
	st := s.State()
	return st == Open || st == Closing
}

// MaxPayload returns the size in bytes of the largest message that a client
// may send: Config.MaxPayload, or its default.
func (srv *Server) MaxPayload() int64 { return srv.cfg.MaxPayload }

// Outbox returns the size in bytes of what may wait to be sent to one session:
// Limits.Outbox, or its default.
func (srv *Server) Outbox() int { return srv.cfg.Limits.Outbox }

// Len returns the number of sessions, those included that are being opened.
func (srv *Server) Len() int { return int(srv.open.Load()) }

// forget takes a session out of everything that finds or counts it.
func (srv *Server) forget(s *Session) {
	if !srv.sessions.remove(s) {
		return
	}
	srv.open.Add(-1)
	srv.addrs.leave(s.first.addr())
	srv.topics.forget(s)
}

// Shutdown ends the server gracefully: new sessions are refused (503), every
// session sends what it has queued and ends with ServerShuttingDown, and
// Shutdown waits for everything that the server runs. If ctx ends first the
// rest is cut off, and ctx's cause is returned.
//
// It may be called from handlers with a context that derives from the
// session's: it then does not wait for them. Call it before
// http.Server.Shutdown, which knows neither of WebSocket connections nor of
// pending polls.
func (srv *Server) Shutdown(ctx context.Context) error {
	srv.beginShutdown()
	own, _ := ctx.Value(sessionKey{}).(*Session)
	waiter := &rest{done: make(chan struct{})}
	if own != nil && own.srv == srv {
		// The handler's own context ends with its session; that is no reason to
		// stop waiting.
		waiter.own, waiter.began = &own.busy, own.busy.Load()
		outer, cancel := ctx, context.CancelCauseFunc(nil)
		ctx, cancel = context.WithCancelCause(context.WithoutCancel(outer))
		defer cancel(nil)
		if deadline, ok := outer.Deadline(); ok { // outer may end before, with the session
			var stop context.CancelFunc
			ctx, stop = context.WithDeadline(ctx, deadline)
			defer stop()
		}
		stop := context.AfterFunc(outer, func() {
			var end *DisconnectError
			if !errors.As(context.Cause(outer), &end) {
				cancel(context.Cause(outer))
			}
		})
		defer stop()
	}
	for _, s := range srv.sessions.all() {
		s.leave()
	}
	if err := srv.group.wait(ctx, waiter); err != nil {
		srv.cut()
		return err
	}
	return nil
}

// Close ends every session at once and returns without waiting.
func (srv *Server) Close() error {
	srv.beginShutdown()
	srv.group.run(srv.cut)
	return nil
}

func (srv *Server) beginShutdown() {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	if !srv.closed {
		srv.closed = true
		close(srv.shutdown)
	}
}

func (srv *Server) cut() {
	for _, s := range srv.sessions.all() {
		s.end(ServerShuttingDown, ErrServerClosed)
	}
}

// pollGrace is how long Shutdown waits for the next poll of a client that has
// messages to fetch: clients poll again at once, unless they are gone.
const pollGrace = 2 * time.Second

// leave ends a session for Shutdown: gracefully if its client can be told.
func (s *Session) leave() {
	s.mu.Lock()
	away := s.port == nil || !s.port.ready
	idle := s.queue == nil
	s.mu.Unlock()
	switch {
	case away && idle:
		s.end(ServerShuttingDown, ErrServerClosed)
	case away:
		s.closeFor(ServerShuttingDown, min(pollGrace, s.srv.cfg.PingTimeout))
	default:
		s.closeFor(ServerShuttingDown, s.srv.cfg.PingTimeout)
	}
}

// stopping reports whether the server refuses new sessions.
func (srv *Server) stopping() bool {
	select {
	case <-srv.shutdown:
		return true
	default:
		return false
	}
}
