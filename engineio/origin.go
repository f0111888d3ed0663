package engineio

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
)

// longestOrigin is the size in bytes above which an origin is none: a host name
// has 253. It bounds what warnings remember, and what they write.
const longestOrigin = 512

// checkOrigin refuses a WebSocket handshake from a page of another origin.
// Browsers send such a handshake with the user's cookies and let the page read
// what comes back, so without this check any page could speak in the name of
// whoever visits it. Requests without Origin come from other programs.
//
// Long-polling needs no check: without CORS headers the page cannot read the
// session's id. But somebody will ask why, so the log says it.
func (srv *Server) checkOrigin(w http.ResponseWriter, r *http.Request) *ConnectionError {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return nil
	}
	if !printable(origin) || len(origin) > longestOrigin {
		return refused(BadRequest, nil, "name", "INVALID_ORIGIN", "origin", origin)
	}
	if srv.AllowsOrigin(r) {
		return nil
	}
	if !isWebSocketUpgrade(r) {
		// A middleware around the server may have said that the page may read it.
		if w.Header().Get("Access-Control-Allow-Origin") == "" && srv.warned.fresh(origin+" polls") {
			srv.log.Warn("engineio: a page of another origin polls and its browser keeps the answers from it; Config.CORS can allow it",
				slog.String("origin", origin), slog.String("host", srv.host(r)))
		}
		return nil
	}
	if srv.warned.fresh(origin) {
		srv.log.Warn("engineio: WebSocket of another origin refused; Config.CORS can allow it",
			slog.String("origin", origin), slog.String("host", srv.host(r)))
	}
	return refused(Forbidden, nil, "origin", origin, "host", srv.host(r))
}

// WithCORS wraps a handler so that Config.CORS holds for it too: for what is
// served beside the endpoint. Without Config.CORS it returns h.
func (srv *Server) WithCORS(h http.Handler) http.Handler {
	if srv.cors == nil {
		return h
	}
	return srv.cors.Handler(h)
}

// AllowsOrigin reports whether the page that sent r may open a connection that
// browsers let it read: if it is of the server's own origin, or one that
// Config.CORS allows, or if no page sent it. Who calls ServeConn for connections
// that browsers can make asks it first.
func (srv *Server) AllowsOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	if srv.cors != nil {
		return srv.cors.OriginAllowed(r)
	}
	u, err := url.Parse(origin)
	return err == nil && strings.EqualFold(u.Host, srv.host(r))
}

// checkListedOrigin refuses what no browser will ever send, before somebody
// wonders why his page is not let in. "*" stands for everybody, or for any part
// of an origin.
func checkListedOrigin(origin string) error {
	scheme, host, found := strings.Cut(origin, "://")
	switch {
	case origin == "*" || origin == "null":
		return nil
	case !found && !strings.Contains(origin, "*"):
		return fmt.Errorf("engineio: CORS: origin %q has no scheme, as in %q", origin, "https://"+origin)
	case found && strings.ContainsAny(host, "/?#"):
		return fmt.Errorf("engineio: CORS: origin %q has a path or a slash at its end; browsers send %q",
			origin, scheme+"://"+host[:strings.IndexAny(host, "/?#")])
	}
	return nil
}

// stranger is a request from an origin that nobody lists.
func stranger() *http.Request {
	return &http.Request{Header: http.Header{"Origin": {"https://nobody-lists-this.invalid"}}}
}

// printable reports whether s has no byte that a header must not hold.
func printable(s string) bool {
	for i := range len(s) {
		if (s[i] < ' ' && s[i] != '\t') || s[i] == 0x7f {
			return false
		}
	}
	return true
}
