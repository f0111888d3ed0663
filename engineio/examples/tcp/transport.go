package tcp

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/engineio"
)

// Transport is the entry for engineio.Config.Transports.
type Transport struct{}

// Name returns "tcp".
func (Transport) Name() string { return "tcp" }

// Accept returns engineio.ErrNoHTTP: no request leads here.
func (Transport) Accept(http.ResponseWriter, *http.Request, *engineio.Port) (engineio.Link, error) {
	return nil, engineio.ErrNoHTTP
}

// UpgradesFrom lets sessions of long-polling move here.
func (Transport) UpgradesFrom(name string) bool { return name == "polling" }

// Serve accepts connections from l for srv until l is closed, and returns when
// all of them are over.
func Serve(srv *engineio.Server, l net.Listener) error {
	var conns sync.WaitGroup
	defer conns.Wait()
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		conns.Go(func() {
			// Whom the server refuses learns it by the end of the connection;
			// Config.OnConnectionError learns why.
			_ = serve(srv, c)
			_ = c.Close()
		})
	}
}

// firstPacket is how long a client may take to say what it wants.
const firstPacket = 10 * time.Second

// serve reads the first packet and serves the connection until it ends.
func serve(srv *engineio.Server, c net.Conn) error {
	if err := c.SetReadDeadline(time.Now().Add(firstPacket)); err != nil {
		return err
	}
	in := eioparser.NewStreamReader(c, srv.MaxPayload())
	open, err := in.Next()
	if err != nil {
		return err
	}
	if open.Type != eioparser.Open {
		return errors.New("tcp: the first packet is no open packet")
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
	// The request that an HTTP client would have made.
	r := &http.Request{
		Method: http.MethodGet, Header: http.Header{},
		RemoteAddr: c.RemoteAddr().String(), URL: &url.URL{RawQuery: query.Encode()},
	}
	return srv.ServeConn(r, func(p *engineio.Port) (engineio.Link, error) {
		return &link{conn: c, in: in, port: p}, nil
	})
}
