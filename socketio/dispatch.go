package socketio

import (
	"context"
	"errors"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// A task is one thing that a dispatcher does: an event, or a step in the life
// of the socket.
type task struct {
	next  *task
	event Event
	step  func()       // if set, there is no event
	size  int64        // what the event counts in the inbox
	users atomic.Int32 // who still works on the event
	lent  bool         // the event's arguments are the reader's memory
}

// A queue holds tasks for one dispatcher, which exists only while there are
// any: who makes the queue non-empty starts it.
type queue struct {
	mu      sync.Mutex
	head    *task
	tail    *task
	running bool // a dispatcher exists, or will be started by somebody
	closed  bool // the last task is in: events do not come behind it
}

// push appends t and reports whether the caller must start a dispatcher.
func (q *queue) push(t *task) (start bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.append(t)
}

// offer is push, unless the queue is closed.
func (q *queue) offer(t *task) (start, taken bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false, false
	}
	return q.append(t), true
}

// pushLast is push, and closes the queue.
func (q *queue) pushLast(t *task) (start bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	return q.append(t)
}

// close closes the queue if no dispatcher is at work, and reports whether it did.
func (q *queue) close() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = q.closed || !q.running
	return q.closed
}

// append is push for a caller that holds mu.
func (q *queue) append(t *task) (start bool) {
	if q.tail == nil {
		q.head = t
	} else {
		q.tail.next = t
	}
	q.tail = t
	start = !q.running
	q.running = true
	return start
}

// pop removes the first task; nil if there is none.
func (q *queue) pop() *task {
	q.mu.Lock()
	defer q.mu.Unlock()
	t := q.head
	if t == nil {
		return nil
	}
	q.head, t.next = t.next, nil
	if q.head == nil {
		q.tail = nil
	}
	return t
}

// rest ends the dispatcher that calls it, unless there are tasks again.
func (q *queue) rest() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.head != nil {
		return false
	}
	q.running = false
	return true
}

// busy reports whether a dispatcher is at work.
func (q *queue) busy() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.running
}

// claim makes the caller the dispatcher if there is none; it may then run one
// task itself, and must end with rest.
func (q *queue) claim() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.running || q.closed {
		return false
	}
	q.running = true
	return true
}

// A crew counts the goroutines that run user code for a server, so that
// Shutdown can wait for them.
type crew struct {
	size    atomic.Int64
	waiting atomic.Int64 // of size: those who wait for the others
	watched atomic.Bool  // somebody waits

	mu   sync.Mutex
	left chan struct{} // closed and replaced when one leaves while somebody waits
}

func (c *crew) enter() { c.size.Add(1) }

func (c *crew) leave() {
	c.size.Add(-1)
	if c.watched.Load() {
		c.stir()
	}
}

// stir makes those who wait look again.
func (c *crew) stir() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left != nil {
		close(c.left)
		c.left = nil
	}
}

