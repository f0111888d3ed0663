package cluster

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"

	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio/adapter"
)

// Adapter is the adapter of one namespace on one server of a cluster. What it
// embeds is the index of this server's sockets; joining, leaving and hooks
// concern only those.
//
// It implements all optional interfaces of package adapter but SessionStore and
// Restorer.
type Adapter struct {
	*adapter.Memory
	config Config
	local  adapter.Local
	topic  string // of this namespace; responses have the uid after it
	router Router // nil if the bus isn't one

	stats   counters
	out     *publisher
	in      flusher  // of what comes from the bus
	journal *journal // nil if the bus keeps no log
	nodes   *nodes
	stop    []func() // ends the subscriptions

	announced atomic.Bool // to the other servers
	closed    atomic.Bool
	over      chan struct{} // closed when Close has done all

	mu       sync.Mutex
	requests map[string]*request // of ours, by id
	asked    map[*asked]struct{} // of others: acknowledgements that they wait for
	marks    map[string]func()   // see goodbye
}

var (
	_ adapter.Adapter        = (*Adapter)(nil)
	_ adapter.AckBroadcaster = (*Adapter)(nil)
	_ adapter.Fetcher        = (*Adapter)(nil)
	_ adapter.Mover          = (*Adapter)(nil)
	_ adapter.ServerEmitter  = (*Adapter)(nil)
	_ adapter.Counter        = (*Adapter)(nil)
	_ adapter.Index          = (*Adapter)(nil)
	_ adapter.Observable     = (*Adapter)(nil)
)

var errClosed = adapter.ErrClosed

// New returns what makes the adapters (each an [*Adapter]) of a server whose
// namespaces share the bus of config. A config that isn't usable is reported
// when the first is made.
func New(config Config) adapter.New {
	return func(local adapter.Local) (adapter.Adapter, error) {
		config, err := config.withDefaults()
		if err != nil {
			return nil, err
		}
		a, err := start(config, local)
		if err != nil {
			return nil, err
		}
		if config.MaxDisconnection > 0 {
			return Recovering{a}, nil
		}
		return a, nil
	}
}

func start(config Config, local adapter.Local) (*Adapter, error) {
	a := &Adapter{
		Memory:   adapter.MakeMemory(local),
		config:   config,
		local:    local,
		topic:    config.Prefix + "#" + local.Namespace() + "#",
		requests: make(map[string]*request),
		asked:    make(map[*asked]struct{}),
		marks:    make(map[string]func()),
		over:     make(chan struct{}),
	}
	a.router, _ = config.Bus.(Router)
	a.in.flush = local.Flush
	a.out = newPublisher(&a.config, local.Namespace(), &a.stats)
	if log, ok := config.Bus.(Log); ok {
		a.journal = newJournal(a, log)
		if a.journal.recovers {
			a.out.followed = a.journal.ready
		}
	}
	a.nodes = newNodes(&a.config, func() { _ = a.publish(&Message{Type: Heartbeat}) }, a.silent)
	if err := a.subscribe(); err != nil {
		for _, stop := range a.stop {
			stop()
		}
		return nil, fmt.Errorf("cluster: subscribe: %w", err)
	}
	if a.journal == nil {
		a.announce()
	}
	return a, nil
}

// announce begins with heartbeats. With a log that is when this server follows it:
// whoever knows the server then reaches it.
func (a *Adapter) announce() {
	if !a.heartbeats() || a.closed.Load() {
		return
	}
	a.announced.Store(true)
	a.nodes.start()
	if err := a.publish(&Message{Type: InitialHeartbeat}); err != nil && err != errClosed {
		a.config.Logger.Warn("cluster: the other servers were not told of this one", "error", err)
	}
}

func (a *Adapter) subscribe() error {
	for _, topic := range []string{a.topic, a.responseTopic(a.config.UID)} {
		stop, err := a.config.Bus.Subscribe(topic, a.receive)
		if err != nil {
			return err
		}
		a.stop = append(a.stop, stop)
	}
	if a.journal == nil {
		return nil
	}
	stop, err := a.journal.log.Follow(a.local.Namespace(), a.journal)
	if err != nil {
		return err
	}
	a.stop = append(a.stop, stop)
	return nil
}

func (a *Adapter) heartbeats() bool { return a.config.HeartbeatInterval > 0 }

// UID is this server's name in the cluster.
func (a *Adapter) UID() string { return a.config.UID }

