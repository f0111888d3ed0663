package tcp_test

import (
	"context"
	"net"
	"net/url"
	"testing"

	"go.uber.org/goleak"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/engineio/client"
	"github.com/siokit/siokit/engineio/examples/tcp"
	"github.com/siokit/siokit/engineio/transporttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTransport(t *testing.T) {
	transporttest.Run(t, transporttest.Subject{
		Transport: tcp.Transport{},
		Serve:     serve,
		Dial: func(ctx context.Context, addr, query string) (transporttest.Client, error) {
			l, err := tcp.Client{}.Dial(ctx, client.Target{URL: &url.URL{Host: addr, RawQuery: query}, MaxMessage: 1 << 30})
			return peer{l}, err
		},
	})
}

// serve makes srv reachable on a free port until the test ends.
func serve(t testing.TB, srv *engineio.Server) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- tcp.Serve(srv, l) }()
	t.Cleanup(func() {
		_ = l.Close()
		_ = srv.Close()
		<-served
	})
	return l.Addr().String()
}

// peer is a client as the suite wants it.
type peer struct{ client.Link }

func (p peer) Send(packet eioparser.Packet) error {
	return p.Link.Send([]eioparser.Packet{packet})
}

func (p peer) Close() error {
	p.Link.Close()
	return nil
}
