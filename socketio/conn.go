package socketio

import (
	"bytes"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/sioparser"
)

// A conn is one client: an Engine.IO session, the decoder of its packets, and
// its sockets in the namespaces.
type conn struct {
	server  *Server
	session *engineio.Session
	legacy  bool // the client speaks revision 4 of Socket.IO's protocol
	inbox   inbox
	crew    atomic.Int64 // dispatchers of its sockets, of those too that are gone

	// Owned by the goroutine that reads.
	decoder sioparser.Decoder // only while a packet waits for attachments
	recent  *Socket           // of the last packet

	mu      sync.Mutex
	closed  bool
	timer   *time.Timer         // ConnectTimeout, until the first namespace is joined
	expired bool                // it came first
	sockets roster              // waiting or joined
	late    map[string]*Socket  // gone, but their CONNECT's work has not returned; by namespace
	left    map[string]struct{} // namespaces that the server took the client out of, or refused
}

// sessions is the side of a Server that engineio sees.
type sessions struct{ server *Server }

var _ engineio.Handler = sessions{}

func (h sessions) Open(session *engineio.Session) error {
	srv := h.server
	c := &conn{server: srv, session: session}
	c.legacy = session.Protocol() == legacyProtocol
	c.inbox.limit = srv.inboxLimit
	if !srv.clients.add(c) {
		return ErrClosed
	}
	if d := srv.config.ConnectTimeout; d > 0 {
		c.mu.Lock()
		c.timer = time.AfterFunc(d, c.connectTimedOut)
		c.mu.Unlock()
	}
	session.SetData(c)
	if c.legacy {
		c.connect("/", nil, true)
	}
	return nil
}

func (h sessions) Message(session *engineio.Session, m engineio.Message) {
	c := session.Data().(*conn)
	decoder := c.decoder
	if decoder == nil {
		decoder = h.server.decoders.Get().(sioparser.Decoder)
	}
	p, err := decoder.Decode(m.Data, m.Binary)
	switch {
	case err != nil:
		c.decoder = nil
		// The reference's reason for it: the client broke Socket.IO's rules, not
		// Engine.IO's ("parse error").
		c.fail(engineio.ForcedClose, err)
	case p == nil:
		c.decoder = decoder
	default:
		c.receive(p)
		c.decoder = nil
		h.server.decoders.Put(decoder)
	}
}

func (h sessions) Close(session *engineio.Session, reason engineio.Reason, err error) {
	c := session.Data().(*conn)
	c.server.clients.remove(c)
	c.end(reason, err)
}

// receive routes a packet, on the goroutine that reads. No user code runs here
// but what was registered as Inline.
func (c *conn) receive(p *sioparser.Packet) {
	if c.legacy {
		unpackLegacy(p)
	}
	s := c.find(p.Namespace)
	switch {
	case p.Type == sioparser.ConnectError:
		c.fail(ForcedServerClose, ErrInvalidState)
	case p.Type == sioparser.Connect:
		if s != nil {
			if !s.ending() {
				c.fail(ForcedServerClose, ErrInvalidState)
				return
			}
			c.remove(s, true)
		}
		c.connect(p.Namespace, bytes.Clone(p.Payload), false)
	case s == nil:
		if !c.wasLeft(p.Namespace) {
			c.fail(ForcedServerClose, ErrInvalidState)
		}
	case p.Type == sioparser.Disconnect:
		s.end(ClientNamespaceDisconnect, nil, false)
	case p.Type == sioparser.Ack, p.Type == sioparser.BinaryAck:
		s.receiveAck(p)
	default:
		s.receiveEvent(p)
	}
}

