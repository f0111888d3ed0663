package fuzz_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leanovate/gopter/prop"

	"github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/socketio/adapter"
)

// clusterEnd is a server's end of the bus, which a kill cuts.
type clusterEnd struct {
	*cluster.MemoryBus
	cut atomic.Bool
}

func (e *clusterEnd) Publish(ctx context.Context, topic string, data []byte) error {
	if e.cut.Load() {
		return errors.New("cut")
	}
	return e.MemoryBus.Publish(ctx, topic, data)
}

func (e *clusterEnd) Subscribe(topic string, receive func([]byte)) (func(), error) {
	return e.MemoryBus.Subscribe(topic, func(data []byte) {
		if !e.cut.Load() {
			receive(data)
		}
	})
}

// clusterRun is a roomsRun of several servers.
type clusterRun struct {
	*roomsRun
	bus  *cluster.MemoryBus
	ends map[*roomsNode]*clusterEnd
	dead []adapter.Adapter
}

func (c *clusterRun) add() error {
	end := &clusterEnd{MemoryBus: c.bus}
	err := c.node(cluster.New(cluster.Config{Bus: end, Logger: slog.New(slog.DiscardHandler)}))
	c.ends[c.nodes[len(c.nodes)-1]] = end
	synctest.Wait()
	return err
}

// endNode ends a server with all its sockets, and starts another.
func (c *clusterRun) endNode(op roomsOp) error {
	i := op.From % len(c.nodes)
	n := c.nodes[i]
	if op.Kill {
		c.ends[n].cut.Store(true)
		c.dead = append(c.dead, n.adapter)
	}
	for _, s := range c.sockets {
		if s.on == n {
			n.adapter.Remove(s.Socket)
			c.end(s)
		}
	}
	if !op.Kill {
		if err := n.adapter.Close(context.Background()); err != nil {
			return err
		}
	}
	c.nodes = append(c.nodes[:i], c.nodes[i+1:]...)
	return c.add()
}

// Servers of a cluster, coming, leaving and dying, are one server to whoever
// looks at sockets and rooms.
func TestClusterEqualsOneServer(t *testing.T) {
	properties := properties(t, 150, 120)
	properties.Property("cluster", prop.ForAll(func(ops []roomsOp) (bool, error) {
		var failed error
		synctest.Test(t, func(*testing.T) { failed = runCluster(ops) })
		return failed == nil, failed
	}, roomsOps(roomsKinds)))
	properties.TestingRun(t)
}

func runCluster(ops []roomsOp) (err error) {
	c := &clusterRun{roomsRun: newRoomsRun(), bus: &cluster.MemoryBus{}, ends: map[*roomsNode]*clusterEnd{}}
	defer func() {
		for _, n := range c.nodes {
			c.dead = append(c.dead, n.adapter)
		}
		for _, a := range c.dead {
			err = errors.Join(err, a.Close(context.Background()))
		}
	}()
	for range 3 {
		if err := c.add(); err != nil {
			return err
		}
	}
	for i, op := range ops {
		if op.Kind == roomsNodeEnds {
			err = c.endNode(op)
		} else {
			err = c.step(context.Background(), op)
		}
		var partial *adapter.PartialError
		switch {
		case errors.As(err, &partial) && len(c.dead) > 0 && len(partial.Nodes) <= len(c.dead):
			err = nil // a dead server is missed until it is given up
		case err != nil:
			return fmt.Errorf("step %d, %v: %w", i, op, err)
		}
		synctest.Wait()
	}
	if err := c.compare(); err != nil {
		return err
	}
	// When the dead are given up, the living know each other and nobody else.
	<-time.After(15 * time.Second)
	for i, n := range c.nodes {
		if servers, err := n.adapter.(adapter.Counter).Servers(context.Background()); servers != len(c.nodes) || err != nil {
			return fmt.Errorf("server %d knows of %d servers, %w", i, servers, err)
		}
	}
	return nil
}
