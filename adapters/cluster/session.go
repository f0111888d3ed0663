package cluster

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// saveTimeout is how long the log may take for one session.
const saveTimeout = 10 * time.Second

const (
	maxSaving = 100_000 // sessions that wait to be saved
	savers    = 8       // goroutines that save them
)

// sessions saves sessions without having anybody wait. Its goroutines exist while
// there is something to save; close waits for them.
type sessions struct {
	store  Log
	keep   time.Duration
	logger *slog.Logger
	ctx    context.Context
	cancel context.CancelFunc
	saving sync.WaitGroup // the savers

	mu      sync.Mutex // a leaf
	queue   []*saving
	waiting map[string]*saving // those not saved yet, by private id
	running int                // savers
	closed  bool
}

// saving is a session that is not saved yet.
type saving struct {
	session *SavedSession
	begun   bool          // a saver has it; guarded by sessions
	over    chan struct{} // closed when the saver has done what it can
}

func newSessions(store Log, keep time.Duration, logger *slog.Logger) *sessions {
	ctx, cancel := context.WithCancel(context.Background())
	return &sessions{
		store: store, keep: keep, logger: logger, ctx: ctx, cancel: cancel,
		waiting: make(map[string]*saving),
	}
}

// save has s saved soon.
func (ss *sessions) save(s *SavedSession) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	if ss.closed || len(ss.waiting) >= maxSaving {
		return // its client begins anew
	}
	sv := &saving{session: s, over: make(chan struct{})}
	ss.waiting[s.PrivateID] = sv
	ss.queue = append(ss.queue, sv)
	if ss.running < savers {
		ss.running++
		ss.saving.Add(1)
		go ss.run()
	}
}

func (ss *sessions) run() {
	defer ss.saving.Done()
	for {
		sv := ss.next()
		if sv == nil {
			return
		}
		ctx, cancel := context.WithTimeout(ss.ctx, saveTimeout)
		err := ss.store.SaveSession(ctx, sv.session, ss.keep)
		cancel()
		if err != nil && ss.ctx.Err() == nil {
			ss.logger.Warn("cluster: a session was not saved", "error", err)
		}
		ss.mu.Lock()
		ss.forget(sv)
		ss.mu.Unlock()
		close(sv.over)
	}
}

// next returns what is to be saved next. If there is nothing, the saver ends.
func (ss *sessions) next() *saving {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	for len(ss.queue) > 0 {
		sv := ss.queue[0]
		ss.queue[0] = nil
		ss.queue = ss.queue[1:]
		if ss.waiting[sv.session.PrivateID] == sv { // not taken meanwhile
			sv.begun = true
			return sv
		}
	}
	ss.queue = nil
	ss.running--
	return nil
}

// take takes a session out, also one that is not saved yet.
func (ss *sessions) take(ctx context.Context, privateID string) (*SavedSession, error) {
	ss.mu.Lock()
	sv := ss.waiting[privateID]
	if sv != nil && !sv.begun {
		ss.forget(sv)
		ss.mu.Unlock()
		return sv.session, nil
	}
	ss.mu.Unlock()
	if sv != nil {
		select {
		case <-sv.over:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	return ss.store.TakeSession(ctx, privateID)
}

// forget is called with mu held.
func (ss *sessions) forget(sv *saving) {
	if ss.waiting[sv.session.PrivateID] == sv {
		delete(ss.waiting, sv.session.PrivateID)
	}
}

// close takes no more, and waits until everything is saved or ctx ends; then it
// gives up what is left, and waits for the savers.
func (ss *sessions) close(ctx context.Context) error {
	ss.mu.Lock()
	ss.closed = true
	ss.mu.Unlock()
	stop := context.AfterFunc(ctx, ss.cancel)
	defer stop()
	ss.saving.Wait()
	ss.cancel()
	return context.Cause(ctx)
}