func (a *Adapter) responseTopic(uid string) string { return a.topic + uid + "#" }

// recovers reports whether there is connection state recovery.
func (a *Adapter) recovers() bool { return a.journal != nil && a.journal.recovers }

// publish sends m to all other servers of this namespace: to their log, if there
// is one and they may read it later.
func (a *Adapter) publish(m *Message) (err error) {
	if a.journal != nil && m.logged() {
		_, err = a.journal.append(m)
	} else {
		err = a.send(a.topic, m)
	}
	if err != nil {
		return err
	}
	if !a.aside(m) {
		a.nodes.spoke()
	}
	return nil
}

// aside reports whether a message may go past servers: a Router may have a topic
// for a room, which only those with somebody in it listen to.
func (a *Adapter) aside(m *Message) bool {
	return a.router != nil && m.Type == Broadcast && m.RequestID == "" && len(m.Selection.Rooms) == 1
}

// respond sends m to one other server.
func (a *Adapter) respond(uid string, m *Message) { _ = a.send(a.responseTopic(uid), m) }

func (a *Adapter) send(topic string, m *Message) error {
	m.UID, m.Namespace = a.config.UID, a.local.Namespace()
	if a.router != nil {
		topic = a.router.Route(topic, m)
	}
	return a.encode(a.config.Codec, topic, m)
}

func (a *Adapter) sendLogged(m *Message) error {
	m.UID, m.Namespace = a.config.UID, a.local.Namespace()
	return a.encode(a.config.LogCodec, "", m)
}

func (a *Adapter) encode(codec Codec, topic string, m *Message) error {
	buf := buffers.Get().(*[]byte)
	data, err := codec.Append((*buf)[:0], m)
	*buf = data
	if err != nil {
		buffers.Put(buf)
		return err
	}
	return a.out.add(topic, buf, m.Type == AdapterClose)
}

// Join implements [adapter.Adapter].
func (a *Adapter) Join(s adapter.Socket, rooms ...string) error {
	if a.recovers() {
		return a.journal.join(s, rooms)
	}
	return a.Memory.Join(s, rooms...)
}

// Leave implements [adapter.Adapter].
func (a *Adapter) Leave(s adapter.Socket, rooms ...string) {
	if a.recovers() {
		a.journal.leave(s, rooms)
		return
	}
	a.Memory.Leave(s, rooms...)
}

// Remove implements [adapter.Adapter].
func (a *Adapter) Remove(s adapter.Socket) []string {
	if a.recovers() {
		rooms, _, _ := a.journal.remove(s)
		return rooms
	}
	return a.Memory.Remove(s)
}

// Broadcast implements [adapter.Adapter]. This server's sockets are served at
// once, whatever the state of the bus; with recovery, as soon as the packet has
// its offset, and if the log gives none, after a second.
func (a *Adapter) Broadcast(p *sioparser.Packet, sel adapter.Selection) error {
	if err := sioparser.Valid(p); err != nil {
		return err
	}
	if a.recovers() {
		return a.journal.broadcast(p, sel, nil)
	}
	var failed error
	if sel.Flags&adapter.LocalOnly == 0 {
		failed = a.publish(&Message{Type: Broadcast, Selection: sel, Name: p.Name, Args: p.Args})
	}
	return errors.Join(a.Memory.Broadcast(p, sel), failed)
}

// JoinAll implements [adapter.Mover].
func (a *Adapter) JoinAll(sel adapter.Selection, rooms ...string) error {
	failed := a.tell(sel, &Message{Type: SocketsJoin, Rooms: rooms})
	return errors.Join(a.joinHere(a.Memory.Sockets(sel), rooms), failed)
}

// LeaveAll implements [adapter.Mover].
func (a *Adapter) LeaveAll(sel adapter.Selection, rooms ...string) error {
	failed := a.tell(sel, &Message{Type: SocketsLeave, Rooms: rooms})
	a.leaveHere(a.Memory.Sockets(sel), rooms)
	return failed
}

// DisconnectAll implements [adapter.Mover].
func (a *Adapter) DisconnectAll(sel adapter.Selection, closeConn bool) error {
	failed := a.tell(sel, &Message{Type: DisconnectSockets, Close: closeConn})
	if a.recovers() {
		a.journal.disconnect(sel, closeConn)
		return failed
	}
	return errors.Join(a.Memory.DisconnectAll(sel, closeConn), failed)
}

