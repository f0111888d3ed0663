package sse

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/engineio/client"
)

// Client is the transport for engineio/client.
type Client struct{}

// Name returns "sse".
func (Client) Name() string { return "sse" }

// Dial asks for the events.
func (Client) Dial(ctx context.Context, target client.Target) (client.Link, error) {
	own := &http.Transport{DialContext: target.DialContext, TLSClientConfig: target.TLS.Clone(), Proxy: target.Proxy, ForceAttemptHTTP2: true}
	l := &clientLink{own: own, http: &http.Client{Transport: own, Jar: target.Jar}, url: *target.URL, header: target.Header}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	stop := context.AfterFunc(ctx, l.cancel)
	resp, err := l.do(http.MethodGet, nil)
	if !stop() && err == nil {
		_ = resp.Body.Close()
		err = context.Cause(ctx)
	}
	if err != nil {
		l.Close()
		return nil, err
	}
	l.events = resp.Body
	l.lines = bufio.NewScanner(resp.Body)
	l.lines.Buffer(nil, int(6*target.MaxMessage))
	return l, nil
}

// clientLink is the client's end.
type clientLink struct {
	own    *http.Transport
	http   *http.Client
	url    url.URL // with limit, complete when the first packet has been received
	limit  int64
	header http.Header
	ctx    context.Context
	cancel context.CancelFunc
	events io.Closer
	lines  *bufio.Scanner
}

// Receive reads an event.
func (l *clientLink) Receive() (eioparser.Packet, error) {
	for l.lines.Scan() {
		data, ok := bytes.CutPrefix(l.lines.Bytes(), []byte("data: "))
		if !ok {
			continue
		}
		var text string
		if err := json.Unmarshal(data, &text); err != nil {
			return eioparser.Packet{}, err
		}
		p, err := eioparser.DecodeText([]byte(text))
		if err == nil && p.Type == eioparser.Open {
			err = l.opened(p.Data)
		}
		return p, err
	}
	_ = l.events.Close()
	if err := l.lines.Err(); err != nil {
		return eioparser.Packet{}, err
	}
	return eioparser.Packet{}, io.EOF
}

// opened takes the session's id from the handshake.
func (l *clientLink) opened(data []byte) error {
	h, err := eioparser.ParseHandshake(data)
	if err != nil {
		return err
	}
	q := l.url.Query()
	q.Set("sid", h.SID)
	l.url.RawQuery = q.Encode()
	l.limit = h.MaxPayload
	return nil
}

// Send posts packets, as many in a request as the server's limit for one message
// surely allows.
func (l *clientLink) Send(packets []eioparser.Packet) error {
	var body, next []byte
	for i, p := range packets {
		body = append(body, next...)
		if next = append(appendString(nil, p), '\n'); i == 0 || int64(len(body)+len(next)) <= l.limit {
			continue
		}
		if err := l.post(body); err != nil {
			return err
		}
		body = nil
	}
	return l.post(append(body, next...))
}

func (l *clientLink) post(body []byte) error {
	resp, err := l.do(http.MethodPost, body)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// do sends a request.
func (l *clientLink) do(method string, body []byte) (*http.Response, error) {
	r, err := http.NewRequestWithContext(l.ctx, method, l.url.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header = l.header.Clone()
	resp, err := l.http.Do(r)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode/100 != 2 {
		_ = resp.Body.Close()
		return nil, fmt.Errorf("sse: %s", resp.Status)
	}
	return resp, nil
}

// Close cuts the requests off.
func (l *clientLink) Close() {
	l.cancel()
	l.own.CloseIdleConnections()
}
