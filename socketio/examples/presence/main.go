// Command presence shows connection state recovery: who is away for a short
// time has never been gone. Its test runs in simulated time.
package main

import (
	"context"
	"errors"
	"flag"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:3000", "address to listen on")
	flag.Parse()

	io, err := newServer()
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("/socket.io/", io)
	server := &http.Server{Addr: *addr, ReadHeaderTimeout: 10 * time.Second}
	go func() { // ended by Shutdown below
		if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
			log.Fatal(err)
		}
	}()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	<-ctx.Done()
	stop() // a second signal ends it at once
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	// The sockets first: http.Server waits for polls and knows nothing of
	// WebSocket connections.
	if err := errors.Join(io.Shutdown(ctx), server.Shutdown(ctx)); err != nil {
		log.Print(err)
	}
}
