package clients_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/quic-go/quic-go/http3"
	wt "github.com/quic-go/webtransport-go"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/engineio/webtransport"
	"github.com/siokit/siokit/tools/snippets"
)

// bundle is the official engine.io-client for browsers.
const bundle = "../node/node_modules/engine.io-client/dist/engine.io.min.js"

// echoes is an application that sends back what comes, and closes on demand.
type echoes struct{}

func (echoes) Open(s *engineio.Session) error { return s.Send(engineio.Text("welcome")) }

func (echoes) Message(s *engineio.Session, m engineio.Message) {
	_ = s.Send(m) // a session that is over needs no echo
	if string(m.Data) == "close" {
		s.Close()
	}
}

func (echoes) Close(*engineio.Session, engineio.Reason, error) {}

// webTransportSite serves a page with the official client, sessions over HTTP/1.1
// beside it, and WebTransport on the same port of UDP. It returns its URL and the
// hash of the certificate of the latter.
func webTransportSite(t *testing.T) (url string, hash []byte) {
	t.Helper()
	script, err := os.ReadFile(bundle)
	if err != nil {
		t.Fatalf("the npm packages are not installed: npm ci --prefix tools/node (make test does it): %v", err)
	}
	srv, err := engineio.NewServer(engineio.Config{
		PingInterval: time.Second, PingTimeout: 20 * time.Second,
		Transports: []engineio.Transport{engineio.Polling{}, engineio.WebSocket{}, webtransport.Transport{}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Handle(echoes{}); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/engine.io/", srv)
	mux.HandleFunc("/engine.io.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		_, _ = w.Write(script)
	})
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, `<!doctype html><title>WebTransport</title><script src="engine.io.js"></script>`)
	})
	web := httptest.NewUnstartedServer(mux)
	udp, err := net.ListenPacket("udp", web.Listener.Addr().String())
	for tries := 0; err != nil && tries < 100; tries++ { // the number is taken for UDP
		_ = web.Listener.Close()
		web = httptest.NewUnstartedServer(mux)
		udp, err = net.ListenPacket("udp", web.Listener.Addr().String())
	}
	if err != nil {
		t.Fatal(err)
	}
	web.Start()
	certificate := shortLived(t)
	h3 := &http3.Server{TLSConfig: http3.ConfigureTLSConfig(&tls.Config{Certificates: []tls.Certificate{certificate}})}
	quic := &wt.Server{H3: h3}
	h3.Handler = webtransport.NewHandler(srv, quic)
	// The page's scheme is http, which only a test's may be.
	quic.CheckOrigin = func(r *http.Request) bool { return r.Header.Get("Origin") == web.URL }
	served := make(chan error, 1)
	go func() { served <- quic.Serve(udp) }() // ends with Close
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), stopTime)
		defer cancel()
		if err := srv.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		_ = quic.Close()
		<-served
		_ = udp.Close()
		web.CloseClientConnections()
		web.Close()
	})
	sum := sha256.Sum256(certificate.Certificate[0])
	return web.URL, sum[:]
}

// shortLived makes a certificate as browsers want it that are given its hash:
// ECDSA, valid for at most two weeks.
func shortLived(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(10 * 24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// TestWebTransportInABrowser has the official client in Chromium begin sessions
// over WebTransport, and move there from long-polling, over real HTTP/3. It is given
// the certificate's hash as the transport's README shows.
func TestWebTransportInABrowser(t *testing.T) {
	url, hash := webTransportSite(t)
	readme, err := os.ReadFile("../../engineio/webtransport/README.md")
	if err != nil {
		t.Fatal(err)
	}
	shown := snippets.Extract("README.md", string(readme), "js")
	if len(shown) != 1 {
		t.Fatalf("the README shows %d clients, want 1", len(shown))
	}
	page := open(t, browser(t), "webtransport", url, 800, 600)
	page.wait("engine.io-client", "window.eio")
	digest, err := json.Marshal(func() (list []int) {
		for _, b := range hash {
			list = append(list, int(b))
		}
		return list
	}())
	if err != nil {
		t.Fatal(err)
	}
	for name, transports := range map[string]string{
		"begins there": `["webtransport"]`,
		"moves there":  `["polling", "webtransport"]`,
		"prefers it":   `["polling", "websocket", "webtransport"]`,
	} {
		t.Run(name, func(t *testing.T) {
			page.t = t
			got := page.eval(fmt.Sprintf(`(async () => {
				const hash = new Uint8Array(%s);
				const io = (options) => eio(%q, { path: "/engine.io/", transports: %s, ...options });
				const socket = %s
				socket.binaryType = "arraybuffer";
				const messages = [], wanted = [];
				const event = (name) => new Promise((resolve, reject) => {
					socket.once(name, (...args) => resolve(args));
					socket.once("close", (reason, why) => reject(new Error(name + ": " + reason + ": " + (why?.message ?? why?.description))));
				});
				socket.on("message", (data) => { messages.push(data); wanted.shift()?.(); });
				const upgraded = %s[0] === "polling" ? event("upgrade") : undefined;
				await event("open");
				for (let i = 0; i < 300; i++) socket.send(String(i)); // some of them during the upgrade
				await upgraded;
				socket.send(new Uint8Array([1, 2, 3]));
				socket.send("é€😀".repeat(30000));
				await event("ping");
				while (messages.length < 303) await new Promise((resolve) => wanted.push(resolve));
				const name = socket.transport.name;
				const closed = new Promise((resolve) => socket.on("close", resolve));
				socket.send("close");
				const reason = await closed;
				return [
					name, reason, messages.shift(),
					messages.slice(0, 300).every((data, i) => data === String(i)),
					Array.from(new Uint8Array(messages[300])).join(), messages[301].length, messages[302],
				].join(" ");
			})().catch((error) => String(error))`, digest, url, transports, shown[0].Code, transports))
			if want := "webtransport transport close welcome true 1,2,3 120000 close"; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}
