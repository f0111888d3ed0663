package tcp

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/engineio/client"
)

// Client is the transport for engineio/client.
type Client struct {
	// Addr is where the server listens for this transport, as host:port. Empty: at
	// the host and port of the session's URL.
	Addr string
}

// Name returns "tcp".
func (Client) Name() string { return "tcp" }

// Dial connects and says whether the session is a new one.
func (c Client) Dial(ctx context.Context, target client.Target) (client.Link, error) {
	addr := c.Addr
	if addr == "" {
		addr = target.URL.Host
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	l := &clientLink{conn: conn, in: eioparser.NewStreamReader(conn, target.MaxMessage), over: make(chan struct{})}
	open := eioparser.Packet{Type: eioparser.Open}
	if sid := target.URL.Query().Get("sid"); sid != "" {
		open.Data = eioparser.AppendSID(nil, sid)
	}
	if err := l.Send([]eioparser.Packet{open}); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// clientLink is the client's end of a connection.
type clientLink struct {
	conn net.Conn
	in   *eioparser.StreamReader
	over chan struct{} // closed when nothing more comes
	end  sync.Once
}

// Receive reads a frame.
func (l *clientLink) Receive() (eioparser.Packet, error) {
	p, err := l.in.Next()
	if err != nil {
		l.end.Do(func() { close(l.over) })
	}
	return p, err
}

// goodbye is how long the server may take to answer a Close packet.
const goodbye = 2 * time.Second

// Send sends packets in one piece. The server answers a Close packet with the end
// of the connection, and then has read everything before it.
func (l *clientLink) Send(packets []eioparser.Packet) error {
	_, err := l.conn.Write(framing.Append(nil, packets))
	if err != nil || packets[len(packets)-1].Type != eioparser.Close {
		return err
	}
	timer := time.NewTimer(goodbye)
	defer timer.Stop()
	select {
	case <-l.over:
	case <-timer.C:
	}
	return nil
}

// Close closes the connection.
func (l *clientLink) Close() { _ = l.conn.Close() }