// find returns the socket of a namespace, nil if the client has none there.
func (c *conn) find(namespace string) *Socket {
	if s := c.recent; s != nil && s.name == namespace && s.state() != gone {
		return s
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.recent = c.sockets.find(namespace)
	if c.recent != nil && c.recent.state() == gone {
		// Somebody is about to remove it, and has told the client already.
		c.removeLocked(c.recent, true)
		c.recent = nil
	}
	return c.recent
}

// maxLeaving is how many sockets more than MaxNamespaces one connection may have
// at work: those that have left, and whose hooks and handlers have not returned.
const maxLeaving = 64

// connect begins the work of a CONNECT: at once, or, if an older one for the
// same namespace was cancelled but still runs, when that has returned.
// An uninvited one is the server's own, for a client of Socket.IO 2.
func (c *conn) connect(name string, auth []byte, uninvited bool) {
	nsp := c.server.namespace(name)
	if nsp == nil && !c.server.mayMake(name) {
		c.refuse(name, wireError{Message: invalidNamespaceText})
		return
	}
	s := newSocket(c, name, auth)
	s.nsp = nsp
	simple := nsp != nil && nsp.unguarded() && nsp.enter()
	s.entered = simple

	c.mu.Lock()
	most := c.server.config.MaxNamespaces
	if c.closed || len(c.sockets.all)+len(c.late) >= most || c.crew.Load() >= int64(most+maxLeaving) {
		c.mu.Unlock()
		if simple {
			nsp.leave()
		}
		c.fail(engineio.TransportError, ErrTooManyNamespaces) // if it isn't closed
		return
	}
	c.sockets.add(s)
	delete(c.left, name)
	s.held = c.late[name] != nil
	held := s.held
	s.connecting = held || !simple || uninvited
	c.mu.Unlock()
	if uninvited {
		s.queue.push(&task{step: s.connect})
		c.crew.Add(1)
		c.server.crew.enter() // Shutdown waits for what is going to run
		time.AfterFunc(legacyPause, s.dispatch)
		return
	}
	if simple && !held {
		s.connectAtOnce()
		return
	}
	s.queue.push(&task{step: s.connect})
	if !held {
		s.startDispatcher()
	}
}

// settled is called when the CONNECT's work of s has returned. It starts the
// one that waited for that.
func (c *conn) settled(s *Socket) {
	c.mu.Lock()
	s.connecting = false
	if c.late[s.name] != s {
		c.mu.Unlock()
		return
	}
	delete(c.late, s.name)
	next := c.sockets.find(s.name)
	held := next != nil && next.held
	if held {
		next.held = false
	}
	c.mu.Unlock()
	if held {
		next.startDispatcher()
	}
}

// mayJoin stops the timer of ConnectTimeout. It is false if that was faster.
func (c *conn) mayJoin() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timer != nil {
		c.timer.Stop()
		c.timer = nil
	}
	return !c.expired
}

// remove forgets a socket that has gone. If the server ended it, packets that
// the client sent before it knew are ignored.
func (c *conn) remove(s *Socket, byServer bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.removeLocked(s, byServer)
}

func (c *conn) removeLocked(s *Socket, byServer bool) {
	if !c.sockets.remove(s) {
		return
	}
	if s.connecting && !s.held {
		if c.late == nil {
			c.late = make(map[string]*Socket)
		}
		c.late[s.name] = s
	}
	if byServer && !c.closed && len(c.left) < c.server.config.MaxNamespaces {
		if c.left == nil {
			c.left = make(map[string]struct{})
		}
		c.left[s.name] = struct{}{}
	}
	if s.held {
		for t := s.queue.pop(); t != nil; t = s.queue.pop() {
			if t.step == nil {
				c.inbox.release(t.size)
			}
		}
	}
}

// wasLeft reports whether the server took the client out of a namespace, or
// did not let it in, so that packets for it may still be on their way.
func (c *conn) wasLeft(namespace string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, left := c.left[namespace]
	return left || c.closed
}

// joined yields the sockets that are in their namespaces.
func (c *conn) joined(yield func(*Socket) bool) {
	c.mu.Lock()
	sockets := slices.Clone(c.sockets.all)
	c.mu.Unlock()
	for _, s := range sockets {
		if s.state() == joined && !yield(s) {
			return
		}
	}
}

// refuse answers a CONNECT with an error.
func (c *conn) refuse(namespace string, refusal wireError) {
	payload, err := c.refusalPayload(refusal)
	if err != nil {
		c.server.config.Logger.Warn("socketio: data of a refusal", "namespace", namespace, "error", err)
		payload, _ = c.refusalPayload(wireError{Message: refusal.Message})
	}
	prepared, err := encode(c.server.config.Codec, &sioparser.Packet{
		Type: sioparser.ConnectError, Namespace: namespace, Payload: payload,
	})
	if err != nil {
		c.server.config.Logger.Warn("socketio: refusal", "namespace", namespace, "error", err)
		return
	}
	if c.session.Push(prepared, 0) == nil {
		c.session.Wake()
	}
}

