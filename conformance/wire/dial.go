package wire

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"math"
	"net"
	"time"
)

// Dialer opens connections to one server.
type Dialer struct {
	// Addr is the server's host and port.
	Addr string
	// TLS, when not nil, wraps every connection.
	TLS *tls.Config
	// Host is the Host header; empty means Addr.
	Host string
	// Trace receives what the connections carry. It must not be nil.
	Trace *Trace
	// Timeout bounds opening a connection and each single write. Zero means 5 seconds.
	Timeout time.Duration
}

func (d *Dialer) timeout() time.Duration {
	if d.Timeout == 0 {
		return 5 * time.Second
	}
	return d.Timeout
}

// Conn is a raw connection to the server.
type Conn struct {
	net.Conn
	// Label is the connection's name in the trace.
	Label string

	reader  *bufio.Reader
	gate    *gate // below reader
	trace   *Trace
	host    string
	timeout time.Duration
}

// Dial opens a connection; kind names it in the trace ("http", "ws", "tcp").
func (d *Dialer) Dial(ctx context.Context, kind string) (*Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, d.timeout())
	defer cancel()
	nd := net.Dialer{}
	raw, err := nd.DialContext(ctx, "tcp", d.Addr)
	if err != nil {
		return nil, err
	}
	if d.TLS != nil {
		secure := tls.Client(raw, d.TLS)
		if err := secure.HandshakeContext(ctx); err != nil {
			raw.Close()
			return nil, err
		}
		raw = secure
	}
	host := d.Host
	if host == "" {
		host = d.Addr
	}
	g := &gate{conn: raw, left: math.MaxInt64}
	return &Conn{
		Conn:    raw,
		Label:   d.Trace.Name(kind),
		reader:  bufio.NewReader(g),
		gate:    g,
		trace:   d.Trace,
		host:    host,
		timeout: d.timeout(),
	}, nil
}

// gate bounds what an answer of the server may make the suite read: an answer
// without end must not cost the machine its memory. Whoever reads sets left.
type gate struct {
	conn net.Conn
	left int64
}

// maxHead and maxBody are how large the two parts of an answer may be.
const (
	maxHead = 1 << 20
	maxBody = 16 << 20
)

var errEndless = errors.New("the answer is too large")

func (g *gate) Read(b []byte) (int, error) {
	if g.left <= 0 {
		return 0, errEndless
	}
	n, err := g.conn.Read(b[:min(int64(len(b)), g.left)])
	g.left -= int64(n)
	return n, err
}

// WriteRaw writes bytes as they are.
func (c *Conn) WriteRaw(data []byte) error {
	c.trace.Add(c.Label, Sent, "bytes", data)
	return c.write(data)
}

// write sends bytes that the caller has traced already.
func (c *Conn) write(data []byte) error {
	if err := c.SetWriteDeadline(time.Now().Add(c.timeout)); err != nil {
		return err
	}
	_, err := c.Conn.Write(data)
	if err != nil {
		c.trace.Note(c.Label, "write failed: %v", err)
	}
	return err
}

// ReadRaw reads until the peer closes or the deadline passes, and returns what
// came; closed tells that the peer ended the connection.
func (c *Conn) ReadRaw(deadline time.Time, limit int) (data []byte, closed bool) {
	c.SetReadDeadline(deadline)
	buf := make([]byte, 4096)
	for len(data) < limit {
		n, err := c.reader.Read(buf)
		if n > 0 {
			c.trace.Add(c.Label, Received, "bytes", buf[:n])
			data = append(data, buf[:n]...)
		}
		if err != nil {
			closed = !isTimeout(err)
			if closed {
				c.trace.Note(c.Label, "connection ended: %v", err)
			}
			return data, closed
		}
	}
	return data, false
}

// Reset ends the connection with a TCP reset instead of an orderly close.
func (c *Conn) Reset() error {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	c.trace.Note(c.Label, "we reset the connection")
	return c.Close()
}

// CloseWrite half-closes the connection: the server reads the end of the stream
// and can still write.
func (c *Conn) CloseWrite() error {
	c.trace.Note(c.Label, "we half-closed the connection")
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return net.ErrClosed
}

func isTimeout(err error) bool {
	t, ok := err.(interface{ Timeout() bool })
	return ok && t.Timeout()
}
