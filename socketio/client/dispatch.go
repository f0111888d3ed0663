package client

import (
	"context"
	"errors"
	"runtime/debug"

	"github.com/siokit/siokit/socketio"
)

// A dispatcher runs tasks one at a time, in order, on a goroutine that exists
// while there are any. It is guarded by the client's mu.
type dispatcher struct {
	client  *Client
	running bool
	tasks   []task
	current int64 // the size of what runs
	held    int64 // that, and the sizes of tasks
}

// A task calls handlers or hooks.
type task struct {
	run  func()
	size int64 // what it counts in the inbox
}

// add appends a task. The caller holds the client's mu.
func (d *dispatcher) add(t task) {
	d.tasks = append(d.tasks, t)
	d.held += t.size
	if !d.running {
		d.running = true
		d.client.crew.start(d.work)
	}
}

// work is the goroutine. Shutdown waits for it through the crew.
func (d *dispatcher) work() {
	finished := false
	defer func() {
		if !finished {
			d.client.crew.start(d.work) // a handler ended its goroutine (runtime.Goexit); the queue goes on
		}
	}()
	for t, ok := d.take(); ok; t, ok = d.take() {
		t.run()
	}
	finished = true
}

// take removes the first task; the one before is done.
func (d *dispatcher) take() (t task, ok bool) {
	d.client.mu.Lock()
	defer d.client.mu.Unlock()
	d.held -= d.current
	d.current = 0
	if len(d.tasks) == 0 {
		d.running, d.tasks = false, nil
		return t, false
	}
	t, d.tasks[0] = d.tasks[0], task{}
	d.tasks = d.tasks[1:]
	d.current = t.size
	return t, true
}

// recovered, deferred, turns a panic of user code into an error. It is the only
// place that recovers.
func recovered(err *error) {
	if v := recover(); v != nil {
		*err = &socketio.PanicError{Value: v, Stack: debug.Stack()}
	}
}

// call runs user code, and reports a panic.
func (s *Socket) call(f func()) {
	s.report(func() (err error) {
		defer recovered(&err)
		f()
		return nil
	}())
}

// reportLater is report in the order of the handlers and hooks, from goroutines
// that are not theirs. The caller holds mu.
func (s *Socket) reportLater(err error) { s.add(task{run: func() { s.report(err) }}) }

// report hands an error to OnError, or to the log; a panic disconnects.
func (s *Socket) report(err error) {
	if err == nil {
		return
	}
	s.client.mu.Lock()
	all := s.onError.all
	s.client.mu.Unlock()
	for _, h := range all {
		if err := s.tell(*h, err); err != nil {
			s.client.config.Logger.Error("socketio: OnError", "namespace", s.namespace, "error", err)
		}
	}
	if len(all) == 0 && !expected(err) {
		s.client.config.Logger.Warn("socketio: client", "namespace", s.namespace, "error", err)
	}
	if _, ok := err.(*socketio.PanicError); ok {
		s.client.mu.Lock()
		why := &DisconnectError{Reason: ClientDisconnect, Err: err}
		s.disconnect(why, why)
		s.client.mu.Unlock()
	}
}

// expected holds for what handlers return because the connection, or the client,
// has ended.
func expected(err error) bool {
	return errors.Is(err, socketio.ErrDisconnected) || errors.Is(err, context.Canceled) || errors.Is(err, ErrClosed)
}

func (s *Socket) tell(h func(context.Context, error), about error) (err error) {
	defer recovered(&err)
	h(s.client.ctx, about)
	return nil
}
