package socketio

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/siokit/siokit/sioparser"
)

// A Handler handles one event of a client. ctx is the socket's: it ends at
// disconnect. An error goes to OnError; a panic ends the socket. The handlers
// of one socket run one at a time in the order in which its events arrived,
// unless they are registered with a Mode.
type Handler func(ctx context.Context, ev *Event) error

// A Mode changes where a handler runs.
type Mode uint8

const (
	// Inline runs the handler on the goroutine that reads from the connection
	// when no earlier event waits: no hand-over to another goroutine. The
	// handler promises not to block; while it runs, nothing of that client is
	// read, no heartbeat either. One that ends its goroutine (runtime.Goexit)
	// ends the connection.
	Inline Mode = 1 << iota

	// Concurrent runs the handler on a goroutine of its own. Events still start
	// in order, but the next one does not wait for this one's end.
	Concurrent
)

// Listener is what events are handled on: a *Server, *Namespace,
// *ParentNamespace or *Socket.
type Listener interface {
	On(event string, h Handler, modes ...Mode) (stop func())
	Once(event string, h Handler, modes ...Mode) (stop func())
}

// listener holds what was registered on a namespace, a parent namespace or a
// socket. It takes a pointer's room until something is. All methods may be
// called from any goroutine; a registration counts from the next event on, and
// the function that each returns takes it back.
type listener struct {
	registered atomic.Pointer[callbacks]
}

type callbacks struct {
	events        table
	any           list[func(context.Context, *Event)]
	outgoing      list[func(*Socket, string, sioparser.Args)]
	filters       list[func(context.Context, *Event) error]
	disconnecting list[func(context.Context, *Socket, *DisconnectError)]
	disconnect    list[func(context.Context, *Socket, *DisconnectError)]
	errors        list[func(context.Context, *Socket, error)]
}

// nothing is what an unused listener has.
var nothing callbacks

// now returns the callbacks for reading.
func (l *listener) now() *callbacks {
	if c := l.registered.Load(); c != nil {
		return c
	}
	return &nothing
}

// own returns the callbacks for adding to.
func (l *listener) own() *callbacks {
	if c := l.registered.Load(); c != nil {
		return c
	}
	l.registered.CompareAndSwap(nil, new(callbacks))
	return l.registered.Load()
}

// On calls h for every event of that name that a client sends. The handlers of
// one name run in the order of their registration, a namespace's before a
// socket's. It panics if the name is reserved, since such an event never arrives.
// "connection", "new_namespace" and "error" are events of clients like any other;
// as they are rarely meant so, a warning names OnConnection, OnNewNamespace and
// OnError.
func (l *listener) On(event string, h Handler, modes ...Mode) (stop func()) {
	return l.handle(event, h, false, modes)
}

// Once is On for one event only. On a namespace that is the first event of that
// name from any of its sockets.
func (l *listener) Once(event string, h Handler, modes ...Mode) (stop func()) {
	return l.handle(event, h, true, modes)
}

func (l *listener) handle(event string, h Handler, once bool, modes []Mode) func() {
	if err := checkName(event); err != nil {
		panic(fmt.Sprintf("%v, no client can send it%s", err, insteadOf(event)))
	}
	mustNotBeNil(h)
	r := &registration{event: event, handler: h, once: once}
	for _, m := range modes {
		r.mode |= m
	}
	t := &l.own().events
	r.stop = func() { t.remove(r) } // before anybody can claim it
	t.add(r)
	return r.stop
}

// insteadOf names the hook for what the reference announces as an event.
func insteadOf(event string) string {
	switch event {
	case "connect", "connection":
		return ": see OnConnection"
	case "connect_error":
		return ": an error that a middleware (Use) returns is told to the client"
	case "disconnect":
		return ": see OnDisconnect"
	case "disconnecting":
		return ": see OnDisconnecting"
	case "new_namespace":
		return ": see Server.OnNewNamespace"
	case "error":
		return ": see OnError"
	}
	return ""
}

// hint warns, once for each name, where a handler is registered for what only the
// reference announces as an event.
func (srv *Server) hint(event string) {
	switch event {
	case "connection", "new_namespace", "error":
		if _, known := srv.hinted.LoadOrStore(event, true); !known {
			srv.config.Logger.Warn("socketio: a handler is called for events of clients only"+insteadOf(event), "event", event)
		}
	}
}

// OnAny calls h for every event, before its middlewares and handlers, whether
// it has any or not.
func (l *listener) OnAny(h func(ctx context.Context, ev *Event)) (stop func()) {
	return l.own().any.add(h)
}

// PrependAny is OnAny, but h is called before what was registered here earlier.
func (l *listener) PrependAny(h func(ctx context.Context, ev *Event)) (stop func()) {
	return l.own().any.prepend(h)
}

// OffAny takes back everything that OnAny and PrependAny registered here.
func (l *listener) OffAny() { l.own().any.clear() }

// ListenersAny is how many OnAny and PrependAny have registered here.
func (l *listener) ListenersAny() int { return len(l.now().any.all()) }

// OnAnyOutgoing calls h for every event that is sent to a socket, on the
// goroutine that sends it. The arguments are valid until h returns.
func (l *listener) OnAnyOutgoing(h func(s *Socket, event string, args sioparser.Args)) (stop func()) {
	return l.own().outgoing.add(h)
}

