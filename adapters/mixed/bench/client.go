package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

// crowd are the clients: one that has the first server broadcast, and the members
// of the room on the second.
type crowd struct {
	sender  *websocket.Conn
	members []*websocket.Conn
	reading sync.WaitGroup // a goroutine for each connection

	got     atomic.Int64
	want    atomic.Int64
	arrived chan struct{}
	failed  chan error
}

const patience = 30 * time.Second

// join connects everybody, and returns when a broadcast reaches the members.
func join(ctx context.Context, from, to string) (*crowd, error) {
	c := &crowd{arrived: make(chan struct{}, 1), failed: make(chan error, 1)}
	var err error
	if c.sender, err = dial(ctx, from); err != nil {
		return nil, err
	}
	for range *members {
		m, err := dial(ctx, to)
		if err != nil {
			c.close()
			return nil, err
		}
		c.members = append(c.members, m)
		if err := m.WriteMessage(websocket.TextMessage, []byte(`42["join"]`)); err != nil {
			c.close()
			return nil, err
		}
		c.read(m, true)
	}
	c.read(c.sender, false)
	// A room's subscription takes a moment.
	for deadline := time.Now().Add(patience); ; {
		before := c.got.Load()
		if err := c.blast(1); err != nil {
			c.close()
			return nil, err
		}
		<-time.After(200 * time.Millisecond)
		if c.got.Load()-before == int64(*members) {
			return c, nil
		}
		if time.Now().After(deadline) {
			c.close()
			return nil, errors.New("the servers don't reach each other")
		}
	}
}

func dial(ctx context.Context, url string) (*websocket.Conn, error) {
	ws := "ws" + strings.TrimPrefix(url, "http") + "/socket.io/?EIO=4&transport=websocket"
	conn, _, err := websocket.DefaultDialer.DialContext(ctx, ws, nil)
	if err != nil {
		return nil, err
	}
	if err := conn.WriteMessage(websocket.TextMessage, []byte("40")); err != nil {
		return nil, err
	}
	for range 2 { // the open packet, and the answer to CONNECT
		if _, _, err := conn.ReadMessage(); err != nil {
			return nil, err
		}
	}
	return conn, nil
}

// read counts what arrives at a member, and answers heartbeats.
func (c *crowd) read(conn *websocket.Conn, counts bool) {
	c.reading.Add(1)
	go func() { // ends with the connection
		defer c.reading.Done()
		for {
			_, data, err := conn.ReadMessage()
			if err != nil {
				select {
				case c.failed <- fmt.Errorf("a connection ended: %w", err):
				default:
				}
				return
			}
			switch {
			case bytes.Equal(data, []byte("2")):
				_ = conn.WriteMessage(websocket.TextMessage, []byte("3"))
			case counts && bytes.HasPrefix(data, []byte("42")):
				if c.got.Add(1) == c.want.Load() {
					select {
					case c.arrived <- struct{}{}:
					default:
					}
				}
			}
		}
	}()
}

func (c *crowd) blast(n int) error {
	return c.sender.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, `42["blast",%d]`, n))
}

// round has n broadcasts sent, and waits until all members have them.
func (c *crowd) round(ctx context.Context, n int) error {
	select {
	case <-c.arrived: // of the round before, if any
	default:
	}
	c.want.Store(c.got.Load() + int64(n**members))
	if err := c.blast(n); err != nil {
		return err
	}
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	select {
	case <-c.arrived:
		return nil
	case err := <-c.failed:
		return err
	case <-timeout.C:
		return fmt.Errorf("%d messages are missing after %v", c.want.Load()-c.got.Load(), patience)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *crowd) close() {
	for _, conn := range append(c.members, c.sender) {
		_ = conn.Close()
	}
	c.reading.Wait()
}
