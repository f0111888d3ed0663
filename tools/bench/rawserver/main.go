// Command rawserver is the yardstick of the benchmark: gorilla/websocket, one
// write a message under a mutex, no JSON, no protocol stack. It echoes what it
// receives, and knows rooms by looking for the bytes of three Socket.IO events.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/gorilla/websocket"
)

type conn struct {
	mu sync.Mutex
	ws *websocket.Conn
}

func (c *conn) write(kind int, data []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ws.WriteMessage(kind, data)
}

type rooms struct {
	mu      sync.RWMutex
	members map[string]map[*conn]struct{}
}

func (r *rooms) join(name string, c *conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.members[name] == nil {
		r.members[name] = map[*conn]struct{}{}
	}
	r.members[name][c] = struct{}{}
}

func (r *rooms) leave(name string, c *conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.members[name], c)
	if len(r.members[name]) == 0 {
		delete(r.members, name)
	}
}

func (r *rooms) each(name string, f func(*conn)) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for c := range r.members[name] {
		f(c)
	}
}

var all = &rooms{members: map[string]map[*conn]struct{}{}}

// quoted returns the n-th string literal of msg, counted from 0.
func quoted(msg []byte, n int) string {
	parts := bytes.SplitN(msg, []byte{'"'}, 2*n+3)
	if len(parts) < 2*n+2 {
		return ""
	}
	return string(parts[2*n+1])
}

func serve(c *conn) {
	joined := map[string]bool{}
	defer func() {
		for name := range joined {
			all.leave(name, c)
		}
		c.ws.Close()
	}()
	for {
		kind, msg, err := c.ws.ReadMessage()
		if err != nil {
			return
		}
		switch open := bytes.IndexByte(msg, '['); {
		case kind != websocket.TextMessage || open < 0:
			err = c.write(kind, msg)
		case bytes.HasPrefix(msg[open:], []byte(`["join"`)):
			name := quoted(msg, 1)
			joined[name] = true
			all.join(name, c)
			err = c.write(kind, fmt.Appendf(nil, "43%s[%d]", msg[2:open], len(joined)))
		case bytes.HasPrefix(msg[open:], []byte(`["leave"`)):
			name := quoted(msg, 1)
			delete(joined, name)
			all.leave(name, c)
			err = c.write(kind, fmt.Appendf(nil, "43%s[%d]", msg[2:open], len(joined)))
		case bytes.HasPrefix(msg[open:], []byte(`["bcast"`)):
			room := quoted(msg, 1)
			payload := msg[open+len(`["bcast","`)+len(room)+2:]
			out := append([]byte(`42["msg",`), payload...)
			all.each(room, func(c *conn) { _ = c.write(websocket.TextMessage, out) })
		default:
			err = c.write(kind, msg)
		}
		if err != nil {
			return
		}
	}
}

func main() {
	addr := flag.String("addr", "127.0.0.1:0", "address to listen on")
	flag.Parse()
	l, err := net.Listen("tcp", *addr)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	upgrader := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		serve(&conn{ws: ws})
	}))
	fmt.Println("listening on", l.Addr())
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, os.Interrupt)
	<-stop
}
