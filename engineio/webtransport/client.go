package webtransport

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/quic-go/quic-go"
	wt "github.com/quic-go/webtransport-go"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/engineio/client"
)

// Client is the transport for engineio/client. It takes TLS and Header from its
// Config; the rest of client.Network is for TCP.
type Client struct {
	// QUIC, if not nil, is the configuration of the connections; datagrams and
	// EnableStreamResetPartialDelivery are switched on in a copy.
	QUIC *quic.Config
}

// Name returns "webtransport".
func (Client) Name() string { return Name }

// UpgradesFrom reports true for WebSocket: a session there may try to move here,
// though the server's handshake does not say so (see Transport.Unlisted).
func (Client) UpgradesFrom(name string) bool { return name == "websocket" }

// Dial connects, opens the stream and says whether the session is a new one.
func (c Client) Dial(ctx context.Context, target client.Target) (client.Link, error) {
	if target.URL.Scheme != "https" {
		return nil, errors.New("engineio: WebTransport needs https")
	}
	q := &quic.Config{}
	if c.QUIC != nil {
		q = c.QUIC.Clone()
	}
	q.EnableDatagrams, q.EnableStreamResetPartialDelivery = true, true
	t := &wt.Transport{TLSClientConfig: forHTTP3(target.TLS), QUICConfig: q}
	resp, session, err := t.Dial(ctx, target.URL.String(), target.Header)
	if err != nil {
		if resp != nil && resp.StatusCode != http.StatusOK {
			return nil, &client.StatusError{Status: resp.StatusCode, Code: -1, Message: resp.Status}
		}
		return nil, err
	}
	l, err := begin(ctx, session, target)
	if err != nil {
		_ = session.CloseWithError(0, "")
		return nil, err
	}
	return l, nil
}

// forHTTP3 asks for the protocol that WebTransport needs.
func forHTTP3(c *tls.Config) *tls.Config {
	if c == nil {
		return nil
	}
	c = c.Clone()
	c.NextProtos = nil // webtransport-go fills it in
	return c
}

// begin opens the stream and sends the first packet.
func begin(ctx context.Context, session *wt.Session, target client.Target) (*clientLink, error) {
	stream, err := session.OpenStreamSync(ctx)
	if err != nil {
		return nil, err
	}
	open := eioparser.Packet{Type: eioparser.Open}
	if sid := target.URL.Query().Get("sid"); sid != "" {
		open.Data = eioparser.AppendSID(nil, sid)
	}
	if _, err := stream.Write(eioparser.AppendStreamPacket(nil, open)); err != nil {
		return nil, err
	}
	return &clientLink{session: session, stream: stream, in: eioparser.NewStreamReader(stream, target.MaxMessage)}, nil
}

// clientLink is a server at the other end of a stream.
type clientLink struct {
	session *wt.Session
	stream  *wt.Stream
	in      *eioparser.StreamReader
}

// Receive reads a frame.
func (l *clientLink) Receive() (eioparser.Packet, error) {
	p, err := l.in.Next()
	if err != nil {
		err = l.ended(err)
	}
	return p, err
}

// ended finds out what the server said at the end of the session, which also
// resets the stream.
func (l *clientLink) ended(err error) error {
	_, cause := l.session.OpenStream()
	if end, ok := errors.AsType[*wt.SessionError](cause); ok && end.Remote {
		return fmt.Errorf("%w: %w", io.EOF, cause)
	}
	return err
}

// Send sends a frame for each packet.
func (l *clientLink) Send(packets []eioparser.Packet) error {
	var b []byte
	last := false
	for _, p := range packets {
		if p.Type == eioparser.Close {
			last = true
			break
		}
		b = eioparser.AppendStreamPacket(b, p)
	}
	if _, err := l.stream.Write(b); err != nil || !last {
		return err
	}
	// The end of the stream arrives behind everything that was sent, which the end
	// of the session may not. The server answers it with that.
	if err := l.stream.Close(); err != nil {
		return err
	}
	awaitEnd(l.session)
	return nil
}

// Close closes the session, and the connection with it.
func (l *clientLink) Close() {
	_ = l.session.CloseWithError(0, "") // at once: it waits no longer than for the network card
}
