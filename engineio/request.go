package engineio

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/siokit/siokit/eioparser"
)

// query is what the protocol reads of a request's query.
type query struct {
	transport string
	sid       string
	protocol  int // 4 or 3; 0: another one
}

// parseQuery reads the first of each parameter. What cannot be unescaped
// counts as absent: nothing of it is ever sent back.
func parseQuery(raw string) query {
	var q query
	eio, seen := "", [3]bool{}
	for raw != "" {
		var pair string
		pair, raw, _ = strings.Cut(raw, "&")
		key, value, _ := strings.Cut(pair, "=")
		var dst *string
		i := 0
		switch key {
		case "transport":
			dst, i = &q.transport, 0
		case "sid":
			dst, i = &q.sid, 1
		case "EIO":
			dst, i = &eio, 2
		default:
			continue
		}
		if seen[i] {
			continue
		}
		seen[i] = true
		if v, err := url.QueryUnescape(value); err == nil {
			*dst = v
		}
	}
	switch eio {
	case "4":
		q.protocol = eioparser.Protocol
	case "3", "":
		q.protocol = 3
	}
	return q
}

// ServeHTTP answers a request of the protocol.
func (srv *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	srv.group.begin()
	defer srv.group.end()
	if !srv.matches(r.URL.Path) {
		http.NotFound(w, r)
		return
	}
	if srv.handler == nil {
		http.Error(w, "engineio: no handler", http.StatusServiceUnavailable)
		return
	}
	if srv.anyOrigin && r.Header.Get("Origin") == "" {
		// The same answer for everybody, as the reference's, so that caches may keep
		// nothing apart.
		w.Header().Set("Access-Control-Allow-Origin", "*")
	}
	srv.entry.ServeHTTP(w, r)
}

func (srv *Server) matches(path string) bool {
	rest, ok := strings.CutPrefix(path, srv.cfg.Path)
	return ok && (rest == "" || rest[0] == '/' || strings.HasSuffix(srv.cfg.Path, "/") || srv.cfg.Path == "")
}

// serve answers a request that came through the middleware.
func (srv *Server) serve(w http.ResponseWriter, r *http.Request) {
	q := parseQuery(r.URL.RawQuery)
	if refusal := srv.route(w, r, q); refusal != nil {
		srv.refuse(w, r, refusal)
	}
}

// route takes a request to its session, or makes one. The order of the checks
// is the reference's, as far as clients can see it.
func (srv *Server) route(w http.ResponseWriter, r *http.Request, q query) *ConnectionError {
	t := srv.transports[q.transport]
	if t == nil {
		return refused(UnknownTransport, nil, "transport", q.transport)
	}
	if e := srv.checkOrigin(w, r); e != nil {
		return e
	}
	if q.sid == "" {
		return srv.begin(w, r, q, t)
	}
	if _, target := t.(UpgradeTarget); !target {
		if s := srv.sessions.get(q.sid); s != nil {
			s.awaitOutcome()
		}
	}
	s, p := srv.find(q.sid)
	if s == nil {
		return refused(UnknownSession, nil, "sid", q.sid)
	}
	if e := srv.checkMember(s, p, r, q, t); e != nil {
		return e
	}
	if h, ok := p.link.(http.Handler); ok && p.transport == t {
		srv.headers(w.Header(), r, nil)
		h.ServeHTTP(w, r)
		return nil
	}
	return srv.join(r, s, t, func(p *Port) (Link, error) {
		srv.headers(w.Header(), r, nil)
		return t.Accept(w, r, p)
	}, nil)
}

// find returns the session of a request and the link that carries it, or nil.
func (srv *Server) find(sid string) (*Session, *Port) {
	s := srv.sessions.get(sid)
	if s == nil {
		return nil, nil
	}
	s.mu.Lock()
	p := s.port
	s.mu.Unlock()
	if p == nil { // its handshake has not been answered
		return nil, nil
	}
	if s.overdue() {
		s.end(PingTimeout, nil)
		return nil, nil
	}
	return s, p
}

