package adapter

import (
	"container/list"
	"context"
	"sync"
	"time"
)

// sweepEvery is how late an expiry may be noticed.
const sweepEvery = time.Second

// store adds a session and returns the one that had to go for it, if anybody
// wants to know. r.mu is held, as for all here but sweep.
func (r *Recovery) store(session *Session) (dropped *Session, err error) {
	if r.closed {
		return nil, ErrClosed
	}
	if old := r.sessions[session.PrivateID]; old != nil {
		r.unstore(old)
	}
	if len(r.sessions) >= r.config.MaxSessions {
		oldest := r.waiting.Front()
		if r.config.OnExpired != nil {
			dropped = oldest.Value.(*stored).session
		}
		r.unstore(oldest)
	}
	now := time.Now()
	st := &stored{session: session, until: now.Add(r.config.MaxDisconnection)}
	r.sessions[session.PrivateID] = r.waiting.PushBack(st)
	r.peak = max(r.peak, len(r.sessions))
	r.arm(now)
	return dropped, nil
}

func (r *Recovery) unstore(el *list.Element) {
	delete(r.sessions, el.Value.(*stored).session.PrivateID)
	r.sessions, r.peak = shrink(r.sessions, r.peak)
	r.waiting.Remove(el)
}

// arm sets the timer for the next expiry, if it isn't set for one before that. It
// is stopped while there is nothing to expire.
func (r *Recovery) arm(now time.Time) {
	if r.closed {
		return
	}
	var next time.Time
	if sent, ok := r.log.oldest(); ok {
		next = sent.Add(r.config.MaxAge)
	}
	if el := r.waiting.Front(); el != nil {
		if until := el.Value.(*stored).until; next.IsZero() || until.Before(next) {
			next = until
		}
	}
	if next.IsZero() {
		return
	}
	if r.timer != nil {
		// If it can't be stopped any more the sweep has begun, and arms it again.
		if !next.Before(r.due) || !r.timer.Stop() {
			return
		}
		r.sweeps.Done()
	}
	r.due = next
	r.sweeps.Add(1)
	r.timer = time.AfterFunc(max(next.Sub(now), sweepEvery), r.sweep)
}

func (r *Recovery) disarm() {
	if r.timer != nil && r.timer.Stop() {
		r.sweeps.Done()
	}
	r.timer = nil
}

// sweep runs on the timer's goroutine, which Close waits for. It arms the timer
// again when it has reported what has expired.
func (r *Recovery) sweep() {
	defer r.sweeps.Done()
	var expired []*Session
	r.mu.Lock()
	now := time.Now()
	r.log.trim(now, r.config.MaxAge, r.config.MaxPackets, r.config.MaxBytes)
	for el := r.waiting.Front(); el != nil; el = r.waiting.Front() {
		st := el.Value.(*stored)
		if now.Before(st.until) {
			break
		}
		r.unstore(el)
		expired = append(expired, st.session)
	}
	r.mu.Unlock()
	if r.config.OnExpired != nil {
		for _, s := range expired {
			r.config.OnExpired(s)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.timer = nil
	r.arm(time.Now())
}

// waitFor waits for wg until ctx ends.
func waitFor(ctx context.Context, wg *sync.WaitGroup) error {
	done := make(chan struct{})
	go func() { // ends with wg, which the caller has seen to
		wg.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
