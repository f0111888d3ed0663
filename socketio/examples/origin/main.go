// Command origin serves a page on one origin and its Socket.IO server on
// another one, over TLS: polls then go over HTTP/2, WebSocket over HTTP/1.1.
//
//	go run $(go env GOROOT)/src/crypto/tls/generate_cert.go --host 127.0.0.1
//	npm ci --prefix tools/node
//	go run ./socketio/examples/origin -cert cert.pem -key key.pem
//
// A browser that does not know the certificate asks for it at the server's address
// only; then the page at http://127.0.0.1:3000 may connect.
package main

import (
	"context"
	_ "embed"
	"flag"
	"fmt"
	"html/template"
	"io/fs"
	"log"
	"net/http"
	"os"

	"github.com/rs/cors"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/socketio"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:3443", "address of the server")
	page := flag.String("page", "127.0.0.1:3000", "address of the page")
	client := flag.String("client", "tools/node/node_modules/socket.io-client/dist", "folder of npm's browser client")
	cert := flag.String("cert", "cert.pem", "certificate of the server")
	key := flag.String("key", "key.pem", "its private key")
	flag.Parse()

	_, handler, err := newHandler("http://"+*page, os.DirFS(*client))
	if err != nil {
		log.Fatal(err)
	}
	server := "https://" + *addr
	go func() { log.Fatal(http.ListenAndServe(*page, newPage(server))) }() // as long as the program
	fmt.Printf("open %s/socket.io/socket.io.min.js to accept the certificate, then http://%s\n", server, *page)
	log.Fatal(http.ListenAndServeTLS(*addr, *cert, *key, handler))
}

// newHandler lets pages of one other origin in, with their cookies, over
// polling and WebSocket alike. The origin is a scheme, a host, and a port if it
// is not the usual one.
func newHandler(origin string, client fs.FS) (*socketio.Server, http.Handler, error) {
	io, err := socketio.NewServer(socketio.Config{ServeClient: client, EngineConfig: engineio.Config{
		CORS: &cors.Options{AllowedOrigins: []string{origin}, AllowCredentials: true},
	}})
	if err != nil {
		return nil, nil, err
	}
	io.On("echo", func(ctx context.Context, ev *socketio.Event) error { return ev.Ack(ev.Args()) })
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", io)
	return io, mux, nil
}

//go:embed page.html
var pageText string

// newPage is the page, which is told where its server is.
func newPage(server string) http.Handler {
	text := template.Must(template.New("page").Parse(pageText))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := text.Execute(w, server); err != nil {
			log.Print(err)
		}
	})
}
