// Command chat is a chat in the browser; the page is in the folder page.
package main

import (
	"context"
	"embed"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/siokit/siokit/socketio"
)

//go:embed page
var files embed.FS

func main() {
	addr := flag.String("addr", "127.0.0.1:3000", "address to listen on")
	client := flag.String("client", "tools/node/node_modules/socket.io-client/dist", "folder of npm's browser client")
	flag.Parse()

	// The server gives out the client too, as /socket.io/socket.io.min.js.
	io, err := socketio.NewServer(socketio.Config{ServeClient: os.DirFS(*client)})
	if err != nil {
		log.Fatalf("chat: %v (-client %s)", err, *client)
	}
	newChat(io)
	page, _ := fs.Sub(files, "page") // embedded, so it is there
	http.Handle("/", http.FileServerFS(page))
	http.Handle("/socket.io/", io)
	server := &http.Server{Addr: *addr, ReadHeaderTimeout: 10 * time.Second}
	go func() { // ended by Shutdown below
		if err := server.ListenAndServe(); err != http.ErrServerClosed {
			log.Fatalf("chat: %v", err)
		}
	}()
	fmt.Printf("chat: open http://%s in two tabs\n", *addr)

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	<-ctx.Done()
	stop() // a second signal ends it at once
	ctx, stop = context.WithTimeout(context.Background(), 5*time.Second)
	defer stop()
	// The sockets first: http.Server knows nothing of WebSocket connections.
	if err := errors.Join(io.Shutdown(ctx), server.Shutdown(ctx)); err != nil {
		log.Printf("chat: %v", err)
	}
}
