package mixed

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/socketio/adapter"
)

// bus is a column of the matrix: an engine and how servers use it.
type bus struct {
	name string
	// module is the script in node/buses that makes the official adapter; empty if
	// there is none: then all four servers are ours.
	module string
	// recovery says whether sessions and packets survive on the bus.
	recovery bool
	// officialEmitter says whether there is an official emitter on npm for it.
	officialEmitter bool
	// emitterReachesGo says that it reaches our servers only.
	emitterReachesGo bool
	// start starts the engine, or takes one that runs, for one cluster that shares
	// nothing with others: options go to the script; newAdapter makes the
	// adapters of one server of ours.
	start func(t *testing.T) (options any, newAdapter func() adapter.New, emitter func() (*cluster.Emitter, error))
}

// buses are all columns; files of this package add theirs.
var buses []bus

// client is an official client.
type client struct {
	peer   *peer
	number int
	socket string // its id
	name   string
	rooms  []string
	on     int // the server that it is connected to
}

// got counts the events of that name that the client has received.
func (c *client) got(event string) (n int) {
	for _, e := range c.peer.events(c.number) {
		if e.Name == event {
			n++
		}
	}
	return n
}

// mixed is a cluster: servers 0 and 1 are ours, 2 and 3 of the reference. Each has
// two clients, one in room "red" and one in room "blue".
type mixed struct {
	bus     bus
	options any
	emitter *cluster.Emitter
	peer    *peer
	servers []server
	clients []*client
	marks   int
}

var labels = []string{"go0", "go1", "node0", "node1"}

func isGo(server int) bool { return server < 2 }

func start(t *testing.T, b bus, p *peer) *mixed {
	t.Helper()
	options, newAdapter, newEmitter := b.start(t)
	c := &mixed{bus: b, options: options, peer: p}
	for i, label := range labels {
		if isGo(i) || b.module == "" {
			c.servers = append(c.servers, startGo(t, newAdapter(), b.recovery, label))
		} else {
			c.servers = append(c.servers, startNode(t, p, b.module, options, b.recovery, label))
		}
	}
	var err error
	if c.emitter, err = newEmitter(); err != nil {
		t.Fatal(err)
	}
	for i := range c.servers {
		c.until(t, labels[i]+" knows of four servers", func() bool {
			n, err := c.servers[i].count()
			return err == nil && n == len(labels)
		})
	}
	for i := range c.servers {
		for _, room := range []string{"red", "blue"} {
			c.clients = append(c.clients, c.connect(t, i, room+"-"+labels[i], room))
		}
	}
	c.settle(t)
	return c
}

// connect adds a client, which is disconnected at the end of the test.
func (c *mixed) connect(t *testing.T, on int, name string, rooms ...string) *client {
	t.Helper()
	k := &client{peer: c.peer, name: name, rooms: rooms, on: on}
	var made struct {
		Client int    `json:"client"`
		Socket string `json:"socket"`
	}
	if err := c.peer.call("client", object{"url": c.servers[on].url(), "name": name, "rooms": rooms}, &made); err != nil {
		t.Fatal(err)
	}
	k.number, k.socket = made.Client, made.Socket
	t.Cleanup(func() { k.leave(t) })
	return k
}

func (k *client) leave(t *testing.T) {
	if err := k.peer.call("closeClient", object{"client": k.number}, nil); err != nil {
		t.Error(err)
	}
}

// settle waits until rooms that have just come into being are known on the bus:
// some modes subscribe to a channel for each, a moment later.
func (c *mixed) settle(t *testing.T) {
	t.Helper()
	for from := range c.servers {
		for _, room := range []string{"red", "blue"} {
			c.until(t, "room "+room+" is reached from "+labels[from], func() bool { return c.reached(from, room) })
		}
	}
}

// reached broadcasts to a room and reports whether all in it got that.
func (c *mixed) reached(from int, room string) bool {
	c.marks++
	event := fmt.Sprint("probe-", c.marks)
	if c.servers[from].emit(selection{rooms: []string{room}}, event) != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	return c.peer.await(ctx, func() bool {
		for _, k := range c.clients {
			if k.rooms[0] == room && k.got(event) == 0 {
				return false
			}
		}
		return true
	}) == nil
}

// until waits for what Node or a bus does in the background.
func (c *mixed) until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	if err := eventually(ok); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

func eventually(ok func() bool) error {
	deadline := time.Now().Add(within)
	for !ok() {
		if time.Now().After(deadline) {
			return fmt.Errorf("not within %v", within)
		}
		<-time.After(5 * time.Millisecond)
	}
	return nil
}

// fence has a server broadcast to everyone, and waits until all have it: what it
// has sent before has arrived then, or never will.
func (c *mixed) fence(from int) error {
	c.marks++
	event := fmt.Sprint("fence-", c.marks)
	if err := c.servers[from].emit(selection{}, event); err != nil {
		return err
	}
	return c.all(event)
}

// all waits until every client has got an event.
func (c *mixed) all(event string) error {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	if err := c.peer.await(ctx, func() bool {
		for _, k := range c.clients {
			if k.got(event) == 0 {
				return false
			}
		}
		return true
	}); err != nil {
		return fmt.Errorf("%s has not reached everyone: %w", event, err)
	}
	return nil
}
