package main

import (
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	emit "github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/socketio"
	"github.com/siokit/siokit/socketio/adapter"
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
	welcome = socketio.DefineEvent[State]("welcome").ToClient() // from the server that has the connection
	servers = socketio.DefineEvent[[]State]("servers").ToClient()
	tick    = socketio.DefineEvent[int]("tick").ToClient() // numbered: the page sees a gap
)

//go:embed page.html
var page []byte

// cluster is some servers that share nothing but the bus, and in front of them
// what a load balancer does: it gives each new session to the next server that is
// up, and all further requests of a session to the server that has it.
type cluster struct {
	bus     bus
	emitter *emit.Emitter
	leave   func() // closes the emitter's connection
	end     context.CancelFunc
	running sync.WaitGroup // the ticker

	mu    sync.Mutex
	nodes []*node
	next  int
}

// node is one server; its io is nil while it is stopped.
type node struct {
	name  string
	io    *socketio.Server
	leave func() // closes its connection to the bus
}

func newCluster(b bus, names ...string) (c *cluster, err error) {
	ctx, end := context.WithCancel(context.Background())
	c = &cluster{bus: b, end: end}
	if c.emitter, c.leave, err = b.emitter(); err != nil {
		return nil, err
	}
	for _, name := range names {
		c.nodes = append(c.nodes, &node{name: name})
		if err := c.start(name); err != nil {
			return nil, err
		}
	}
	c.running.Go(func() { c.tick(ctx) })
	return c, nil
}

// newServer is all that an application has to do to be one of many.
func newServer(adapters adapter.New, name string) (*socketio.Server, error) {
	io, err := socketio.NewServer(socketio.Config{
		Adapter:  adapters,
		Recovery: &socketio.Recovery{},
		// The front sees from a session's id which server has it.
		EngineConfig: engineio.Config{GenerateID: func(*http.Request) (string, error) {
			return name + "." + rand.Text(), nil
		}},
	})
	if err != nil {
		return nil, err
	}
	io.OnConnection(func(_ context.Context, s *socketio.Socket) {
		_ = welcome.Emit(s, State{name, true})
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
	adapters, leave, err := c.bus.join(name)
	if err != nil {
		return err
	}
	if n.io, err = newServer(adapters, name); err != nil {
		leave()
		return err
	}
	n.leave = leave
	return nil
}

// stop ends a server and its connections.
func (c *cluster) stop(ctx context.Context, name string) error {
	c.mu.Lock()
	n, err := c.find(name)
	if err != nil || n.io == nil {
		c.mu.Unlock()
		return err
	}
	io, leave := n.io, n.leave
	n.io, n.leave = nil, nil
	c.mu.Unlock()
	err = io.Shutdown(ctx)
	leave()
	return err
}

func (c *cluster) close(ctx context.Context) error {
	c.end()
	c.running.Wait()
	var err error
	for _, n := range c.nodes {
		err = errors.Join(err, c.stop(ctx, n.name))
	}
	c.leave()
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

// pick returns the server for a request: the one that has its session, the next one
// if there is none yet. A session of a server that is stopped is unknown to any
// other, which tells the client to begin anew. It is nil if no server is up.
func (c *cluster) pick(r *http.Request) *socketio.Server {
	owner, _, _ := strings.Cut(r.URL.Query().Get("sid"), ".")
	c.mu.Lock()
	defer c.mu.Unlock()
	if n, err := c.find(owner); err == nil && n.io != nil {
		return n.io
	}
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
		if io := c.pick(r); io != nil {
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
	case verb == "servers":
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(c.state())
	case verb == "":
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(page)
	default:
		http.NotFound(w, r)
	}
}
