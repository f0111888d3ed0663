package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	natsgo "github.com/nats-io/nats.go"

	emit "github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/adapters/nats"
	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/socketio"
)

// Said is a line that somebody has written.
type Said struct {
	Who    string `json:"who"`
	Text   string `json:"text"`
	Server string `json:"server"` // that the writer is connected to
}

// State is a server of the cluster, as the page shows it.
type State struct {
	Name string `json:"name"`
	Up   bool   `json:"up"`
}

var (
	say     = socketio.DefineEvent[Said]("say").ToServer()
	said    = socketio.DefineEvent[Said]("said").ToClient()
	welcome = socketio.DefineEvent[string]("welcome").ToClient() // with the server's name
	servers = socketio.DefineEvent[[]State]("servers").ToClient()
	tick    = socketio.DefineEvent[int]("tick").ToClient() // numbered: the page sees a gap
)

//go:embed page.html
var page []byte

// cluster is some servers that share nothing but the bus, and in front of them
// what a load balancer does: it gives each new connection to the next server that
// is up.
type cluster struct {
	url     string
	conn    *natsgo.Conn // the emitter's
	emitter *emit.Emitter
	end     context.CancelFunc
	running sync.WaitGroup // the ticker

	mu    sync.Mutex
	nodes []*node
	next  int
}

// node is one server; its io is nil while it is stopped.
type node struct {
	name string
	conn *natsgo.Conn
	io   *socketio.Server
}

func newCluster(url string, names ...string) (*cluster, error) {
	conn, err := connect(url)
	if err != nil {
		return nil, err
	}
	emitter, err := nats.NewEmitter(nats.Config{Conn: conn, Recovery: &nats.Recovery{}})
	if err != nil {
		return nil, err
	}
	c := &cluster{url: url, conn: conn, emitter: emitter}
	for _, name := range names {
		c.nodes = append(c.nodes, &node{name: name})
		if err := c.start(name); err != nil {
			return nil, err
		}
	}
	ctx, end := context.WithCancel(context.Background())
	c.end = end
	c.running.Go(func() { c.tick(ctx) })
	return c, nil
}

func connect(url string) (*natsgo.Conn, error) {
	return natsgo.Connect(url, natsgo.MaxReconnects(-1), natsgo.ReconnectWait(250*time.Millisecond))
}

// newServer is all that an application has to do to be one of many.
func newServer(conn *natsgo.Conn, name string) (*socketio.Server, error) {
	io, err := socketio.NewServer(socketio.Config{
		Adapter:  nats.New(nats.Config{Conn: conn, UID: name, Recovery: &nats.Recovery{}}),
		Recovery: &socketio.Recovery{},
		// The page speaks WebSocket from the beginning, so that no request has to come to
		// the server that had the one before.
		EngineConfig: engineio.Config{Transports: []engineio.Transport{engineio.WebSocket{}}},
	})
	if err != nil {
		return nil, err
	}
	io.OnConnection(func(_ context.Context, s *socketio.Socket) {
		// Volatile: which server it was is of no use later.
		_ = s.Volatile().Emit(welcome.Name(), name)
	})
	say.On(io, func(_ context.Context, _ *socketio.Socket, line Said) error {
		line.Server = name
		return said.Emit(io, line)
	})
	return io, nil
}

// tick has the emitter, which is a process without sockets elsewhere, count.
func (c *cluster) tick(ctx context.Context) {
	every := time.NewTicker(200 * time.Millisecond)
	defer every.Stop()
	for n := 1; ; n++ {
		select {
		case <-every.C:
			_ = tick.Emit(c.emitter, n) // a bus that is gone loses nothing that anybody waits for
		case <-ctx.Done():
			return
		}
	}
}

func (c *cluster) find(name string) (*node, error) {
	i := slices.IndexFunc(c.nodes, func(n *node) bool { return n.name == name })
	if i < 0 {
		return nil, fmt.Errorf("there is no server %q", name)
	}
	return c.nodes[i], nil
}

func (c *cluster) start(name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, err := c.find(name)
	if err != nil || n.io != nil {
		return err
	}
	if n.conn, err = connect(c.url); err != nil {
		return err
	}
	n.io, err = newServer(n.conn, name)
	return err
}

// stop ends a server and its connections.
func (c *cluster) stop(ctx context.Context, name string) error {
	c.mu.Lock()
	n, err := c.find(name)
	if err != nil || n.io == nil {
		c.mu.Unlock()
		return err
	}
	io, conn := n.io, n.conn
	n.io, n.conn = nil, nil
	c.mu.Unlock()
	err = io.Shutdown(ctx)
	conn.Close()
	return err
}

func (c *cluster) close(ctx context.Context) error {
	c.end()
	c.running.Wait()
	var err error
	for _, n := range c.nodes {
		err = errors.Join(err, c.stop(ctx, n.name))
	}
	c.conn.Close()
	return err
}

// state is what the page shows.
func (c *cluster) state() (list []State) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range c.nodes {
		list = append(list, State{n.name, n.io != nil})
	}
	return list
}

// pick returns the server for the next connection, nil if none is up.
func (c *cluster) pick() *socketio.Server {
	c.mu.Lock()
	defer c.mu.Unlock()
	for range c.nodes {
		c.next = (c.next + 1) % len(c.nodes)
		if io := c.nodes[c.next].io; io != nil {
			return io
		}
	}
	return nil
}

// ServeHTTP implements [http.Handler].
func (c *cluster) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch verb, name, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/"); {
	case verb == "socket.io":
		if io := c.pick(); io != nil {
			io.ServeHTTP(w, r)
			return
		}
		http.Error(w, "every server is stopped", http.StatusServiceUnavailable)
	case (verb == "stop" || verb == "start") && r.Method == http.MethodPost:
		if r.Header.Get("Origin") != "http://"+r.Host {
			http.Error(w, "for the page only", http.StatusForbidden)
			return
		}
		err := c.start(name)
		if verb == "stop" {
			err = c.stop(r.Context(), name)
		}
		if err == nil {
			err = servers.Emit(c.emitter, c.state())
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
		}
	case verb == "":
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(page)
	default:
		http.NotFound(w, r)
	}
}
