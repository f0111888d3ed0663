package siotest

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// A network connects the clients of a test with its server. It is the server's
// net.Listener.
type network struct {
	mu       sync.Mutex
	waiting  chan net.Conn
	closed   chan struct{}
	isClosed bool
	port     uint16 // the last one that a client's connection got
}

func newNetwork() *network {
	return &network{waiting: make(chan net.Conn), closed: make(chan struct{})}
}

// serverAddr is where the server seems to be. Clients seem to be at 192.0.2.1,
// an address for documentation.
var serverAddr = net.TCPAddrFromAddrPort(netip.MustParseAddrPort("192.0.2.80:80"))

// Accept implements net.Listener.
func (n *network) Accept() (net.Conn, error) {
	select {
	case c := <-n.waiting:
		return c, nil
	case <-n.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (n *network) Close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.isClosed {
		n.isClosed = true
		close(n.closed)
	}
	return nil
}

// Addr implements net.Listener.
func (n *network) Addr() net.Addr { return serverAddr }

func (n *network) clientAddr() net.Addr {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.port++
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, 1}), 1024+n.port))
}

// faults are what Delay and Stall ask for.
type faults struct {
	delay                time.Duration
	silentUp, silentDown bool
}

// A line is the way of one client to the server: its connections, and what is
// wrong with them.
type line struct {
	mu      sync.Mutex
	network *network
	refused bool
	faults  faults
	ends    []*end // of the client
}

// dial opens a connection.
func (l *line) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	l.mu.Lock()
	network, refused := l.network, l.refused
	l.mu.Unlock()
	if refused {
		return nil, errRefused
	}
	up, down := newStream(), newStream()
	addr := network.clientAddr()
	client := &end{in: down, out: up, local: addr, remote: serverAddr}
	server := &end{in: up, out: down, local: serverAddr, remote: addr, closed: func() {}}
	client.closed = func() { l.forget(client) }
	l.mu.Lock()
	l.ends = append(l.ends, client)
	client.apply(l.faults)
	l.mu.Unlock()
	select {
	case network.waiting <- server:
	case <-network.closed:
		l.forget(client)
		return nil, errRefused
	case <-ctx.Done():
		l.forget(client)
		return nil, fmt.Errorf("dial: %w", context.Cause(ctx))
	}
	return client, nil
}

func (l *line) forget(e *end) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e.gone = true
	l.tidy()
}

// tidy forgets what the client has closed, once it has got through to the server.
// The caller holds mu.
func (l *line) tidy() {
	if !l.faults.silentUp && !l.faults.silentDown {
		l.ends = slices.DeleteFunc(l.ends, func(e *end) bool { return e.gone })
	}
}

// change changes what is wrong with the line, also for open connections.
func (l *line) change(f func(*faults)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f(&l.faults)
	for _, e := range l.ends {
		e.apply(l.faults)
	}
	l.tidy()
}

func (e *end) apply(f faults) {
	e.in.change(func() { e.in.delay, e.in.stalled = f.delay, f.silentDown })
	e.out.change(func() { e.out.delay, e.out.stalled = f.delay, f.silentUp })
}

// cut ends all connections, at both ends.
func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.ends {
		e.in.cut()
		e.out.cut()
	}
}

func (l *line) refuse(on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refused = on
}

// MoveTo makes the client's further connections go to another server of the test:
// another node of a cluster, or the one that is started where its own has been
// shut down. What is connected stays so; Cut ends it.
func (c *Client) MoveTo(s *Server) {
	c.line.mu.Lock()
	defer c.line.mu.Unlock()
	c.line.network = s.network
}

// Cut breaks the client's connections, at both ends; what is on the way is lost.
// The client may come back at once, unless Unreachable forbids it.
func (c *Client) Cut() { c.line.cut() }

// Unreachable makes the client's attempts to connect fail, or not any more. What
// is connected stays so.
func (c *Client) Unreachable(on bool) { c.line.refuse(on) }

// Stall makes the network silent, or lets everything through that has waited:
// neither end receives anything, not even that the other one has closed the
// connection.
func (c *Client) Stall(on bool) { c.line.change(func(f *faults) { f.silentUp, f.silentDown = on, on }) }

// StallUp is Stall for what the client sends.
func (c *Client) StallUp(on bool) { c.line.change(func(f *faults) { f.silentUp = on }) }

// StallDown is Stall for what the server sends.
func (c *Client) StallDown(on bool) { c.line.change(func(f *faults) { f.silentDown = on }) }

// Delay makes everything that is sent from now on take this time in each
// direction.
func (c *Client) Delay(d time.Duration) { c.line.change(func(f *faults) { f.delay = d }) }