// joinHere is JoinAll for this server's sockets.
func (a *Adapter) joinHere(sockets []adapter.Socket, rooms []string) error {
	var failed []error
	for _, s := range sockets {
		if err := a.Join(s, rooms...); err != nil && err != adapter.ErrRemoved {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

// present returns this server's sockets that sel selects, for a message whose place
// in the log is at.
func (a *Adapter) present(sel adapter.Selection, at Offset) []adapter.Socket {
	if a.recovers() && at != (Offset{}) {
		return a.journal.present(sel, at)
	}
	return a.Memory.Sockets(sel)
}

// leaveHere is LeaveAll for this server's sockets.
func (a *Adapter) leaveHere(sockets []adapter.Socket, rooms []string) {
	for _, s := range sockets {
		a.Leave(s, rooms...)
	}
}

func (a *Adapter) tell(sel adapter.Selection, m *Message) error {
	if sel.Flags&adapter.LocalOnly != 0 {
		return nil
	}
	m.Selection = sel
	return a.publish(m)
}

// ServerEmit implements [adapter.ServerEmitter].
func (a *Adapter) ServerEmit(p *sioparser.Packet) error {
	return a.publish(&Message{Type: ServerSideEmit, Name: p.Name, Args: p.Args})
}

// Servers implements [adapter.Counter].
func (a *Adapter) Servers(ctx context.Context) (int, error) {
	known := 1 + a.nodes.count()
	if !a.config.counts() {
		return known, nil
	}
	// A bus may not look at ctx while it waits for an answer.
	type answer struct {
		n   int
		err error
	}
	counted := make(chan answer, 1)
	go func() { // ends when the bus gives up
		n, err := a.config.Bus.(SubscriberCounter).Subscribers(ctx, a.topic)
		counted <- answer{n, err}
	}()
	select {
	case c := <-counted:
		if c.err != nil {
			return known, c.err
		}
		return max(c.n, 1), nil
	case <-ctx.Done():
		return known, context.Cause(ctx)
	}
}

// Nodes returns the names of the other servers that are known, in order; without
// heartbeats there are none.
func (a *Adapter) Nodes() []string { return a.nodes.names() }

// Fetch implements [adapter.Fetcher].
func (a *Adapter) Fetch(ctx context.Context, sel adapter.Selection) iter.Seq2[adapter.SocketInfo, error] {
	if sel.Flags&adapter.LocalOnly != 0 {
		return a.Memory.Fetch(ctx, sel)
	}
	return func(yield func(adapter.SocketInfo, error) bool) {
		ctx, cancel := a.deadline(ctx)
		defer cancel()
		rq, g := askSockets()
		defer a.ask(ctx, rq, &Message{Type: FetchSockets, Selection: sel})()
		for s, err := range a.Memory.Fetch(ctx, sel) {
			if !yield(s, err) {
				return
			}
		}
		g.All(ctx)(yield)
	}
}

// ServerEmitAck implements [adapter.ServerEmitter].
func (a *Adapter) ServerEmitAck(ctx context.Context, p *sioparser.Packet) iter.Seq2[adapter.Reply, error] {
	return func(yield func(adapter.Reply, error) bool) {
		ctx, cancel := a.deadline(ctx)
		defer cancel()
		rq, g := askReplies(ServerSideEmitResponse)
		defer a.ask(ctx, rq, &Message{Type: ServerSideEmit, Name: p.Name, Args: p.Args})()
		g.All(ctx)(yield)
	}
}

// Close implements [adapter.Adapter]. Requests that are under way end. Who comes
// second waits for the first.
func (a *Adapter) Close(ctx context.Context) error {
	if a.closed.Swap(true) {
		return a.awaitClosed(ctx)
	}
	defer close(a.over)
	_ = a.publish(&Message{Type: AdapterClose}) // the last that others hear
	a.nodes.stop()
	err := a.out.close(ctx)
	if a.journal != nil {
		err = errors.Join(err, a.journal.close(ctx))
	}
	for _, stop := range a.stop {
		stop()
	}
	a.eachRequest(func(g gatherer) { g.Close(errClosed) })
	a.finishAll()
	a.in.wait()
	return errors.Join(err, a.Memory.Close(ctx))
}

func (a *Adapter) awaitClosed(ctx context.Context) error {
	select {
	case <-a.over:
		return nil
	default:
	}
	select {
	case <-a.over:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
