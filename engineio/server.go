package engineio

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"sync"
)

// Server is an Engine.IO server: an http.Handler that keeps sessions.
type Server struct {
	cfg     Config
	handler Handler

	mu       sync.Mutex
	sessions map[string]*Session
}

// NewServer returns a server with the options of cfg.
func NewServer(cfg Config) (*Server, error) {
	return &Server{cfg: cfg, sessions: make(map[string]*Session)}, nil
}

// Handle sets the application. It must be called once, before the first
// request.
func (srv *Server) Handle(h Handler) error {
	if h == nil || srv.handler != nil {
		return errors.New("engineio: Handle needs one handler, once")
	}
	srv.handler = h
	return nil
}

// ServeHTTP answers a request of the protocol.
func (srv *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	http.Error(w, "", http.StatusServiceUnavailable)
}

// Session returns the session with that id.
func (srv *Server) Session(id string) (*Session, bool) {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	s, ok := srv.sessions[id]
	return s, ok
}

// Sessions iterates over the open sessions.
func (srv *Server) Sessions() iter.Seq[*Session] {
	return func(yield func(*Session) bool) {}
}

// Len returns the number of open sessions.
func (srv *Server) Len() int {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	return len(srv.sessions)
}

// Publish sends m to every session that subscribed to one of topics, once,
// and returns their number.
func (srv *Server) Publish(topics []string, m Message, f Flags) int { return 0 }

// Uncork writes what is queued in sessions, except where a cork holds it
// back: at most 64 of them itself, the rest by workers.
func (srv *Server) Uncork(sessions []*Session) {}

// Shutdown ends every session and waits for everything the server started.
func (srv *Server) Shutdown(ctx context.Context) error { return nil }

// Close is Shutdown that waits for nothing.
func (srv *Server) Close() error { return nil }
