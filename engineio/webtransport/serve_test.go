package webtransport_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	wt "github.com/quic-go/webtransport-go"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/engineio/transporttest"
	"github.com/siokit/siokit/engineio/webtransport"
)

// patience is how long these tests wait for what must come.
const patience = 20 * time.Second

// identity is a certificate for 127.0.0.1, and who trusts it.
func identity(t testing.TB) (server, client *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, BasicConstraintsValid: true, IsCA: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	cert := tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
	return &tls.Config{Certificates: []tls.Certificate{cert}}, &tls.Config{RootCAs: roots}
}

// site is an Engine.IO server behind HTTP/3, HTTP/2 and HTTP/1.1 on one port.
type site struct {
	srv  *engineio.Server
	addr string
	tls  *tls.Config // of clients
}

// serve makes srv reachable on a free port until the test ends. The functions of
// set may change the handler before.
func serve(t testing.TB, srv *engineio.Server, set ...func(*webtransport.Handler, *wt.Server)) *site {
	t.Helper()
	serverTLS, clientTLS := identity(t)
	// The kernel gives a TCP port; the same number is free for UDP, or the next one
	// is tried.
	var udp *net.UDPConn
	tcp := httptest.NewUnstartedServer(nil)
	for udp == nil {
		a := tcp.Listener.Addr().(*net.TCPAddr)
		var err error
		if udp, err = net.ListenUDP("udp", &net.UDPAddr{IP: a.IP, Port: a.Port}); err != nil {
			_ = tcp.Listener.Close()
			tcp = httptest.NewUnstartedServer(nil)
		}
	}
	mux := http.NewServeMux()
	w := &wt.Server{H3: &http3.Server{TLSConfig: http3.ConfigureTLSConfig(serverTLS), Handler: mux}}
	h := webtransport.NewHandler(srv, w)
	for _, f := range set {
		f(h, w)
	}
	mux.Handle("/engine.io/", h)
	served := make(chan error, 1)
	go func() { served <- w.Serve(udp) }()
	tcp.Config.Handler = srv
	tcp.TLS = serverTLS.Clone()
	tcp.StartTLS()
	t.Cleanup(func() {
		_ = srv.Close()
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := srv.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		tcp.Close()
		_ = w.Close()
		<-served
		_ = udp.Close()
	})
	return &site{srv: srv, addr: udp.LocalAddr().String(), tls: clientTLS}
}

// newServer returns a server with all transports.
func newServer(t testing.TB, cfg engineio.Config, h engineio.Handler) *engineio.Server {
	t.Helper()
	cfg.Transports = []engineio.Transport{engineio.Polling{}, engineio.WebSocket{}, webtransport.Transport{}}
	srv, err := engineio.NewServer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Handle(h); err != nil {
		t.Fatal(err)
	}
	return srv
}

// raw is a client on webtransport-go alone.
type raw struct {
	session *wt.Session
	stream  *wt.Stream
	in      *eioparser.StreamReader
}

// connect makes a WebTransport session, without a stream.
func connect(ctx context.Context, addr string, config *tls.Config, header http.Header) (*wt.Session, error) {
	d := wt.Transport{TLSClientConfig: config, QUICConfig: &quic.Config{EnableDatagrams: true, EnableStreamResetPartialDelivery: true}}
	_, session, err := d.Dial(ctx, "https://"+addr+"/engine.io/", header)
	return session, err
}

// dial connects and sends an open packet with the data.
func dial(ctx context.Context, addr string, config *tls.Config, data []byte) (*raw, error) {
	session, err := connect(ctx, addr, config, nil)
	if err != nil {
		return nil, err
	}
	stream, err := session.OpenStreamSync(ctx)
	if err != nil {
		return nil, err
	}
	c := &raw{session: session, stream: stream, in: eioparser.NewStreamReader(stream, -1)}
	return c, c.Send(eioparser.Packet{Type: eioparser.Open, Data: data})
}

func (c *raw) Send(p eioparser.Packet) error {
	_, err := c.stream.Write(eioparser.AppendStreamPacket(nil, p))
	return err
}

func (c *raw) Receive() (eioparser.Packet, error) { return c.in.Next() }

func (c *raw) Close() error { return c.session.CloseWithError(0, "") }

var _ transporttest.Client = (*raw)(nil)
