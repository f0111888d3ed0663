package client

import (
	"context"
	"fmt"

	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio"
)

// Event is one event that the server sent.
type Event = socketio.Incoming

// Handler handles an event. ctx ends when the client is closed. An error goes to
// OnError; a panic disconnects the socket. The handlers of a socket run one at a
// time in the order in which its events arrived; acknowledgements and
// heartbeats don't wait behind them.
type Handler = func(ctx context.Context, ev *Event) error

// listeners is what was registered. It is guarded by the client's mu; slices
// that were read do not change.
type listeners struct {
	byName         map[string]*hooks[Handler]
	onAny          hooks[func(context.Context, *Event)]
	onAnyOutgoing  hooks[func(event string, args sioparser.Args)]
	onConnect      hooks[func(context.Context)]
	onDisconnect   hooks[func(context.Context, *DisconnectError)]
	onConnectError hooks[func(context.Context, error)]
	onError        hooks[func(context.Context, error)]
}

// On calls h for every event of that name. Handlers of one name run in the order
// of their registration, which counts from the next event on; stop takes it
// back. It panics if the name is reserved: there are OnConnect, OnDisconnect and
// OnConnectError.
func (s *Socket) On(event string, h func(ctx context.Context, ev *Event) error) (stop func()) {
	if sioparser.Reserved(event) {
		panic(fmt.Sprintf("%v: %q: there are hooks for it", socketio.ErrReserved, event))
	}
	notNil(h)
	s.client.mu.Lock()
	if s.byName == nil {
		s.byName = make(map[string]*hooks[Handler])
	}
	all := s.byName[event]
	if all == nil {
		all = new(hooks[Handler])
		s.byName[event] = all
	}
	entry := all.insert(h)
	s.client.mu.Unlock()
	return func() {
		s.client.mu.Lock()
		defer s.client.mu.Unlock()
		if all.remove(entry); len(all.all) == 0 && s.byName[event] == all {
			delete(s.byName, event) // names may be made for one answer each
		}
	}
}

// Once is On for one event only.
func (s *Socket) Once(event string, h func(ctx context.Context, ev *Event) error) (stop func()) {
	registered := make(chan struct{})
	stop = s.On(event, func(ctx context.Context, ev *Event) error {
		<-registered
		stop()
		return h(ctx, ev)
	})
	close(registered)
	return stop
}

// OnAny calls h for every event, before its handlers, whether it has any or not.
func (s *Socket) OnAny(h func(ctx context.Context, ev *Event)) (stop func()) {
	return s.onAny.add(&s.client.mu, h)
}

// OnAnyOutgoing calls h for every event that is sent, or kept for later, on the
// goroutine that emits it; with Config.Retries for every try. The arguments are to
// be read only.
func (s *Socket) OnAnyOutgoing(h func(event string, args sioparser.Args)) (stop func()) {
	return s.onAnyOutgoing.add(&s.client.mu, h)
}

// OnConnect calls h each time the socket has joined its namespace.
func (s *Socket) OnConnect(h func(ctx context.Context)) (stop func()) {
	return s.onConnect.add(&s.client.mu, h)
}

// OnDisconnect calls h each time the socket has left its namespace after it had
// joined, behind the handlers of the events that had arrived before. The reason
// is the official client's text. ctx does not end.
func (s *Socket) OnDisconnect(h func(ctx context.Context, why *DisconnectError)) (stop func()) {
	return s.onDisconnect.add(&s.client.mu, h)
}

// OnConnectError calls h when an attempt to connect has failed: with a
// *ConnectError if the server refused, and then there is no further attempt
// before Open or Connect is called; else the next one follows by itself, unless
// Auth has failed for the last time, or its CONNECT can't be sent. A server that has
// not answered in time (ErrTimeout) is not asked again while other namespaces are
// joined over the connection: it may be about to.
func (s *Socket) OnConnectError(h func(ctx context.Context, err error)) (stop func()) {
	return s.onConnectError.add(&s.client.mu, h)
}

// OnError calls h for what handlers returned (*socketio.HandlerError), arguments
// that did not fit (*socketio.ArgumentError), panics (*socketio.PanicError) and
// events that could not be sent after Emit had returned. Where there is no
// OnError, they are logged as warnings.
func (s *Socket) OnError(h func(ctx context.Context, err error)) (stop func()) {
	return s.onError.add(&s.client.mu, h)
}

// handle calls what is registered for an event.
func (s *Socket) handle(ev *Event) {
	c := s.client
	if c.ctx.Err() != nil {
		return // closed
	}
	c.mu.Lock()
	catch := s.onAny.all
	c.mu.Unlock()
	for _, h := range catch {
		s.call(func() { (*h)(c.ctx, ev) })
	}
	c.mu.Lock()
	var handlers []*Handler
	if named := s.byName[ev.Name()]; named != nil {
		handlers = named.all
	}
	c.mu.Unlock()
	for _, h := range handlers {
		s.report(s.runHandler(*h, ev))
	}
}

func (s *Socket) runHandler(h Handler, ev *Event) (err error) {
	defer recovered(&err)
	err = h(s.client.ctx, ev)
	if _, ok := err.(*socketio.ArgumentError); ok || err == nil {
		return err
	}
	return &socketio.HandlerError{Event: ev.Name(), Err: err}
}