// wait returns when only those are left that wait here themselves, or ctx ends.
// own is the number of them that the caller runs in.
func (c *crew) wait(ctx context.Context, own int64) error {
	c.watched.Store(true)
	c.waiting.Add(own)
	defer c.waiting.Add(-own)
	c.stir() // another one may have waited for the caller
	for {
		c.mu.Lock()
		if c.left == nil {
			c.left = make(chan struct{})
		}
		left := c.left
		c.mu.Unlock()
		if c.size.Load() <= c.waiting.Load() {
			return nil
		}
		select {
		case <-left:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// enqueue gives the socket's dispatcher a task.
func (s *Socket) enqueue(t *task) {
	if s.queue.push(t) {
		s.startDispatcher()
	}
}

// startDispatcher starts the goroutine that works off the queue. It ends when
// the queue is empty; Shutdown waits for it through the crew.
func (s *Socket) startDispatcher() {
	s.conn.crew.Add(1)
	s.conn.server.crew.enter()
	go s.dispatch()
}

// dispatch works off the queue. What the handlers of one batch send leaves
// when the batch is done, in as few writes as possible.
func (s *Socket) dispatch() {
	growStack(0)
	returned := false
	defer func() {
		if !returned {
			// A handler ended its goroutine (runtime.Goexit). The queue goes on.
			s.uncork()
			s.startDispatcher()
		}
		s.conn.crew.Add(-1)
		s.conn.server.crew.leave()
	}()
	for {
		for t := s.queue.pop(); t != nil; t = s.queue.pop() {
			s.cork()
			s.perform(t)
		}
		s.uncork()
		if s.queue.rest() {
			returned = true
			return
		}
	}
}

// growStack makes the stack of a new goroutine 8 KiB at once, by a frame that
// does not fit the 2 KiB that it began with. Left to itself it grows while a
// handler emits, twice, and each time all frames there are must be moved: more
// than half of what an echoed message cost without a network (2.6 against
// 6.2 µs of CPU; 16 KiB gain nothing more).
//
//go:noinline
func growStack(i uint8) byte {
	var room [5 << 10]byte
	room[i]++
	return room[255-i]
}

// cork holds back what the session would write until uncork, or 1 ms.
func (s *Socket) cork() {
	if !s.corked.Load() {
		s.conn.session.Cork()
		s.corked.Store(true) // from here on anybody may end it
	}
}

// uncork writes what was held back. It is also called before everything of
// ours that waits, so that a handler never waits for an answer to what it has
// not sent; the next task corks again.
func (s *Socket) uncork() {
	if s.corked.CompareAndSwap(true, false) {
		s.conn.session.Uncork()
	} else {
		s.conn.session.Wake()
	}
}

func (s *Socket) perform(t *task) {
	if t.step != nil {
		t.step()
		return
	}
	s.handle(t)
}

// handle runs middlewares, catch-all handlers and handlers of an event.
func (s *Socket) handle(t *task) {
	ev := &t.event
	t.users.Add(1)
	defer s.finish(t)
	if !s.served {
		return // its CONNECT was refused
	}
	for _, l := range s.listeners() {
		for _, h := range l.any.all() {
			s.report(s.runHook(func() { (*h)(s.ctx, ev) }))
		}
	}
	if !s.admit(ev) {
		return
	}
	for _, l := range s.listeners() {
		for _, r := range l.events.find(ev.name) {
			if !r.claim() {
				continue
			}
			if r.mode&Concurrent != 0 {
				s.handleBeside(r, t)
				continue
			}
			s.report(s.runHandler(r, ev))
		}
	}
}

// admit passes an event through its middlewares.
func (s *Socket) admit(ev *Event) bool {
	for _, l := range s.listeners() {
		for _, m := range l.filters.all() {
			if err := s.runFilter(*m, ev); err != nil {
				s.report(err)
				return false
			}
		}
	}
	return true
}

// finish takes an event out of the inbox when the last who worked on it is done.
func (s *Socket) finish(t *task) {
	if t.users.Add(-1) == 0 {
		s.conn.inbox.release(t.size)
	}
}

// handleBeside runs one handler on a goroutine of its own; Shutdown waits for
// it through the crew. The inbox counts it as an event more.
func (s *Socket) handleBeside(r *registration, t *task) {
	if t.lent { // registered while an inline event was being handled
		t.event.args, t.lent = t.event.args.Clone(), false
	}
	s.conn.server.crew.enter()
	s.conn.inbox.hold(0)
	t.users.Add(1)
	go func() {
		defer s.conn.server.crew.leave()
		defer s.conn.inbox.release(0)
		defer s.finish(t)
		s.report(s.runHandler(r, &t.event))
	}()
}

func (s *Socket) runHandler(r *registration, ev *Event) (err error) {
	defer recoveredFrom(ev.name, &err)
	if err := r.handler(s.ctx, ev); err != nil {
		return handlerError(ev.name, err)
	}
	return nil
}

func (s *Socket) runFilter(m func(context.Context, *Event) error, ev *Event) (err error) {
	defer recoveredFrom(ev.name, &err)
	if err := m(s.ctx, ev); err != nil {
		return &MiddlewareError{Event: ev.name, Err: err}
	}
	return nil
}

func (s *Socket) runHook(hook func()) (err error) {
	defer recovered(&err)
	hook()
	return nil
}

// recovered, deferred, turns a panic of user code into a *PanicError.
func recovered(err *error) {
	if v := recover(); v != nil {
		*err = &PanicError{Value: v, Stack: debug.Stack()}
	}
}

// recoveredFrom is recovered for what handles an event.
func recoveredFrom(event string, err *error) {
	if v := recover(); v != nil {
		*err = &PanicError{Event: event, Value: v, Stack: debug.Stack()}
	}
}

// warn logs an error, with the stack if it is a panic.
func (c *Config) warn(what string, err error, attributes ...any) {
	attributes = append(attributes, "error", err)
	var panicked *PanicError
	if errors.As(err, &panicked) {
		attributes = append(attributes, "stack", string(panicked.Stack))
	}
	c.Logger.Warn("socketio: "+what, attributes...)
}

// handlerError names the event, unless the error does so already.
func handlerError(event string, err error) error {
	if _, ok := err.(*ArgumentError); ok {
		return err
	}
	return &HandlerError{Event: event, Err: err}
}

// expected holds for errors that are part of daily life: what the client was
// told in public, when it was refused, and what became of those who were at work
// when it left. A handler's *PublicError gets here only if there was no
// acknowledgement that could carry it.
func expected(err error) bool {
	var refused *MiddlewareError
	var public *PublicError
	if errors.As(err, &refused) && refused.Event == "" && errors.As(err, &public) {
		return true
	}
	return errors.Is(err, ErrDisconnected) || errors.Is(err, context.Canceled)
}

// report hands an error of this socket to OnError; a panic ends the socket
// too.
func (s *Socket) report(err error) {
	if err == nil {
		return
	}
	heard := false
	for _, l := range s.listeners() {
		for _, h := range l.errors.all() {
			heard = true
			if err := s.runHook(func() { (*h)(s.ctx, s, err) }); err != nil {
				s.log("error hook panicked", err)
			}
		}
	}
	if !heard && !expected(err) {
		s.log("error", err)
	}
	if _, ok := err.(*PanicError); ok {
		s.end(ServerNamespaceDisconnect, err, true)
	}
}
