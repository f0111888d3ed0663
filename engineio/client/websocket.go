package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/siokit/siokit/eioparser"
)

// WebSocket is the transport of the same name, RFC 6455, on gorilla/websocket.
type WebSocket struct {
	// Compression asks the server for permessage-deflate (RFC 7692).
	Compression bool

	// Dialer, if not nil, connects, in place of one that is made of Config.Network.
	Dialer *websocket.Dialer
}

// Name returns "websocket".
func (WebSocket) Name() string { return "websocket" }

// Dial shakes hands.
func (t WebSocket) Dial(ctx context.Context, target Target) (Link, error) {
	d := t.Dialer
	if d == nil {
		d = &websocket.Dialer{
			NetDialContext:    target.DialContext,
			TLSClientConfig:   forHTTP1(target.TLS),
			Proxy:             target.Proxy,
			Jar:               target.Jar,
			EnableCompression: t.Compression,
		}
	}
	u := target.URL
	u.Scheme = map[string]string{"http": "ws", "https": "wss"}[u.Scheme]
	conn, resp, err := d.DialContext(ctx, u.String(), target.Header)
	if err != nil {
		if resp != nil && resp.StatusCode != http.StatusSwitchingProtocols {
			return nil, statusError(resp)
		}
		return nil, err
	}
	l := &wsLink{conn: conn, limit: target.MaxMessage, over: make(chan struct{})}
	conn.SetReadLimit(l.limit)
	conn.SetPongHandler(l.ponged)
	return l, nil
}

// forHTTP1 keeps servers from choosing HTTP/2, over which gorilla/websocket does
// not go.
func forHTTP1(c *tls.Config) *tls.Config {
	if c != nil {
		c = c.Clone()
		c.NextProtos = []string{"http/1.1"}
	}
	return c
}

// wsLink is a server at the other end of a WebSocket.
type wsLink struct {
	conn  *websocket.Conn
	limit int64
	in    []byte // owned by Receive
	out   []byte // owned by Send

	ended sync.Once
	over  chan struct{} // closed when Receive has returned an error

	mu    sync.Mutex
	fence chan struct{} // closed by the answer to the ping of Leave; nil: none is awaited
}

// keepBuffer is the size in bytes of the largest buffer that is kept for the
// next message.
const keepBuffer = 64 << 10

// Receive reads a message.
func (l *wsLink) Receive() (eioparser.Packet, error) {
	p, err := l.read()
	if err != nil {
		l.ended.Do(func() { close(l.over) })
	}
	return p, err
}

func (l *wsLink) read() (eioparser.Packet, error) {
	kind, r, err := l.conn.NextReader()
	if err != nil {
		return eioparser.Packet{}, readError(err)
	}
	if cap(l.in) > keepBuffer {
		l.in = nil
	}
	b := l.in[:0]
	if kind == websocket.BinaryMessage {
		b = nil // handed over
	}
	// gorilla's own limit counts compressed bytes.
	if b, err = appendAll(b, io.LimitReader(r, l.limit+1)); err != nil {
		return eioparser.Packet{}, readError(err)
	}
	if int64(len(b)) > l.limit {
		return eioparser.Packet{}, ErrMaxMessage
	}
	if kind == websocket.BinaryMessage {
		return eioparser.DecodeBinary(b), nil
	}
	l.in = b
	return eioparser.DecodeText(b)
}

// appendAll reads r to its end.
func appendAll(b []byte, r io.Reader) ([]byte, error) {
	for {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if err == io.EOF {
			return b, nil
		}
		if err != nil {
			return b, err
		}
	}
}

// readError tells the end of a connection from its failure.
func readError(err error) error {
	var c *websocket.CloseError
	switch {
	case errors.As(err, &c), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: %w", io.EOF, err)
	case errors.Is(err, websocket.ErrReadLimit):
		return ErrMaxMessage
	}
	return err
}

// Send sends a frame for each packet.
func (l *wsLink) Send(packets []eioparser.Packet) error {
	for _, p := range packets {
		var err error
		switch {
		case p.Type == eioparser.Close:
			return l.goodbye()
		case p.Binary:
			err = l.conn.WriteMessage(websocket.BinaryMessage, p.Data)
		default:
			l.out = eioparser.AppendPacket(l.out[:0], p)
			err = l.conn.WriteMessage(websocket.TextMessage, l.out)
			if cap(l.out) > keepBuffer {
				l.out = nil
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// goodbyeWait is how long a server may take to answer a close frame.
const goodbyeWait = 2 * time.Second

// goodbye sends a close frame and waits until the server has answered it, or
// goes without.
func (l *wsLink) goodbye() error {
	if err := l.conn.WriteControl(websocket.CloseMessage, nil, time.Now().Add(goodbyeWait)); err != nil {
		return err
	}
	timer := time.NewTimer(goodbyeWait)
	defer timer.Stop()
	select {
	case <-l.over:
	case <-timer.C:
	}
	return nil
}

// leaving is the data of the ping with which a session leaves.
const leaving = "leaving"

// Leave sends a ping: when it is answered everything before it has been read.
func (l *wsLink) Leave(ctx context.Context) error {
	fence := make(chan struct{})
	l.mu.Lock()
	l.fence = fence
	l.mu.Unlock()
	deadline, ok := ctx.Deadline()
	if !ok {
		deadline = time.Now().Add(goodbyeWait)
	}
	if err := l.conn.WriteControl(websocket.PingMessage, []byte(leaving), deadline); err != nil {
		return err
	}
	select {
	case <-fence:
		return nil
	case <-l.over:
		return io.ErrUnexpectedEOF
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// ponged is called by Receive.
func (l *wsLink) ponged(data string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if data == leaving && l.fence != nil {
		close(l.fence)
		l.fence = nil
	}
	return nil
}

// Close closes the connection.
func (l *wsLink) Close() { _ = l.conn.NetConn().Close() }