func (c *conn) refusalPayload(refusal wireError) (_ []byte, err error) {
	defer recovered(&err) // refusal.Data is the application's
	if c.legacy {
		return legacyRefusal(c.server.config.Values, refusal)
	}
	return c.server.config.Values.AppendJSON(nil, refusal)
}

// connectTimedOut ends a connection that has joined nothing.
func (c *conn) connectTimedOut() {
	c.mu.Lock()
	if c.timer != nil {
		c.timer, c.expired = nil, true
	}
	expired := c.expired
	c.mu.Unlock()
	if expired {
		c.fail(ForcedServerClose, ErrConnectTimeout)
	}
}

// disconnect takes the client out of all namespaces, tells it so, and closes
// the connection.
func (c *conn) disconnect() {
	c.mu.Lock()
	sockets := slices.Clone(c.sockets.all)
	c.mu.Unlock()
	for _, s := range sockets {
		s.end(ServerNamespaceDisconnect, nil, true)
	}
	c.fail(ForcedServerClose, nil)
}

// fail ends the connection for a reason of ours.
func (c *conn) fail(reason Reason, err error) {
	c.end(reason, err)
	c.session.Close()
}

// end ends the sockets, once.
func (c *conn) end(reason Reason, err error) {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return
	}
	c.closed = true
	sockets := slices.Clone(c.sockets.all)
	if c.timer != nil {
		c.timer.Stop()
		c.timer = nil
	}
	c.mu.Unlock()
	for _, s := range sockets {
		s.end(reason, err, false)
	}
}

// A roster finds the sockets of a connection by their namespaces.
type roster struct {
	all    []*Socket
	byName map[string]*Socket // beside all when there are many
}

// manySockets is the number above which a map is worth its memory. Most clients
// have one to three.
const manySockets = 8

func (r *roster) find(namespace string) *Socket {
	if r.byName != nil {
		return r.byName[namespace]
	}
	for _, s := range r.all {
		if s.name == namespace {
			return s
		}
	}
	return nil
}

func (r *roster) add(s *Socket) {
	s.place = len(r.all)
	r.all = append(r.all, s)
	switch {
	case r.byName != nil:
		r.byName[s.name] = s
	case len(r.all) > manySockets:
		r.byName = make(map[string]*Socket, len(r.all))
		for _, s := range r.all {
			r.byName[s.name] = s
		}
	}
}

// remove reports whether s was there.
func (r *roster) remove(s *Socket) bool {
	if s.place >= len(r.all) || r.all[s.place] != s {
		return false
	}
	last := len(r.all) - 1
	r.all[s.place] = r.all[last]
	r.all[s.place].place = s.place
	r.all[last] = nil
	r.all = r.all[:last]
	delete(r.byName, s.name)
	return true
}

// An inbox counts the events of one connection that wait for handlers: their
// number above, their bytes in the lower forty bits.
type inbox struct {
	limit int64 // bytes
	held  atomic.Int64
}

const oneEvent = 1 << 40

// hold counts an event. It reports whether there was room.
func (in *inbox) hold(size int64) bool {
	held := in.held.Add(oneEvent + size)
	return held>>40 <= maxQueuedEvents && held&(oneEvent-1) <= in.limit
}

// release takes an event back that was handled.
func (in *inbox) release(size int64) { in.held.Add(-oneEvent - size) }

// clients are the connections that exist.
type clients struct {
	mu     sync.Mutex
	closed bool
	all    map[*conn]struct{}
}

// add reports whether there may be one more.
func (cs *clients) add(c *conn) bool {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.closed {
		return false
	}
	if cs.all == nil {
		cs.all = make(map[*conn]struct{})
	}
	cs.all[c] = struct{}{}
	return true
}

func (cs *clients) remove(c *conn) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	delete(cs.all, c)
}

// close lets no more in and returns those that are.
func (cs *clients) close() []*conn {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.closed = true
	return slices.Collect(maps.Keys(cs.all))
}