// PrependAnyOutgoing is OnAnyOutgoing, but h is called before what was registered
// here earlier.
func (l *listener) PrependAnyOutgoing(h func(s *Socket, event string, args sioparser.Args)) (stop func()) {
	return l.own().outgoing.prepend(h)
}

// OffAnyOutgoing takes back everything that OnAnyOutgoing and PrependAnyOutgoing
// registered here.
func (l *listener) OffAnyOutgoing() { l.own().outgoing.clear() }

// ListenersAnyOutgoing is how many OnAnyOutgoing and PrependAnyOutgoing have
// registered here.
func (l *listener) ListenersAnyOutgoing() int { return len(l.now().outgoing.all()) }

// UseEvent adds a middleware for events: each event passes all of them, in
// order, before its handlers. The first that returns an error
// drops the event; OnError gets a *MiddlewareError.
func (l *listener) UseEvent(m func(ctx context.Context, ev *Event) error) (stop func()) {
	return l.own().filters.add(m)
}

// OnDisconnecting calls h when a socket has left, while Rooms still returns the
// rooms that it was in. See OnDisconnect.
func (l *listener) OnDisconnecting(h func(ctx context.Context, s *Socket, why *DisconnectError)) (stop func()) {
	return l.own().disconnecting.add(h)
}

// OnDisconnect calls h exactly once for each socket that was connected, after
// the handlers of the events that had arrived before; but if a handler holds
// them up for longer than Config.DisconnectGrace, beside it. ctx carries the
// socket's values but is not cancelled by the disconnect that it tells of.
func (l *listener) OnDisconnect(h func(ctx context.Context, s *Socket, why *DisconnectError)) (stop func()) {
	return l.own().disconnect.add(h)
}

// OnError is the end of every chain of errors: what the transport or a decoder
// reported (once, before OnDisconnect, with the same cause), what handlers
// (*HandlerError) and middlewares (*MiddlewareError) returned, arguments that
// did not fit (*ArgumentError) and panics (*PanicError). It may be called from
// several goroutines. Where neither socket nor namespace has one, errors are
// logged as warnings, except a *PublicError that the client was refused with, and
// what ErrDisconnected explains. A *PublicError of an event's handler is not said
// to the client, as an event has no answer: make it a call.
func (l *listener) OnError(h func(ctx context.Context, s *Socket, err error)) (stop func()) {
	return l.own().errors.add(h)
}

// A registration is one handler of one event.
type registration struct {
	event   string
	handler Handler
	mode    Mode
	once    bool
	fired   atomic.Bool
	stop    func()
}

// claim reports whether the handler may run now; one of Once only the first
// time.
func (r *registration) claim() bool {
	if !r.once {
		return true
	}
	if r.fired.Swap(true) {
		return false
	}
	r.stop()
	return true
}

// A table finds the handlers of an event. Reading takes no lock.
type table struct {
	mu     sync.Mutex // held by writers
	byName atomic.Pointer[map[string][]*registration]
}

func (t *table) find(name string) []*registration {
	m := t.byName.Load()
	if m == nil {
		return nil
	}
	return (*m)[name]
}

func (t *table) add(r *registration) {
	t.change(r.event, func(old []*registration) []*registration {
		return append(slices.Clip(old), r)
	})
}

func (t *table) remove(r *registration) {
	t.change(r.event, func(old []*registration) []*registration {
		return without(old, r)
	})
}

// change replaces the entry of one event, in a copy of the map.
func (t *table) change(event string, f func([]*registration) []*registration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	next := make(map[string][]*registration)
	if m := t.byName.Load(); m != nil {
		for name, rs := range *m {
			next[name] = rs
		}
	}
	if rs := f(next[event]); len(rs) > 0 {
		next[event] = rs
	} else {
		delete(next, event)
	}
	t.byName.Store(&next)
}

// A list is a sequence of functions that is read far more often than changed.
// Reading takes no lock.
type list[F any] struct {
	mu      sync.Mutex // held by writers
	entries atomic.Pointer[[]*F]
}

// add puts f behind the others.
func (l *list[F]) add(f F) (stop func()) {
	return l.insert(&f, func(old []*F) []*F { return append(slices.Clip(old), &f) })
}

// prepend puts f before the others.
func (l *list[F]) prepend(f F) (stop func()) {
	return l.insert(&f, func(old []*F) []*F { return slices.Concat([]*F{&f}, old) })
}

func (l *list[F]) insert(f *F, change func(old []*F) []*F) (stop func()) {
	mustNotBeNil(*f)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.store(change(l.all()))
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.store(without(l.all(), f))
	}
}

func (l *list[F]) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.store(nil)
}

// mustNotBeNil panics where a nil function is registered, which is a mistake of
// the program, rather than at some client's first event.
func mustNotBeNil(f any) {
	if reflect.ValueOf(f).IsNil() {
		panic(fmt.Sprintf("socketio: nil %T", f))
	}
}

func (l *list[F]) store(entries []*F) { l.entries.Store(&entries) }

// all returns the functions as they are now; the slice does not change.
func (l *list[F]) all() []*F {
	if p := l.entries.Load(); p != nil {
		return *p
	}
	return nil
}

func (l *list[F]) empty() bool { return len(l.all()) == 0 }

// without returns a copy of s that lacks one element.
func without[E comparable](s []E, e E) []E {
	i := slices.Index(s, e)
	if i < 0 {
		return s
	}
	return slices.Concat(s[:i], s[i+1:])
}
