package wire

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"time"
)

// Field is one header line. Order and spelling are kept.
type Field struct{ Name, Value string }

// Request is what goes over the wire for one HTTP request. Nothing is cleaned
// or completed except Host and Content-Length, and those only when absent.
type Request struct {
	Method string // "GET" when empty
	Target string // path and query as they go into the request line
	Proto  string // "HTTP/1.1" when empty
	Header []Field
	Body   []byte
	// Chunked sends the body in chunks of ChunkSize bytes (the whole body when
	// zero) and no Content-Length.
	Chunked   bool
	ChunkSize int
	// Announce, when positive, is the Content-Length that is claimed, whatever
	// the body's length.
	Announce int
	// NoHost leaves the Host header out.
	NoHost bool
}

// Bytes returns the request as it is written; host is used unless the header
// names one.
func (r Request) Bytes(host string) []byte {
	method, proto := r.Method, r.Proto
	if method == "" {
		method = "GET"
	}
	if proto == "" {
		proto = "HTTP/1.1"
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s %s\r\n", method, r.Target, proto)
	has := func(name string) bool {
		for _, f := range r.Header {
			if strings.EqualFold(f.Name, name) {
				return true
			}
		}
		return false
	}
	if !r.NoHost && !has("Host") {
		fmt.Fprintf(&b, "Host: %s\r\n", host)
	}
	for _, f := range r.Header {
		fmt.Fprintf(&b, "%s: %s\r\n", f.Name, f.Value)
	}
	switch {
	case r.Chunked:
		b.WriteString("Transfer-Encoding: chunked\r\n")
	case r.Announce > 0:
		fmt.Fprintf(&b, "Content-Length: %d\r\n", r.Announce)
	case !has("Content-Length") && (len(r.Body) > 0 || (method != "GET" && method != "HEAD")):
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(r.Body))
	}
	b.WriteString("\r\n")
	if !r.Chunked {
		b.Write(r.Body)
		return b.Bytes()
	}
	rest := r.Body
	for len(rest) > 0 {
		n := len(rest)
		if r.ChunkSize > 0 {
			n = min(n, r.ChunkSize)
		}
		fmt.Fprintf(&b, "%x\r\n%s\r\n", n, rest[:n])
		rest = rest[n:]
	}
	b.WriteString("0\r\n\r\n")
	return b.Bytes()
}

// Response is an answer, read to its end.
type Response struct {
	Status int
	// Proto is the protocol of the status line.
	Proto  string
	Header http.Header
	Body   []byte
	// KeepAlive tells that the connection may carry another request.
	KeepAlive bool
	// At is when the answer was complete.
	At time.Time
}

// ErrNoAnswer means that the deadline passed without a complete answer.
var ErrNoAnswer = errors.New("wire: no answer in time")

// ErrClosed means that the server ended the connection without a complete answer.
var ErrClosed = errors.New("wire: connection closed without an answer")

// WriteRequest writes the request.
func (c *Conn) WriteRequest(r Request) error {
	data := r.Bytes(c.host)
	c.trace.Add(c.Label, Sent, "request", data)
	return c.write(data)
}

// ReadResponse reads one answer. method is that of the request (an answer to
// HEAD has no body). The error is [ErrNoAnswer], [ErrClosed] or one that says
// what was malformed.
func (c *Conn) ReadResponse(deadline time.Time, method string) (*Response, error) {
	c.SetReadDeadline(deadline)
	c.gate.left = maxHead
	defer func() { c.gate.left = math.MaxInt64 }()
	resp, err := http.ReadResponse(c.reader, &http.Request{Method: method})
	if err != nil {
		return nil, c.readError(err)
	}
	defer resp.Body.Close()
	r := &Response{Status: resp.StatusCode, Proto: resp.Proto, Header: resp.Header, KeepAlive: !resp.Close}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		c.gate.left = maxBody
		r.Body, err = io.ReadAll(resp.Body)
	}
	r.At = time.Now()
	c.traceResponse(resp, r.Body)
	if err != nil {
		return nil, c.readError(err)
	}
	return r, nil
}

func (c *Conn) readError(err error) error {
	switch {
	case isTimeout(err):
		c.trace.Note(c.Label, "no answer yet")
		return ErrNoAnswer
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), strings.Contains(err.Error(), "reset by peer"),
		strings.Contains(err.Error(), "broken pipe"), strings.Contains(err.Error(), "use of closed"):
		c.trace.Note(c.Label, "connection ended: %v", err)
		return ErrClosed
	default:
		c.trace.Note(c.Label, "malformed answer: %v", err)
		return fmt.Errorf("wire: malformed answer: %w", err)
	}
}

func (c *Conn) traceResponse(resp *http.Response, body []byte) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s\r\n", resp.Proto, resp.Status)
	if resp.Close {
		b.WriteString("Connection: close\r\n") // net/http takes it out of the header
	}
	resp.Header.Write(&b)
	b.WriteString("\r\n")
	b.Write(body)
	c.trace.Add(c.Label, Received, "response", b.Bytes())
}

// Do sends one request over a connection of its own and waits for the answer
// until the deadline.
func (d *Dialer) Do(ctx context.Context, r Request, deadline time.Time) (*Response, error) {
	c, err := d.Dial(ctx, "http")
	if err != nil {
		return nil, err
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { c.SetDeadline(time.Now()) })
	defer stop()
	if err := c.WriteRequest(r); err != nil {
		// A server may answer before it has read everything: the answer counts.
		if resp, rerr := c.ReadResponse(deadline, r.Method); rerr == nil {
			return resp, nil
		}
		return nil, ErrClosed
	}
	return c.ReadResponse(deadline, r.Method)
}
