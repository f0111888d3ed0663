package webtransport

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/quic-go/quic-go/http3"
	wt "github.com/quic-go/webtransport-go"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/engineio"
)

// Handler serves a path of an HTTP/3 server: sessions over WebTransport itself,
// other requests by the engineio server, so that long-polling works over HTTP/3
// as well.
type Handler struct {
	srv *engineio.Server
	wt  *wt.Server

	// FirstPacket is how long a client may take, from the acceptance of its
	// connection, to open the stream and to say what it wants. 0 means 10 s. It
	// must not be changed while requests are served.
	FirstPacket time.Duration
}

// NewHandler returns a handler for the sessions of srv, one of whose transports
// must be Transport, over the connections of s. Unless s has a CheckOrigin it
// gets one that asks srv (engineio.Config.CORS); after that s must not be
// changed. It is for s.H3.Handler, or for a mux that is.
func NewHandler(srv *engineio.Server, s *wt.Server) *Handler {
	if s.CheckOrigin == nil {
		s.CheckOrigin = srv.AllowsOrigin
	}
	if s.H3 != nil {
		wt.ConfigureHTTP3Server(s.H3)
	}
	return &Handler{srv: srv, wt: s}
}

// ServeHTTP serves one request. For WebTransport it returns when the session's
// time on this transport is over.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodConnect {
		h.srv.ServeHTTP(w, r)
		return
	}
	w = http3Writer(w)
	session, err := h.wt.Upgrade(w, r)
	if err != nil {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	connect := connectStream{w.(http3.HTTPStreamer).HTTPStream()}
	if err := h.serve(session, connect, r); err != nil {
		connect.end(session, refused, err.Error())
	}
}

// http3Writer finds the writer of the HTTP/3 server behind those of middlewares,
// which Upgrade needs.
func http3Writer(w http.ResponseWriter) http.ResponseWriter {
	for inner := w; ; {
		if _, ok := inner.(http3.HTTPStreamer); ok {
			return inner
		}
		u, ok := inner.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return w
		}
		inner = u.Unwrap()
	}
}

// refused is the code with which a client is turned away; its text says why.
const refused wt.SessionErrorCode = 1

// errFirstPacket: the client did not begin as it should.
var errFirstPacket = errors.New("engineio: no open packet")

// serve reads the first packet and serves the stream until it ends.
func (h *Handler) serve(session *wt.Session, connect connectStream, r *http.Request) error {
	patience := h.FirstPacket
	if patience == 0 {
		patience = 10 * time.Second
	}
	deadline := time.Now().Add(patience)
	ctx, cancel := context.WithDeadline(session.Context(), deadline)
	stream, err := session.AcceptStream(ctx)
	cancel()
	if err != nil {
		return errFirstPacket
	}
	if err := stream.SetReadDeadline(deadline); err != nil {
		return err
	}
	in := eioparser.NewStreamReader(stream, h.srv.MaxPayload())
	first, err := in.Next()
	if err != nil || first.Type != eioparser.Open {
		return errFirstPacket
	}
	request, err := asked(r, first.Data)
	if err != nil {
		return err
	}
	if err := stream.SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	var l *link
	err = h.srv.ServeConn(request, func(p *engineio.Port) (engineio.Link, error) {
		l = newLink(session, connect, stream, in, p)
		return l, nil
	})
	if l != nil {
		l.decide(err != nil)
		if !l.refused { // it was served, and Close has seen to its end
			return nil
		}
	}
	return err
}

// asked returns the request that the client's first packet stands for. The rest
// of its query is the application's.
func asked(r *http.Request, first []byte) (*http.Request, error) {
	q := r.URL.Query()
	q.Set("EIO", strconv.Itoa(eioparser.Protocol))
	q.Set("transport", Name)
	q.Del("sid")
	if len(first) > 0 {
		sid, err := eioparser.ParseSID(first)
		if err != nil {
			return nil, err
		}
		q.Set("sid", sid)
	}
	made := r.Clone(context.WithoutCancel(r.Context()))
	made.Method = http.MethodGet
	made.URL = &url.URL{Scheme: r.URL.Scheme, Host: r.URL.Host, Path: r.URL.Path, RawQuery: q.Encode()}
	return made, nil
}