// checkMember checks a request to a session that exists.
func (srv *Server) checkMember(s *Session, p *Port, r *http.Request, q query, t Transport) *ConnectionError {
	was := p.transport.Name()
	_, serves := p.link.(http.Handler)
	if !serves || was != t.Name() {
		if !srv.mayJoin(was, t) || checkRequest(t, r) != nil {
			return refused(BadRequest, nil, "name", "TRANSPORT_MISMATCH", "transport", t.Name(), "previousTransport", was)
		}
	}
	if q.protocol != s.Protocol() {
		return refused(BadRequest, nil, "name", "PROTOCOL_MISMATCH", "protocol", q.protocol, "previousProtocol", s.Protocol())
	}
	if srv.cfg.PinAddress && srv.clientAddr(r) != s.first.addr() {
		return refused(BadRequest, nil, "name", "ADDRESS_MISMATCH")
	}
	return nil
}

// mayJoin reports whether a request for transport t can concern a session on
// the transport was: as an upgrade, or as a second connection of the same
// kind, which is accepted and closed at once, as the reference does.
func (srv *Server) mayJoin(was string, t Transport) bool {
	if was == t.Name() {
		return true
	}
	for _, name := range srv.upgrades[was] {
		if name == t.Name() {
			return true
		}
	}
	return false
}

func checkRequest(t Transport, r *http.Request) error {
	if c, ok := t.(RequestChecker); ok {
		return c.CheckRequest(r)
	}
	return nil
}

// refuse answers a request that is not served, and tells whoever wants to know.
func (srv *Server) refuse(w http.ResponseWriter, r *http.Request, e *ConnectionError) {
	srv.report(e, r)
	_ = dropBody(w, r)
	h := w.Header()
	if srv.cfg.Cookie != nil {
		dropCookie(h, srv.cfg.Cookie.Name)
	}
	status := e.status
	switch {
	case status != 0:
	case e.Code == Forbidden:
		status = http.StatusForbidden
	default:
		status = http.StatusBadRequest
	}
	var body []byte
	if srv.webSockets && isWebSocketUpgrade(r) {
		// A WebSocket client sees no more than the status; the reference sends the
		// text alone.
		h.Set("Connection", "close")
		h.Set("Content-Type", "text/html")
		body = []byte(e.Message)
	} else {
		h.Set("Content-Type", "application/json")
		body, _ = json.Marshal(struct {
			Code    Code   `json:"code"`
			Message string `json:"message"`
		}{e.Code, e.Message})
	}
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client that left needs no answer
}

// dropCookie takes the cookie of a session that has come to nothing out of an answer.
func dropCookie(h http.Header, name string) {
	h["Set-Cookie"] = slices.DeleteFunc(h["Set-Cookie"], func(c string) bool { return strings.HasPrefix(c, name+"=") })
	if len(h["Set-Cookie"]) == 0 {
		h.Del("Set-Cookie")
	}
}

// report tells Config.OnConnectionError of a refusal, and the log of some.
func (srv *Server) report(e *ConnectionError, r *http.Request) {
	e.Request = r
	srv.warn(e)
	if srv.cfg.OnConnectionError != nil {
		srv.cfg.OnConnectionError(e)
	}
}

// isWebSocketUpgrade reports whether the request asks for a WebSocket. Other
// protocols in the Upgrade header may be ignored (RFC 9110, section 7.8).
func isWebSocketUpgrade(r *http.Request) bool {
	return hasToken(r.Header, "Connection", "upgrade") && hasToken(r.Header, "Upgrade", "websocket")
}

// hasToken reports whether a header that is a comma-separated list has token.
func hasToken(h http.Header, name, token string) bool {
	for _, line := range h[name] {
		for part := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(part), token) {
				return true
			}
		}
	}
	return false
}
