// Command rooms shows rooms, private messages by a room for each user, calls
// with replies, and emitting from an HTTP handler.
package main

import (
	"flag"
	"log"
	"net/http"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:3000", "address to listen on")
	flag.Parse()

	io, err := newServer()
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("POST /announce/{room}", announce(io))
	http.Handle("/socket.io/", io)
	log.Fatal(http.ListenAndServe(*addr, nil))
}
