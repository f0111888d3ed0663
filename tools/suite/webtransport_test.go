package suite_test

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/quic-go/quic-go/http3"
	wt "github.com/quic-go/webtransport-go"

	"github.com/siokit/siokit/conformance"
	conformancewt "github.com/siokit/siokit/conformance/webtransport"
	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/engineio/webtransport"
)

// TestWebTransportConforms runs the cases about WebTransport on an echo server,
// over HTTP/3, with long-polling over plain HTTP beside it.
func TestWebTransportConforms(t *testing.T) {
	srv, err := engineio.NewServer(engineio.Config{
		PingInterval: 1500 * time.Millisecond,
		PingTimeout:  700 * time.Millisecond,
		Transports:   []engineio.Transport{engineio.Polling{}, engineio.WebSocket{}, webtransport.Transport{}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Handle(echo{}); err != nil {
		t.Fatal(err)
	}
	polling := httptest.NewTLSServer(srv) // for its certificate too
	plain := httptest.NewServer(srv)
	udp, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	h3 := &wt.Server{H3: &http3.Server{TLSConfig: http3.ConfigureTLSConfig(&tls.Config{Certificates: polling.TLS.Certificates})}}
	h3.H3.Handler = webtransport.NewHandler(srv, h3)
	var serving sync.WaitGroup
	serving.Go(func() { h3.Serve(udp) }) // ends with Close
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := srv.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		h3.Close()
		udp.Close()
		serving.Wait()
		polling.Close()
		plain.Close()
	})
	roots := polling.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	conformance.Test(t, conformance.URL(plain.URL), conformance.Options{
		Cases: conformancewt.Cases(conformancewt.Config{
			URL: "https://" + udp.LocalAddr().String() + "/engine.io/",
			TLS: &tls.Config{RootCAs: roots},
		}),
		Features: conformancewt.Needs,
		Strict:   true,
	})
}

// echo sends every message back.
type echo struct{}

func (echo) Open(*engineio.Session) error                    { return nil }
func (echo) Message(s *engineio.Session, m engineio.Message) { s.Send(m) }
func (echo) Close(*engineio.Session, engineio.Reason, error) {}
