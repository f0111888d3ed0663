package adapter

import (
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
)

// EventKind says what happened to a room.
type EventKind uint8

const (
	// Created: the room has its first member on this server; Joined follows.
	Created EventKind = iota + 1
	// Joined: a socket is in the room now.
	Joined
	// Left: a socket is not in the room any more.
	Left
	// Deleted: the last member on this server has left; it came after Left.
	Deleted
)

func (k EventKind) String() string {
	switch k {
	case Created:
		return "created"
	case Joined:
		return "joined"
	case Left:
		return "left"
	case Deleted:
		return "deleted"
	}
	return "unknown"
}

// Event is one change of a room on this server.
type Event struct {
	Kind EventKind
	Room string
	// SocketID is empty for Created and Deleted.
	SocketID string
}

// Hook is called for every change of the rooms of an adapter, in the order in
// which the changes happened, one at a time and never under a lock: it may call
// any method of the adapter. The changes of one Join, Leave or Remove have been
// reported when that returns, unless another goroutine, or the hook itself, is
// in the middle of reporting: then they are reported by that one next. A hook
// that takes long delays whoever joins, so it hands work on. One that panics is told
// of to the Local, if that is a [PanicReporter].
type Hook func(Event)

// PanicReporter is implemented by a Local that wants to know of a panic of a hook,
// which then holds up neither the other hooks nor who changed the room. Without it
// the panic is that one's.
type PanicReporter interface {
	// HookPanicked gets what was given to panic, and the stack as
	// runtime/debug.Stack writes it. It is called with no lock held.
	HookPanicked(value any, stack []byte)
}

// hooks keeps the order of events from the moment of the change, under the lock
// of the room's shard, to the hook, which runs under no lock.
type hooks struct {
	panics    PanicReporter           // nil if nobody wants to know; immutable
	observers atomic.Pointer[[]*Hook] // copied on write; nil when there are none

	mu    sync.Mutex // a leaf: nothing is locked under it
	queue []change
	busy  bool // a goroutine is reporting
}

// change is an event, and who observed when it happened.
type change struct {
	Event
	observers []*Hook
}

func (h *hooks) observe(f Hook) (stop func()) {
	o := &f
	h.mu.Lock()
	defer h.mu.Unlock()
	h.set(append(slices.Clone(h.list()), o))
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.set(slices.DeleteFunc(slices.Clone(h.list()), func(x *Hook) bool { return x == o }))
	}
}

func (h *hooks) list() []*Hook {
	if p := h.observers.Load(); p != nil {
		return *p
	}
	return nil
}

func (h *hooks) set(list []*Hook) {
	if len(list) == 0 {
		h.observers.Store(nil)
		return
	}
	h.observers.Store(&list)
}

// add notes an event. It is called while the shard of the room is locked.
func (h *hooks) add(kind EventKind, room, id string) {
	if h.observers.Load() == nil {
		return
	}
	h.mu.Lock()
	h.queue = append(h.queue, change{Event{kind, room, id}, h.list()})
	h.mu.Unlock()
}

// report calls the hooks for everything noted, unless somebody is doing it
// already. It is called with no lock held.
func (h *hooks) report() {
	if h.observers.Load() == nil {
		return
	}
	h.mu.Lock()
	if h.busy {
		h.mu.Unlock()
		return
	}
	h.busy = true
	h.mu.Unlock()

	var batch []change
	done := false
	defer func() {
		if done {
			return
		}
		// A hook panicked, or ended its goroutine: what it has not seen is left for the
		// next report.
		h.mu.Lock()
		h.queue = append(batch, h.queue...)
		h.busy = false
		h.mu.Unlock()
	}()
	for {
		h.mu.Lock()
		if len(h.queue) == 0 {
			h.busy, done = false, true
			h.mu.Unlock()
			return
		}
		batch, h.queue = h.queue, nil
		h.mu.Unlock()
		for len(batch) > 0 {
			e := batch[0]
			batch = batch[1:]
			for _, f := range e.observers {
				if slices.Contains(h.list(), f) {
					h.call(*f, e.Event)
				}
			}
		}
	}
}

// call calls a hook.
func (h *hooks) call(f Hook, e Event) {
	if h.panics != nil {
		defer func() {
			if v := recover(); v != nil {
				h.panics.HookPanicked(v, debug.Stack())
			}
		}()
	}
	f(e)
}
