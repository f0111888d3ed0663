package engineio

import (
	"log/slog"
	"net/http"
	"net/url"
	"strings"
)

// checkOrigin refuses a WebSocket handshake from a page of another origin.
// Browsers send such a handshake with the user's cookies and let the page read
// what comes back, so without this check any page could speak in the name of
// whoever visits it. Requests without Origin come from other programs.
//
// Long-polling needs no check: without CORS headers the page cannot read the
// session's id.
func (srv *Server) checkOrigin(r *http.Request, t Transport) *ConnectionError {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return nil
	}
	if !printable(origin) {
		return refused(BadRequest, nil, "name", "INVALID_ORIGIN", "origin", origin)
	}
	if !isWebSocketUpgrade(r) || srv.AllowsOrigin(r) {
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
