package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/engineio"
)

// Dial begins a session with the server at rawURL (http, https, ws or wss). A
// URL without a path means /engine.io/. It returns when the server has answered
// the handshake and h.Open has returned.
//
// ctx bounds the handshake; its values, not its end, reach Session.Context. An
// error of the server is a *StatusError.
func Dial(ctx context.Context, rawURL string, h Handler, cfg Config) (*Session, error) {
	if h == nil {
		return nil, errors.New("engineio: no handler")
	}
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	base, err := parseURL(rawURL)
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, t := range cfg.Transports {
		s := newSession(ctx, base, h, cfg)
		err := s.handshake(ctx, t)
		if err == nil {
			s.open()
			return s, nil
		}
		errs = append(errs, fmt.Errorf("engineio: handshake over %s: %w", t.Name(), err))
		if !cfg.TryAllTransports || ctx.Err() != nil {
			break
		}
	}
	return nil, errors.Join(errs...)
}

func parseURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("engineio: %w", err)
	}
	switch u.Scheme {
	case "ws":
		u.Scheme = "http"
	case "wss":
		u.Scheme = "https"
	case "http", "https":
	default:
		return nil, fmt.Errorf("engineio: %q is no URL of an Engine.IO server", raw)
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/engine.io/"
	}
	u.Fragment = ""
	return u, nil
}

// target returns where to connect to. sid is empty for a new session.
func (s *Session) target(t Transport, sid string) Target {
	u := *s.base
	q := u.Query()
	for k, v := range s.cfg.Query {
		q[k] = v
	}
	q.Set("EIO", fmt.Sprint(eioparser.Protocol))
	q.Set("transport", t.Name())
	if sid != "" {
		q.Set("sid", sid)
	}
	u.RawQuery = q.Encode()
	header := s.cfg.Header
	if header == nil {
		header = http.Header{}
	}
	if u.User != nil { // gorilla/websocket does not take it there
		r := http.Request{Header: header.Clone()}
		if password, _ := u.User.Password(); r.Header.Get("Authorization") == "" {
			r.SetBasicAuth(u.User.Username(), password)
		}
		u.User, header = nil, r.Header
	}
	return Target{URL: &u, Header: header, Network: s.cfg.Network, MaxMessage: s.cfg.MaxMessage}
}

// handshake connects and reads the open packet.
func (s *Session) handshake(ctx context.Context, t Transport) error {
	link, err := t.Dial(ctx, s.target(t, ""))
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, link.Close)
	p, err := link.Receive()
	if err == nil && p.Type == eioparser.Open {
		s.hs, err = eioparser.ParseHandshake(p.Data)
	} else if err == nil {
		err = fmt.Errorf("engineio: the first packet is %v", p.Type)
	}
	if !stop() {
		err = context.Cause(ctx)
	}
	if err != nil {
		link.Close()
		return err
	}
	s.transport, s.link = t, link
	return nil
}

// offered returns the transports to which the session may move, the best first:
// those that the server names, and those that say of themselves, as
// engineio.UpgradeTarget, that they may be reached without.
func (s *Session) offered() []Transport {
	if s.cfg.NoUpgrade {
		return nil
	}
	var list []Transport
	for _, t := range slices.Backward(s.cfg.Transports) {
		if t.Name() == s.transport.Name() {
			continue
		}
		target, ok := t.(engineio.UpgradeTarget)
		if slices.Contains(s.hs.Upgrades, t.Name()) || ok && target.UpgradesFrom(s.transport.Name()) {
			list = append(list, t)
		}
	}
	return list
}
