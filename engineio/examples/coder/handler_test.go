package coder_test

import (
	"context"
	"net/http/httptest"
	"testing"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/engineio/examples/coder"
	"github.com/siokit/siokit/engineio/transporttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTransport(t *testing.T) {
	transporttest.Run(t, transporttest.Subject{
		Transport: coder.Transport{},
		Serve: func(t testing.TB, srv *engineio.Server) string {
			web := httptest.NewServer(coder.Handler(srv, nil))
			t.Cleanup(web.Close)
			return web.Listener.Addr().String()
		},
		Dial: func(ctx context.Context, addr, query string) (transporttest.Client, error) {
			c, _, err := websocket.Dial(ctx, "ws://"+addr+"/?"+query, nil)
			if err != nil {
				return nil, err
			}
			c.SetReadLimit(-1)
			return peer{c}, nil
		},
	})
}

// peer is a client as the suite wants it.
type peer struct{ conn *websocket.Conn }

func (p peer) Send(packet eioparser.Packet) error {
	if packet.Binary {
		return p.conn.Write(context.Background(), websocket.MessageBinary, packet.Data)
	}
	return p.conn.Write(context.Background(), websocket.MessageText, eioparser.AppendPacket(nil, packet))
}

func (p peer) Receive() (eioparser.Packet, error) {
	kind, b, err := p.conn.Read(context.Background())
	if err != nil {
		return eioparser.Packet{}, err
	}
	if kind == websocket.MessageBinary {
		return eioparser.DecodeBinary(b), nil
	}
	return eioparser.DecodeText(b)
}

func (p peer) Close() error { return p.conn.CloseNow() }
