package engineio

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/siokit/siokit/eioparser"
)

// ServeConn serves a connection that did not come through ServeHTTP: one that
// another library accepted, or a listener of a transport's own. It makes every
// check, begins a session or, if the query of r has a sid, an upgrade, calls
// accept to make the link, and returns when the link's Read has returned. The
// link must be a Reader.
//
// r stands for the request that the client would have made. Its URL's query
// must hold transport (a name in Config.Transports), EIO, and sid for an
// upgrade; Header and RemoteAddr count too. It may be made up, and must not be
// changed afterwards. A refusal is a *ConnectionError; a panic of accept, of the
// link or of a function of Config is logged and becomes an error.
func (srv *Server) ServeConn(r *http.Request, accept func(*Port) (Link, error)) (err error) {
	srv.group.begin()
	defer srv.group.end()
	defer func() {
		if v := recover(); v != nil {
			err = srv.panicked("ServeConn", v)
		}
	}()
	if srv.handler == nil {
		return errors.New("engineio: no handler")
	}
	e := srv.routeConn(r, accept)
	if e == nil {
		return nil
	}
	srv.report(e, r)
	return e
}

func (srv *Server) routeConn(r *http.Request, accept func(*Port) (Link, error)) *ConnectionError {
	q := parseQuery(r.URL.RawQuery)
	t := srv.transports[q.transport]
	if t == nil {
		return refused(UnknownTransport, nil, "transport", q.transport)
	}
	if q.sid == "" {
		p, e := srv.handshake(r, q, t, accept, nil)
		if e != nil {
			return e
		}
		srv.serveLink(p)
		return nil
	}
	s, p := srv.find(q.sid)
	if s == nil {
		return refused(UnknownSession, nil, "sid", q.sid)
	}
	if e := srv.checkMember(s, p, r, q, t); e != nil {
		return e
	}
	return srv.join(r, s, t, accept, srv.serveLink)
}

// serveLink reads a link on this goroutine.
func (srv *Server) serveLink(p *Port) {
	if p.reader() != nil {
		p.readHere()
		return
	}
	p.Fail(fmt.Errorf("engineio: %T is no Reader", p.link))
}

// begin makes a session of an HTTP request.
func (srv *Server) begin(w http.ResponseWriter, r *http.Request, q query, t Transport) *ConnectionError {
	if r.Method != http.MethodGet {
		return refused(BadHandshakeMethod, nil, "method", r.Method)
	}
	err := checkRequest(t, r)
	if err == nil {
		err = dropBody(w, r)
	}
	if err != nil {
		return refused(BadRequest, err, "name", "TRANSPORT_HANDSHAKE_ERROR")
	}
	answered := false
	p, e := srv.handshake(r, q, t, func(p *Port) (Link, error) {
		srv.headers(w.Header(), r, p.s)
		l, err := t.Accept(w, r, p)
		_, later := l.(http.Handler)
		answered = err == nil && !later
		return l, err
	}, func(p *Port) {
		if p.reader() != nil {
			p.start()
		}
	})
	switch {
	case e != nil && answered:
		srv.report(e, r) // too late to tell the client
		return nil
	case e != nil:
		return e
	}
	if h, ok := p.link.(http.Handler); ok {
		h.ServeHTTP(w, r)
	}
	return nil
}

