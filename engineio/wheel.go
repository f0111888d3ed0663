package engineio

import (
	"sync"
	"time"
)

// wheel fires what is due, for all sessions of a server, from one timer of the
// runtime that is armed only while something is scheduled. A session's entry
// is part of the session, so scheduling allocates nothing.
//
// Time is counted in ticks since the wheel was made. An entry fires at the
// first tick that is not before its time: never early, up to one tick late.
type wheel struct {
	tick  time.Duration
	start time.Time
	group *group // run counts in it

	mu    sync.Mutex
	slots [wheelSlots]*alarm
	n     int
	done  int64 // the last tick that has been fired
	armed int64 // the tick for which timer is set; 0: it is not
	timer *time.Timer
	spare []*alarm // run's list, between two runs
}

// wheelSlots is the ticks of one turn; what lies further ahead stays in its
// slot for more than one.
const wheelSlots = 512

// alarm is an entry of a wheel. Its fields are guarded by the wheel's mu.
type alarm struct {
	next, prev *alarm
	due        int64 // tick; 0: not scheduled
	expire     expirer
}

// expirer is what an alarm wakes. It is called without a lock and must not
// block. Nobody promises that the alarm was not rescheduled or cancelled in
// the meantime: it must look at its own state.
type expirer interface{ expired(a *alarm) }

// newWheel returns a wheel whose tick suits times up to longest.
func newWheel(longest time.Duration, g *group) *wheel {
	tick := min(max(longest/400, time.Millisecond), 100*time.Millisecond)
	return &wheel{tick: tick, start: time.Now(), group: g}
}

// now returns the time since the wheel was made.
func (w *wheel) now() time.Duration { return time.Since(w.start) }

// schedule makes a fire after d, and at no other time that was asked for before.
func (w *wheel) schedule(a *alarm, d time.Duration) { w.scheduleAt(a, w.now()+d) }

// scheduleAt makes a fire at a time since the wheel was made.
func (w *wheel) scheduleAt(a *alarm, at time.Duration) {
	due := int64((at + w.tick - 1) / w.tick)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.unlink(a)
	a.due = max(due, w.done+1)
	head := &w.slots[a.due%wheelSlots]
	a.next = *head
	if a.next != nil {
		a.next.prev = a
	}
	*head = a
	w.n++
	w.arm(a.due)
}

// cancel takes a out of the wheel.
func (w *wheel) cancel(a *alarm) {
	w.mu.Lock()
	w.unlink(a)
	if w.n == 0 && w.armed != 0 {
		w.timer.Stop()
		w.armed = 0
	}
	w.mu.Unlock()
}

func (w *wheel) unlink(a *alarm) {
	if a.due == 0 {
		return
	}
	if a.prev != nil {
		a.prev.next = a.next
	} else {
		w.slots[a.due%wheelSlots] = a.next
	}
	if a.next != nil {
		a.next.prev = a.prev
	}
	a.next, a.prev, a.due = nil, nil, 0
	w.n--
}

// arm sets the timer for a tick, unless it is set for an earlier one.
func (w *wheel) arm(tick int64) {
	if w.armed != 0 && w.armed <= tick {
		return
	}
	w.armed = tick
	d := time.Duration(tick)*w.tick - time.Since(w.start)
	if w.timer == nil {
		w.timer = time.AfterFunc(d, w.run)
	} else {
		w.timer.Reset(d)
	}
}

// run fires what is due and arms the timer for what comes next. It is the
// timer's function and the only goroutine of the wheel, while it lasts.
func (w *wheel) run() {
	w.group.begin()
	defer w.group.end()
	w.mu.Lock()
	now := int64(time.Since(w.start) / w.tick)
	w.armed = 0
	list := w.spare
	w.spare = nil
	for t := max(w.done+1, now-wheelSlots+1); t <= now; t++ {
		for a := w.slots[t%wheelSlots]; a != nil; {
			next := a.next
			if a.due <= now {
				w.unlink(a)
				list = append(list, a)
			}
			a = next
		}
	}
	w.done = max(w.done, now)
	if w.n > 0 {
		w.arm(w.upcoming())
	}
	w.mu.Unlock()
	for _, a := range list {
		a.expire.expired(a)
	}
	clear(list)
	w.mu.Lock()
	if cap(list) <= 4*wheelSlots {
		w.spare = list[:0]
	}
	w.mu.Unlock()
}

// upcoming returns the next tick at which a slot has to be looked at.
func (w *wheel) upcoming() int64 {
	for t := w.done + 1; t < w.done+wheelSlots; t++ {
		if w.slots[t%wheelSlots] != nil {
			return t
		}
	}
	return w.done + wheelSlots
}
