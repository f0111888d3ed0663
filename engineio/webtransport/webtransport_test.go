package webtransport_test

import (
	"context"
	"crypto/tls"
	"net/url"
	"testing"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/engineio/transporttest"
	"github.com/siokit/siokit/engineio/webtransport"
)

func TestTransport(t *testing.T) {
	var config *tls.Config
	transporttest.Run(t, transporttest.Subject{
		Transport: webtransport.Transport{},
		Serve: func(t testing.TB, srv *engineio.Server) string {
			s := serve(t, srv)
			config = s.tls
			return s.addr
		},
		Dial: func(ctx context.Context, addr, query string) (transporttest.Client, error) {
			q, err := url.ParseQuery(query)
			if err != nil {
				return nil, err
			}
			var data []byte
			if sid := q.Get("sid"); sid != "" {
				data = eioparser.AppendSID(nil, sid)
			}
			return dial(ctx, addr, config, data)
		},
	})
}
