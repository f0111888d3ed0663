package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"

	"github.com/siokit/siokit/eioparser"
)

// Polling is HTTP long-polling, over HTTP/1.1 or HTTP/2.
type Polling struct {
	// Client, if not nil, sends the requests, in place of one that is made of
	// Config.Network. It must have no Timeout shorter than the server's
	// pingInterval: a poll may take that long.
	Client *http.Client
}

// Name returns "polling".
func (Polling) Name() string { return "polling" }

// Dial makes the link; it connects with the first Receive.
func (t Polling) Dial(_ context.Context, target Target) (Link, error) {
	l := &pollLink{client: t.Client, url: *target.URL, header: target.Header, limit: target.MaxMessage}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	l.conns, l.hangUp = context.WithCancel(context.Background())
	if l.client == nil {
		dial := target.DialContext
		if dial == nil {
			dial = new(net.Dialer).DialContext
		}
		own := &http.Transport{
			DialContext:       l.dialer(dial),
			TLSClientConfig:   target.TLS.Clone(), // net/http adds to it
			Proxy:             target.Proxy,
			ForceAttemptHTTP2: true,
		}
		l.own, l.client = own, &http.Client{Transport: own, Jar: target.Jar}
	}
	if l.client.CheckRedirect == nil {
		c := *l.client
		c.CheckRedirect = stay
		l.client = &c
	}
	return l, nil
}

// stay follows no redirect: it would make a GET of a POST, and what that takes from
// the server would be lost. WebSocket follows none either.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// pollLink is a server that is polled. It has no goroutine of its own.
type pollLink struct {
	client *http.Client
	own    *http.Transport // nil if client is not ours
	header http.Header
	limit  int64
	ctx    context.Context // of requests
	cancel context.CancelFunc
	conns  context.Context // of connections
	hangUp context.CancelFunc

	// Written by the first Receive, with which the session begins.
	url        url.URL
	maxPayload int64
	begun      bool

	// Owned by Receive.
	body []byte // what is left of the last answer
	more bool   // there is a packet in it

	mu      sync.Mutex
	leaving chan struct{} // closed when no poll is pending; nil: we stay
}

// Receive returns the next packet of the last answer, or polls.
func (l *pollLink) Receive() (eioparser.Packet, error) {
	if !l.more {
		if l.left() {
			return eioparser.Packet{}, ErrLeft
		}
		body, err := l.do(l.ctx, http.MethodGet, nil)
		if err != nil {
			return eioparser.Packet{}, err
		}
		l.body, l.more = body, true
	}
	var part []byte
	part, l.body, l.more = bytes.Cut(l.body, []byte{eioparser.Separator})
	p, err := eioparser.DecodeText(part)
	if err == nil && p.Type == eioparser.Open && !l.begun {
		err = l.opened(p.Data)
	}
	return p, err
}

// opened takes from the handshake what later requests need.
func (l *pollLink) opened(data []byte) error {
	h, err := eioparser.ParseHandshake(data)
	if err != nil {
		return err
	}
	q := l.url.Query()
	q.Set("sid", h.SID)
	l.url.RawQuery = q.Encode()
	l.maxPayload, l.begun = h.MaxPayload, true
	return nil
}

// left reports whether the session wants to leave, and tells Leave that no poll
// is pending.
func (l *pollLink) left() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.leaving == nil {
		return false
	}
	close(l.leaving)
	l.leaving = nil
	return true
}

// Leave waits for the answer to the pending poll, which the server sends when it
// has been probed.
func (l *pollLink) Leave(ctx context.Context) error {
	leaving := make(chan struct{})
	l.mu.Lock()
	l.leaving = leaving
	l.mu.Unlock()
	select {
	case <-leaving:
		return nil
	case <-ctx.Done():
	}
	l.mu.Lock()
	l.leaving = nil
	l.mu.Unlock()
	return context.Cause(ctx)
}

// Send posts the packets, in as many requests as the server's maxPayload asks
// for, and a Close packet in one of its own: servers act on it before what shares
// its request.
func (l *pollLink) Send(packets []eioparser.Packet) error {
	for len(packets) > 0 {
		n, size := 1, int64(packets[0].TextLen())
		for ; n < len(packets); n++ {
			size += 1 + int64(packets[n].TextLen())
			if packets[n].Type == eioparser.Close || l.maxPayload > 0 && size > l.maxPayload {
				break
			}
		}
		if _, err := l.do(l.ctx, http.MethodPost, eioparser.AppendPayload(nil, packets[:n]...)); err != nil {
			return err
		}
		packets = packets[n:]
	}
	return nil
}

// once is the body of a poll: nothing. net/http sends a GET again by itself when
// a connection breaks before the answer, unless it has a body that cannot be read
// again; and what the server had put into the answer that was lost would be
// missed by nobody.
type once struct{}

func (once) Read([]byte) (int, error) { return 0, io.EOF }

// do sends a request and returns what it was answered with.
func (l *pollLink) do(ctx context.Context, method string, body []byte) ([]byte, error) {
	content := io.Reader(once{})
	if body != nil {
		content = bytes.NewReader(body)
	}
	r, err := http.NewRequestWithContext(ctx, method, l.url.String(), content)
	if err != nil {
		return nil, err
	}
	r.Header = l.header.Clone()
	if host := r.Header.Get("Host"); host != "" {
		r.Host = host
	}
	if body != nil {
		r.Header.Set("Content-Type", "text/plain;charset=UTF-8")
	}
	resp, err := l.client.Do(r)
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = fmt.Errorf("%s: %w", method, u.Err) // the URL has ids and tokens
	}
	if errors.Is(err, io.EOF) {
		// Not the io.EOF with which a link says that the server closed it.
		err = fmt.Errorf("engineio: connection broke off: %s", err)
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, statusError(resp)
	}
	answer, err := io.ReadAll(io.LimitReader(resp.Body, l.limit+1))
	if err != nil {
		return nil, fmt.Errorf("engineio: answer cut off: %w", err)
	}
	if int64(len(answer)) > l.limit {
		return nil, ErrMaxMessage
	}
	return answer, nil
}

// Close cuts the requests off, and closes the connections that are ours.
func (l *pollLink) Close() {
	l.cancel()
	l.hangUp()
}

// part cuts the requests off, too, but tells the server first what it sees only
// if a poll was pending: that the session is over. Else it would keep the session
// until the ping timeout, so that one that comes back in its place finds nothing
// to recover, or loses its rooms when the old one goes. The official client does
// the same.
func (l *pollLink) part(ctx context.Context) {
	defer l.hangUp()
	l.cancel()
	if l.own != nil {
		l.own.CloseIdleConnections() // they may be broken as well
	}
	_, _ = l.do(ctx, http.MethodPost, eioparser.AppendPayload(nil, eioparser.Packet{Type: eioparser.Close}))
}

// ownConn is a connection that is closed with its link. That requests end does
// not close one of HTTP/2, and http.Transport closes only those that are idle.
type ownConn struct {
	net.Conn
	forget func() bool
}

func (c *ownConn) Close() error {
	c.forget()
	return c.Conn.Close()
}

// dialer is dial for connections of the link.
func (l *pollLink) dialer(dial dialFunc) dialFunc {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		// net/http goes on dialling for a request that has ended.
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(l.conns, cancel)()
		c, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return &ownConn{c, context.AfterFunc(l.conns, func() { _ = c.Close() })}, nil
	}
}

type dialFunc = func(ctx context.Context, network, addr string) (net.Conn, error)
