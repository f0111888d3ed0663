// Command auth shows who may connect: by a cookie of the site's own login or
// by a token, until when, and what a client that may not gets to hear.
package main

import (
	"crypto/rand"
	"flag"
	"log"
	"net/http"
	"time"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:3000", "address to listen on")
	flag.Parse()

	key := []byte(rand.Text()) // tokens are good for as long as the process lives
	io, err := newServer(key)
	if err != nil {
		log.Fatal(err)
	}
	tokens := signer{key}
	log.Print("a token for ten minutes: ", tokens.sign(Account{"gopher", time.Now().Add(10 * time.Minute)}))
	http.HandleFunc("POST /login", tokens.login)
	http.Handle("/socket.io/", io)
	log.Fatal(http.ListenAndServe(*addr, nil))
}
