// Command cluster runs three Socket.IO servers on an embedded NATS, and a page on
// which you can watch a client move from one that is stopped to another without
// missing anything.
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

	"github.com/nats-io/nats-server/v2/server"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:3000", "address to listen on")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		log.Fatalf("cluster: %v", err)
	}
	fmt.Printf("cluster: open http://%s in two tabs, write, and stop a server\n", listener.Addr())
	if err := run(ctx, listener); err != nil {
		log.Fatalf("cluster: %v", err)
	}
}

// run serves the page and the cluster until ctx ends.
func run(ctx context.Context, listener net.Listener) error {
	bus, err := startNATS()
	if err != nil {
		return err
	}
	defer bus.stop()
	c, err := newCluster(bus.ClientURL(), "ada", "bob", "cyd")
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

// embedded is a NATS server in this process, with JetStream in a temporary folder.
type embedded struct {
	*server.Server
	dir string
}

func startNATS() (*embedded, error) {
	dir, err := os.MkdirTemp("", "siokit-cluster")
	if err != nil {
		return nil, err
	}
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: dir, NoLog: true, NoSigs: true,
	})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	s.Start()
	e := &embedded{s, dir}
	if !s.ReadyForConnections(10 * time.Second) {
		e.stop()
		return nil, errors.New("the NATS server has not started")
	}
	return e, nil
}

func (e *embedded) stop() {
	e.Shutdown()
	e.WaitForShutdown()
	if err := os.RemoveAll(e.dir); err != nil {
		log.Print(err)
	}
}
