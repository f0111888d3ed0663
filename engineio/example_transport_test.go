package engineio_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/engineio/transporttest"
)

// tcp is a transport over bare TCP, with the framing that the protocol uses for
// streams. The client's first packet is an open packet, whose data names the
// session if it wants to move one here.
type tcp struct{}

func (tcp) Name() string { return "tcp" }

// Accept: HTTP requests do not lead here.
func (tcp) Accept(http.ResponseWriter, *http.Request, *engineio.Port) (engineio.Link, error) {
	return nil, engineio.ErrNoHTTP
}

// UpgradesFrom lets long-polling sessions move here.
func (tcp) UpgradesFrom(name string) bool { return name == "polling" }

// serveTCP accepts connections until l is closed.
func serveTCP(srv *engineio.Server, l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			// A refusal needs no answer but the end of the connection.
			_ = serveConn(srv, c)
			_ = c.Close()
		}()
	}
}

// serveConn serves one connection until it ends.
func serveConn(srv *engineio.Server, c net.Conn) error {
	if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return err
	}
	in := eioparser.NewStreamReader(c, srv.MaxPayload())
	open, err := in.Next()
	if err != nil || open.Type != eioparser.Open {
		return errors.New("no open packet")
	}
	query := url.Values{"EIO": {"4"}, "transport": {"tcp"}}
	if len(open.Data) > 0 {
		sid, err := eioparser.ParseSID(open.Data)
		if err != nil {
			return err
		}
		query.Set("sid", sid)
	}
	if err := c.SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	r := &http.Request{Method: "GET", Header: http.Header{}, RemoteAddr: c.RemoteAddr().String(), URL: &url.URL{RawQuery: query.Encode()}}
	return srv.ServeConn(r, func(p *engineio.Port) (engineio.Link, error) {
		return &tcpLink{conn: c, in: in, port: p}, nil
	})
}

// tcpLink is one client.
type tcpLink struct {
	conn net.Conn
	in   *eioparser.StreamReader
	port *engineio.Port
	once sync.Once
}

// Read hands over what the client sends. The reader's errors are those of the
// parser and of the connection, which is what the server wants to know.
func (l *tcpLink) Read() error {
	for {
		p, err := l.in.Next()
		if err != nil {
			return err
		}
		if err := l.port.Receive(p); err != nil {
			return err
		}
	}
}

// Write sends a batch in one piece.
func (l *tcpLink) Write(batch []engineio.Outgoing) error {
	var b []byte
	for _, o := range batch {
		if o.Shared() {
			b = append(b, o.Frame(streamFraming)...)
		} else {
			b = streamFraming.Append(b, o.Packets())
		}
	}
	if err := l.conn.SetWriteDeadline(time.Now().Add(l.port.WriteTimeout())); err != nil {
		return err
	}
	_, err := l.conn.Write(b)
	return err
}

// streamFraming frames a message to many once.
var streamFraming = &engineio.Framing{Append: func(dst []byte, packets []eioparser.Packet) []byte {
	for _, p := range packets {
		dst = eioparser.AppendStreamPacket(dst, p)
	}
	return dst
}}

// Close ends the connection, which also ends Read and Write.
func (l *tcpLink) Close() { l.once.Do(func() { _ = l.conn.Close() }) }

func TestTCPTransport(t *testing.T) {
	transporttest.Run(t, transporttest.Subject{
		Transport: tcp{},
		Serve: func(t testing.TB, srv *engineio.Server) string {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = l.Close() })
			go serveTCP(srv, l)
			return l.Addr().String()
		},
		Dial: dialTCP,
	})
}

// tcpClient is a client for the test.
type tcpClient struct {
	net.Conn
	in *eioparser.StreamReader
}

func dialTCP(ctx context.Context, addr, query string) (transporttest.Client, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	q, err := url.ParseQuery(query)
	if err != nil {
		return nil, err
	}
	open := eioparser.Packet{Type: eioparser.Open}
	if sid := q.Get("sid"); sid != "" {
		open.Data = eioparser.AppendSID(nil, sid)
	}
	client := tcpClient{c, eioparser.NewStreamReader(c, -1)}
	return client, client.Send(open)
}

func (c tcpClient) Send(p eioparser.Packet) error {
	_, err := c.Write(eioparser.AppendStreamPacket(nil, p))
	return err
}

func (c tcpClient) Receive() (eioparser.Packet, error) { return c.in.Next() }
