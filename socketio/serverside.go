package socketio

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio/adapter"
	"github.com/siokit/siokit/socketio/internal/arguments"
)

// ServerEvent is an event that another server of the cluster sent.
type ServerEvent struct {
	nsp   *Namespace
	name  string
	args  sioparser.Args
	reply func(sioparser.Args)
	acked atomic.Bool
}

// Name is the event's name.
func (ev *ServerEvent) Name() string { return ev.name }

// Namespace is the namespace that received it.
func (ev *ServerEvent) Namespace() *Namespace { return ev.nsp }

// Args are the arguments as they came.
func (ev *ServerEvent) Args() sioparser.Args { return ev.args }

// Bind decodes the arguments as Event.Bind does.
func (ev *ServerEvent) Bind(ptrs ...any) error {
	if err := ev.values().Bind(ev.args, ptrs...); err != nil {
		return &ArgumentError{Event: ev.name, Err: err}
	}
	return nil
}

// WantsAck reports whether the other server waits for an answer.
func (ev *ServerEvent) WantsAck() bool { return ev.reply != nil }

// Ack answers, once, as Event.Ack does: after that it returns ErrAcked. If no
// answer is wanted it does nothing.
func (ev *ServerEvent) Ack(args ...any) error {
	if ev.reply == nil {
		return nil
	}
	encoded, err := arguments.Append(ev.values(), sioparser.Args{}, args)
	if err != nil {
		return &ArgumentError{Event: ev.name, Err: err}
	}
	if ev.acked.Swap(true) {
		return ErrAcked
	}
	ev.reply(encoded)
	return nil
}

func (ev *ServerEvent) values() *sioparser.Values { return ev.nsp.server.config.Values }

// ServerHandler handles an event of another server. ctx ends when the server
// is closed.
type ServerHandler = func(ctx context.Context, ev *ServerEvent) error

// peers holds what a namespace does for other servers: handlers, and the
// events that wait for them.
type peers struct {
	queue   queue
	inbox   inbox       // what is in queue, bounded as a client's is
	dropped atomic.Bool // some did not fit, since the queue was last empty

	mu     sync.RWMutex
	byName map[string][]*ServerHandler
}

// peersKey marks the context of these handlers.
type peersKey struct{}

// OnServerSide calls h for each event of that name that another server emits
// to the namespace. Handlers run one at a time in order of arrival; what they
// return, and panics, is logged, as there is no socket to report it for. Events that
// wait for them are bounded as those of a client are (65,536, or four times
// MaxPayload); beyond that they are dropped, and whoever waits for an answer gets
// none.
func (n *Namespace) OnServerSide(event string, h func(ctx context.Context, ev *ServerEvent) error) (stop func()) {
	p := &n.peers
	handler := &h
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.byName == nil {
		p.byName = make(map[string][]*ServerHandler)
	}
	p.byName[event] = append(slices.Clip(p.byName[event]), handler)
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.byName[event] = without(p.byName[event], handler); len(p.byName[event]) == 0 {
			delete(p.byName, event)
		}
	}
}

// ServerSideEmit sends an event to this namespace on all other servers of the
// cluster.
func (n *Namespace) ServerSideEmit(event string, args ...any) error {
	o, emitter, err := n.serverEvent(event, args)
	if err != nil {
		return err
	}
	defer o.release()
	return emitter.ServerEmit(&o.packet)
}

// ServerSideEmitWithAck sends an event to this namespace on all other servers
// and yields their answers as they arrive. It ends as Broadcast.EmitWithAck
// does.
func (n *Namespace) ServerSideEmitWithAck(ctx context.Context, event string, args ...any) iter.Seq2[Reply[*Ack], error] {
	return func(yield func(Reply[*Ack], error) bool) {
		o, emitter, err := n.serverEvent(event, args)
		if err != nil {
			yield(Reply[*Ack]{}, err)
			return
		}
		defer o.release()
		ctx, cancel := n.server.config.withAckTimeout(ctx, 0)
		defer cancel()
		uncorkOf(ctx)
		forward(n.server.config.Values, emitter.ServerEmitAck(ctx, &o.packet), yield)
	}
}

func (n *Namespace) serverEvent(event string, args []any) (*outgoing, adapter.ServerEmitter, error) {
	switch event {
	case "connect", "connection", "new_namespace": // the reference's list
		return nil, nil, fmt.Errorf("%w: %q", ErrReserved, event)
	}
	emitter, ok := n.adapter.(adapter.ServerEmitter)
	if !ok {
		return nil, nil, ErrUnsupported
	}
	o, err := newEvent(n.server.config.Values, event, nil, args)
	return o, emitter, err
}

// receiveServerEvent queues an event for its handlers. What does not fit any
// more is dropped: a bus knows no connection to close.
func (n *Namespace) receiveServerEvent(p *sioparser.Packet, reply func(sioparser.Args)) {
	size := sizeOf(p.Args)
	if !n.peers.inbox.hold(size) {
		n.peers.inbox.release(size)
		if !n.peers.dropped.Swap(true) {
			n.server.config.Logger.Warn("socketio: server-side events are dropped: they come faster than their handlers work",
				"namespace", n.name, "event", string(p.Name))
		}
		return
	}
	ev := &ServerEvent{nsp: n, name: string(p.Name), args: p.Args.Clone(), reply: reply}
	if n.peers.queue.push(&task{size: size, step: func() { n.handleServerEvent(ev) }}) {
		n.startPeers()
	}
}

// startPeers starts the goroutine that works off the queue. It ends when the
// queue is empty; Shutdown waits for it through the crew.
func (n *Namespace) startPeers() {
	n.server.crew.enter()
	go func() {
		defer n.server.crew.leave()
		returned := false
		defer func() {
			if !returned {
				n.startPeers() // a handler ended its goroutine; the queue goes on
			}
		}()
		for {
			for t := n.peers.queue.pop(); t != nil; t = n.peers.queue.pop() {
				n.peers.inbox.release(t.size) // before: it may not return
				t.step()
			}
			n.peers.dropped.Store(false)
			if n.peers.queue.rest() {
				returned = true
				return
			}
		}
	}()
}

func (n *Namespace) handleServerEvent(ev *ServerEvent) {
	n.peers.mu.RLock()
	handlers := n.peers.byName[ev.name]
	n.peers.mu.RUnlock()
	for _, h := range handlers {
		if err := n.runServerHandler(*h, ev); err != nil {
			n.server.config.warn("server-side event", handlerError(ev.name, err), "namespace", n.name, "event", ev.name)
		}
	}
}

func (n *Namespace) runServerHandler(h ServerHandler, ev *ServerEvent) (err error) {
	defer recoveredFrom(ev.name, &err)
	return h(n.server.ctx, ev)
}
