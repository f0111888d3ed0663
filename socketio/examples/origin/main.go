// Command origin serves a page on one origin and its Socket.IO server on
// another one, over TLS: polls then go over HTTP/2, WebSocket over HTTP/1.1.
//
//	go run $(go env GOROOT)/src/crypto/tls/generate_cert.go --host 127.0.0.1
//	go run ./socketio/examples/origin -cert cert.pem -key key.pem
package main

import (
	"context"
	"flag"
	"log"
	"net/http"

	"github.com/rs/cors"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/socketio"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:3443", "address to listen on")
	origin := flag.String("origin", "https://app.example", "origin of the page: scheme, host and port if it is not the usual one")
	cert := flag.String("cert", "cert.pem", "certificate")
	key := flag.String("key", "key.pem", "its private key")
	flag.Parse()

	_, handler, err := newHandler(*origin)
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServeTLS(*addr, *cert, *key, handler))
}

// newHandler lets pages of one other origin in, with their cookies, over
// polling and WebSocket alike.
func newHandler(origin string) (*socketio.Server, http.Handler, error) {
	io, err := socketio.NewServer(socketio.Config{EngineConfig: engineio.Config{
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
