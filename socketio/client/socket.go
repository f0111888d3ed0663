package client

import (
	"context"
	"fmt"
	"slices"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio"
)

// Socket is the client's end of a namespace, through all its connections. All
// methods may be called from any goroutine, also by its own handlers.
type Socket struct {
	// Immutable.
	client    *Client
	namespace string

	// Guarded by the client's mu.
	wanted    bool     // by Open, until Disconnect or the server's refusal
	attempt   *attempt // the CONNECT that is under way, or led to where it is joined
	joined    bool
	id        string // while joined
	pid       string // what makes recovery possible
	offset    string // of the last event that came
	handled   string // of the last one before those of early
	recovered bool
	waiters   []chan error // of Connect
	lastErr   error        // why it is not joined yet

	listeners
	dispatcher
	early []task // events that came before the answer to CONNECT
	sending
	courier
}

var (
	_ socketio.Upstream   = (*Socket)(nil)
	_ socketio.Downstream = (*Socket)(nil)
)

// An attempt is one CONNECT over one connection.
type attempt struct {
	conn     *conn
	asked    bool          // CONNECT was sent; guarded by the client's mu
	answered chan struct{} // closed when nothing has to be waited for any longer
}

func newSocket(c *Client, namespace string) *Socket {
	s := &Socket{client: c, namespace: namespace}
	s.dispatcher.client = c
	s.acks = make(map[uint64]waiter)
	return s
}

// Namespace is the name of the namespace.
func (s *Socket) Namespace() string { return s.namespace }

// ID is the id that the server gave the socket, "" while it is not connected.
func (s *Socket) ID() string {
	s.client.mu.Lock()
	defer s.client.mu.Unlock()
	return s.id
}

// Connected reports whether the socket has joined its namespace.
func (s *Socket) Connected() bool {
	s.client.mu.Lock()
	defer s.client.mu.Unlock()
	return s.joined
}

// Active reports whether the socket is connected or trying to be.
func (s *Socket) Active() bool {
	s.client.mu.Lock()
	defer s.client.mu.Unlock()
	return s.wanted
}

// Recovered reports whether the server has continued the session of the
// connection before this one: with the same id and rooms, and with the events
// that were missed.
func (s *Socket) Recovered() bool {
	s.client.mu.Lock()
	defer s.client.mu.Unlock()
	return s.recovered
}

// Open begins to connect, unless it has begun before, and returns at once. The
// socket then comes back after every loss of the connection, until Disconnect is
// called or the server sends it away.
func (s *Socket) Open() error {
	s.client.mu.Lock()
	defer s.client.mu.Unlock()
	if s.client.closed {
		return ErrClosed
	}
	s.client.want(s)
	return nil
}

