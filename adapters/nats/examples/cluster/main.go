// Command cluster runs three Socket.IO servers on an embedded NATS, or on a Redis of
// yours, and a page on which you can watch a client move from one that is stopped to
// another without missing anything.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:3000", "address to listen on")
	redis := flag.String("redis", "", "address of a Redis to use as the bus, such as 127.0.0.1:6379; empty: an embedded NATS")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		log.Fatalf("cluster: %v", err)
	}
	fmt.Printf("cluster: open http://%s in two tabs, write, and stop a server\n", listener.Addr())
	if err := run(ctx, listener, *redis); err != nil {
		log.Fatalf("cluster: %v", err)
	}
}

// run serves the page and the cluster until ctx ends.
func run(ctx context.Context, listener net.Listener, redis string) error {
	if redis != "" {
		b, err := findRedis(ctx, redis)
		if err != nil {
			return err
		}
		return serve(ctx, listener, b)
	}
	b, err := startNATS()
	if err != nil {
		return err
	}
	defer b.stop()
	return serve(ctx, listener, b)
}

func serve(ctx context.Context, listener net.Listener, b bus) error {
	c, err := newCluster(b, "ada", "bob", "cyd")
	if err != nil {
		return err
	}
	front := &http.Server{Handler: c, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- front.Serve(listener) }() // ends with Shutdown; waited for below
	select {
	case <-ctx.Done():
	case err := <-served:
		served <- err
	}
	end, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	// The sockets first: http.Server knows nothing of WebSocket connections.
	err = errors.Join(c.close(end), front.Shutdown(end))
	if failed := <-served; failed != http.ErrServerClosed {
		err = errors.Join(err, failed)
	}
	return err
}
