package tcp

import (
	"io"
	"net"
	"time"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/engineio"
)

// link is one client.
type link struct {
	conn net.Conn
	in   *eioparser.StreamReader
	port *engineio.Port
}

// Read hands over what the client sends, up to a Close packet. Its errors are the
// parser's and the connection's, which is what the server wants to know.
func (l *link) Read() error {
	for {
		p, err := l.in.Next()
		if err != nil {
			return err
		}
		if p.Type == eioparser.Close {
			return io.EOF
		}
		if err := l.port.Receive(p); err != nil {
			return err
		}
	}
}

// framing is how packets become bytes. It is a variable, so that a message to
// many is framed once for all of them.
var framing = &engineio.Framing{Append: func(dst []byte, packets []eioparser.Packet) []byte {
	for _, p := range packets {
		dst = eioparser.AppendStreamPacket(dst, p)
	}
	return dst
}}

// Write sends a batch in one piece, a Close packet with it: a client that reads
// one knows that the server ended the session, and did not break down.
func (l *link) Write(batch []engineio.Outgoing) error {
	var b []byte
	for _, o := range batch {
		if o.Shared() {
			b = append(b, o.Frame(framing)...)
		} else {
			b = framing.Append(b, o.Packets())
		}
	}
	if err := l.conn.SetWriteDeadline(time.Now().Add(l.port.WriteTimeout())); err != nil {
		return err
	}
	_, err := l.conn.Write(b)
	return err
}

// Close ends the connection, and Read and Write with it.
func (l *link) Close() { _ = l.conn.Close() }
