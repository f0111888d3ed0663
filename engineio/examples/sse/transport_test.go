package sse_test

import (
	"context"
	"net/url"
	"testing"

	"go.uber.org/goleak"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/engineio/client"
	"github.com/siokit/siokit/engineio/examples/sse"
	"github.com/siokit/siokit/engineio/transporttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTransport(t *testing.T) {
	transporttest.Run(t, transporttest.Subject{
		Transport: sse.Transport{},
		Dial: func(ctx context.Context, addr, query string) (transporttest.Client, error) {
			l, err := sse.Client{}.Dial(ctx, client.Target{URL: &url.URL{Scheme: "http", Host: addr, Path: "/", RawQuery: query}, MaxMessage: 1 << 24})
			return peer{l}, err
		},
	})
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