// handshake makes a session and its first link. start, if not nil, is called
// when the link may be read, before anything is written to it.
func (srv *Server) handshake(r *http.Request, q query, t Transport, accept func(*Port) (Link, error), start func(*Port)) (*Port, *ConnectionError) {
	if srv.stopping() {
		return nil, forbidden(ErrServerClosed)
	}
	ctx := r.Context()
	if srv.cfg.Connect != nil {
		c, err := srv.cfg.Connect(r)
		if err != nil {
			return nil, forbidden(err)
		}
		if c != nil {
			ctx = c
		}
	}
	if q.protocol != eioparser.Protocol && !(q.protocol == 3 && srv.cfg.AllowEIO3) {
		return nil, refused(UnsupportedVersion, nil, "protocol", q.protocol)
	}
	s, e := srv.newSession(ctx, r, q)
	if e != nil {
		return nil, e
	}
	p := &Port{s: s, transport: t, ready: true, live: true}
	accepted := false
	defer func() {
		if !accepted { // a hook or the transport panicked
			s.end(TransportError, errInternal)
		}
	}()
	link, err := accept(p)
	accepted = true
	if err != nil {
		s.end(TransportError, err)
		return nil, notAccepted(t, err)
	}
	p.attach(link)
	if q.protocol == 3 {
		s.delayOpen(p)
	}
	if err := s.start(p, start); err != nil {
		return nil, forbidden(err)
	}
	return p, nil
}

// openDelay is how long revision 3 waits between the answer to a WebSocket
// handshake and the first packet. Its clients look for a message only some time
// after the connection is open, and lose one that comes in the same segment.
const openDelay = 25 * time.Millisecond

// delayOpen sends what Accept left to be written ahead of the first packet.
func (s *Session) delayOpen(p *Port) {
	if _, later := p.link.(http.Handler); later {
		return
	}
	_ = p.send(nil) // an error comes back to the link's Read
	p.ready = false // nobody else knows of p yet
	s.srv.group.begin()
	time.AfterFunc(openDelay, func() {
		defer s.srv.group.end()
		p.SetReady(true)
	})
}

// forbidden refuses with an error's text.
func forbidden(err error) *ConnectionError {
	e := refused(Forbidden, err, "message", err.Error())
	if text := err.Error(); text != "" {
		e.Message = text
	}
	if errors.Is(err, ErrServerClosed) {
		e.status = http.StatusServiceUnavailable
	}
	return e
}

// newSession makes a session, within the limits, and enters it in the registry.
func (srv *Server) newSession(ctx context.Context, r *http.Request, q query) (*Session, *ConnectionError) {
	id, err := srv.newID(r) // first: it may panic, and nothing has been counted yet
	if err != nil {
		return nil, badID(err)
	}
	s := &Session{
		srv:      srv,
		id:       id,
		parent:   ctx,
		protocol: uint8(q.protocol),
		first:    newSnapshot(r, srv.clientAddr(r)),
	}
	if srv.cfg.Limits.EventsPerSecond > 0 {
		s.rate = new(bucket)
	}
	if limit := srv.cfg.Limits.Sessions; srv.open.Add(1) > int64(limit) && limit > 0 {
		srv.open.Add(-1)
		e := refused(Forbidden, nil, "message", "too many sessions")
		e.status = http.StatusServiceUnavailable
		return nil, e
	}
	if !srv.addrs.enter(s.first.addr(), srv.cfg.Limits.SessionsPerAddr) {
		srv.open.Add(-1)
		e := refused(Forbidden, nil, "message", "too many sessions of this address")
		e.status = http.StatusTooManyRequests
		return nil, e
	}
	if !srv.sessions.add(s) {
		srv.open.Add(-1)
		srv.addrs.leave(s.first.addr())
		return nil, badID(errors.New("engineio: session id in use"))
	}
	srv.group.begin() // until s.end
	return s, nil
}

func badID(err error) *ConnectionError {
	return refused(BadRequest, err, "name", "ID_GENERATION_ERROR", "error", err)
}

// newID returns an id as the reference makes them: 20 characters, safe in a URL.
func (srv *Server) newID(r *http.Request) (string, error) {
	if srv.cfg.GenerateID == nil {
		var b [15]byte
		_, _ = rand.Read(b[:]) // never fails
		return base64.RawURLEncoding.EncodeToString(b[:]), nil
	}
	id, err := srv.cfg.GenerateID(r)
	if err == nil && id == "" {
		err = errors.New("engineio: empty session id")
	}
	return id, err
}

