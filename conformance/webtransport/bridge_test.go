package webtransport_test

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/quic-go/quic-go/http3"
	wt "github.com/quic-go/webtransport-go"
)

// identity is a certificate for 127.0.0.1, and who trusts it.
func identity(t *testing.T) (server, client *tls.Config) {
	t.Helper()
	site := httptest.NewTLSServer(http.NotFoundHandler())
	defer site.Close()
	trusting := site.Client().Transport.(*http.Transport).TLSClientConfig
	return &tls.Config{Certificates: site.TLS.Certificates}, &tls.Config{RootCAs: trusting.RootCAs}
}

// bridge speaks HTTP/3 for a server that cannot: each WebTransport session
// becomes a TCP connection to it. It ends with the test.
type bridge struct {
	wt    *wt.Server
	to    string // the server's address for sessions
	tasks sync.WaitGroup
}

// startBridge returns the URL of the echo path and the client's configuration.
func startBridge(t *testing.T, to string) (url string, client *tls.Config) {
	t.Helper()
	server, client := identity(t)
	socket, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	b := &bridge{wt: &wt.Server{H3: &http3.Server{Handler: mux, TLSConfig: http3.ConfigureTLSConfig(server)}}, to: to}
	wt.ConfigureHTTP3Server(b.wt.H3)
	mux.HandleFunc("/engine.io/", b.serve)
	b.tasks.Go(func() { b.wt.Serve(socket) }) // ends with Close
	t.Cleanup(func() {
		b.wt.Close()
		socket.Close()
		b.tasks.Wait()
	})
	return "https://" + socket.LocalAddr().String() + "/engine.io/", client
}

// serve carries the bytes of one session until either end closes.
func (b *bridge) serve(w http.ResponseWriter, r *http.Request) {
	b.tasks.Add(1)
	defer b.tasks.Done()
	session, err := b.wt.Upgrade(w, r)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	defer session.CloseWithError(0, "")
	conn, err := net.Dial("tcp", b.to)
	if err != nil {
		return
	}
	defer conn.Close()
	streams := make(chan *wt.Stream, 1)
	b.tasks.Go(func() { // ends with the session
		defer conn.Close()
		stream, err := session.AcceptStream(session.Context())
		if err != nil {
			return
		}
		streams <- stream
		conn.Write([]byte{1}) // the stream was opened
		io.Copy(conn, stream)
	})
	buf := make([]byte, 1<<16)
	var stream *wt.Stream
	for {
		n, err := conn.Read(buf)
		if n > 0 && stream == nil {
			stream = <-streams // the server speaks when it knows of the stream only
		}
		if n > 0 {
			stream.Write(buf[:n])
		}
		if err != nil {
			return
		}
	}
}