// Connect is Open, and waits until the server has let the socket in. A
// *ConnectError means that it did not; that a server is not there is waited out,
// unless Config says how long. If ctx ends first the socket is disconnected; the
// error then holds both ctx's cause and what went wrong last.
func (s *Socket) Connect(ctx context.Context) error {
	c := s.client
	w := make(chan error, 1)
	c.mu.Lock()
	switch {
	case c.closed:
		c.mu.Unlock()
		return ErrClosed
	case s.joined:
		c.mu.Unlock()
		return nil
	}
	s.waiters = append(s.waiters, w)
	c.want(s)
	c.mu.Unlock()
	select {
	case err := <-w:
		return err
	case <-ctx.Done():
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !slices.Contains(s.waiters, w) {
		return <-w // it came at the same moment
	}
	s.waiters = slices.DeleteFunc(s.waiters, func(other chan error) bool { return other == w })
	cause := context.Cause(ctx)
	last := s.lastErr
	if len(s.waiters) == 0 { // else another Connect waits for it still
		s.disconnect(&DisconnectError{Reason: ClientDisconnect}, cause)
	}
	if last != nil {
		return fmt.Errorf("socketio: not connected: %w: %w", cause, last)
	}
	return fmt.Errorf("socketio: not connected: %w", cause)
}

// settle tells those in Connect what became of it. The caller holds mu.
func (s *Socket) settle(err error) {
	for _, w := range s.waiters {
		w <- err // has room for the one that ever comes
	}
	s.waiters, s.lastErr = nil, nil
}

// Disconnect leaves the namespace, behind what was sent, and ends the attempts to
// come back. When no socket of the client is active any more its connection is
// closed. It returns at once.
func (s *Socket) Disconnect() {
	s.client.mu.Lock()
	defer s.client.mu.Unlock()
	why := &DisconnectError{Reason: ClientDisconnect}
	s.disconnect(why, why)
}

// disconnect is Disconnect with a reason for OnDisconnect and an error for
// those who wait in Connect. The caller holds mu.
func (s *Socket) disconnect(why *DisconnectError, err error) {
	s.wanted = false
	switch a := s.attempt; {
	case s.joined:
		s.drainAs(engineio.Overflow) // it has been promised that it leaves, and is in memory anyway
		_ = a.conn.control(&sioparser.Packet{Type: sioparser.Disconnect, Namespace: s.namespace})
		s.leave(why)
	case a != nil && !a.asked:
		close(a.answered)
		s.attempt = nil
	}
	// A CONNECT that is not answered can't be taken back: servers differ in what
	// they make of a DISCONNECT then. The answer will meet a socket that is not
	// wanted; see connected.
	s.settle(err)
	s.client.unwant()
}

// join begins a CONNECT over a connection. The caller holds mu.
func (s *Socket) join(k *conn) {
	a := &attempt{conn: k, answered: make(chan struct{})}
	s.attempt = a
	s.client.crew.start(func() { s.introduce(a) })
}

// refused tells that the socket is not connected, and goes on trying. The caller
// holds mu.
func (s *Socket) refused(err error) {
	s.lastErr = err
	hooks, waited := s.onConnectError.all, len(s.waiters) > 0
	s.add(task{run: func() {
		for _, h := range hooks {
			s.call(func() { (*h)(s.client.ctx, err) })
		}
		if len(hooks) == 0 && !waited {
			s.client.config.Logger.Warn("socketio: client is not connected", "namespace", s.namespace, "error", err)
		}
	}})
}

// connected makes the socket a joined one: the server has answered CONNECT. The
// caller holds mu.
func (s *Socket) connected(sid, pid string) {
	a := s.attempt
	close(a.answered)
	a.asked = false
	if !s.wanted {
		s.attempt = nil
		s.dropEarly()
		_ = a.conn.control(&sioparser.Packet{Type: sioparser.Disconnect, Namespace: s.namespace})
		return
	}
	s.joined, s.id = true, sid
	s.recovered = pid != "" && pid == s.pid
	s.pid = pid
	for _, t := range s.early {
		s.held -= t.size // which add counts again
		s.add(t)
	}
	s.early = nil
	s.drain()
	for _, h := range s.onConnect.all {
		s.add(task{run: func() { s.call(func() { (*h)(s.client.ctx) }) }})
	}
	s.settle(nil)
	s.wake()
}

// leave takes a joined socket out of its namespace. The caller holds mu.
func (s *Socket) leave(why *DisconnectError) {
	s.joined, s.attempt, s.id = false, nil, ""
	s.abandon(why)
	ctx := context.WithoutCancel(s.client.ctx)
	for _, h := range s.onDisconnect.all {
		s.add(task{run: func() { s.call(func() { (*h)(ctx, why) }) }})
	}
}

// lost tells the socket that its connection has ended. The caller holds mu.
func (s *Socket) lost(why *DisconnectError) {
	a := s.attempt
	switch {
	case a == nil:
		return
	case s.joined:
		s.leave(why)
		return
	}
	close(a.answered)
	s.attempt = nil
	s.dropEarly()
	if s.wanted {
		s.refused(why)
	}
}

// dropEarly forgets events of a CONNECT that came to nothing: a server that has
// them sends them again. The caller holds mu.
func (s *Socket) dropEarly() {
	if len(s.early) > 0 {
		s.offset = s.handled
	}
	for _, t := range s.early {
		s.held -= t.size
	}
	s.early = nil
}

// withdraw ends an attempt that the server has refused, or that can't succeed. The
// caller holds mu.
func (s *Socket) withdraw(err error) {
	close(s.attempt.answered)
	s.attempt = nil
	s.dropEarly()
	if s.wanted {
		s.refused(err)
		s.sentAway(err)
	}
}

// sentAway ends the socket without a word to the server. The caller holds mu.
func (s *Socket) sentAway(err error) {
	s.wanted = false
	s.settle(err)
	s.client.unwant()
}

// kicked is called when the server has sent DISCONNECT. The caller holds mu.
func (s *Socket) kicked() {
	why := &DisconnectError{Reason: ServerDisconnect}
	if s.joined {
		s.leave(why)
	} else {
		s.lost(why)
	}
	s.sentAway(why)
}