// start opens the session on its first link. The open packet and what
// Handler.Open sends are queued before anything is written, and nothing is read
// before Open has returned.
func (s *Session) start(p *Port, read func(*Port)) error {
	s.mu.Lock()
	if s.State() == Closed { // the server was closed meanwhile
		s.mu.Unlock()
		p.close()
		return ErrServerClosed
	}
	s.port = p
	s.queueControl(s.openPacket(p))
	if m := s.srv.cfg.InitialPacket; m != nil {
		s.append(Outgoing{Prepared: Prepare(*m)})
	}
	s.mu.Unlock()

	if err := s.open(); err != nil {
		s.end(ForcedClose, err)
		return err
	}

	s.mu.Lock()
	s.opened = true
	if s.State() == Closed {
		s.mu.Unlock()
		s.closed()
		return nil
	}
	s.state.Store(int32(Open))
	s.startHeartbeat()
	leaving := s.why
	s.mu.Unlock()
	if read != nil {
		read(p)
	}
	if leaving != "" {
		s.closeFor(leaving, s.srv.cfg.PingTimeout)
	} else if s.srv.stopping() {
		s.leave()
	}
	s.Wake()
	return nil
}

// notAccepted refuses what a transport does not take. One that HTTP does not
// reach is, as far as HTTP is concerned, none.
func notAccepted(t Transport, err error) *ConnectionError {
	if errors.Is(err, ErrNoHTTP) {
		return refused(UnknownTransport, nil, "transport", t.Name())
	}
	return refused(BadRequest, err, "name", "TRANSPORT_HANDSHAKE_ERROR", "error", err)
}

// errInternal is what a client is told of a panic.
var errInternal = errors.New("internal error")

// open asks the handler.
func (s *Session) open() (err error) {
	s.busy.Add(2) // the session cannot end before
	defer s.busy.Add(-2)
	defer func() {
		if v := recover(); v != nil {
			_ = s.srv.panicked("Handler.Open", v) // it is logged
			err = errInternal
		}
	}()
	return s.srv.handler.Open(s)
}

// openPacket is the handshake's answer.
func (s *Session) openPacket(p *Port) *Prepared {
	h := eioparser.Handshake{
		SID:          s.id,
		Upgrades:     s.srv.offers[p.transport.Name()],
		PingInterval: s.srv.cfg.PingInterval,
		PingTimeout:  s.srv.cfg.PingTimeout,
		MaxPayload:   s.srv.cfg.MaxPayload,
	}
	o := control(eioparser.Open, "")
	o.one[0].Data = h.AppendJSON(make([]byte, 0, 160))
	o.size += len(o.one[0].Data)
	return o
}

// join brings a second link to a session: an upgrade, if the session has room
// for one, else a link that is told to go. read, if not nil, reads the link on
// this goroutine.
func (srv *Server) join(r *http.Request, s *Session, t Transport, accept func(*Port) (Link, error), read func(*Port)) *ConnectionError {
	p := &Port{s: s, transport: t, ready: true}
	link, err := accept(p)
	if err != nil {
		return notAccepted(t, err)
	}
	p.attach(link)
	if p.reader() == nil {
		p.close()
		return refused(BadRequest, nil, "name", "TRANSPORT_HANDSHAKE_ERROR")
	}
	if !s.beginProbe(p) {
		p.close()
	} else if err := p.send(nil); err != nil { // what Accept left to be written
		s.abortProbe(p)
	}
	if read != nil {
		read(p)
	} else {
		p.start()
	}
	return nil
}

// headers adds what the server says in the header of an answer. first is the
// session that the answer begins, or nil.
func (srv *Server) headers(h http.Header, r *http.Request, first *Session) {
	if first != nil {
		if k := srv.cfg.Cookie; k != nil {
			c := *k
			c.Value = first.id
			h.Add("Set-Cookie", c.String())
		}
		if srv.cfg.InitialHeaders != nil {
			srv.cfg.InitialHeaders(h, r)
		}
	}
	if srv.cfg.Headers != nil {
		srv.cfg.Headers(h, r)
	}
}
