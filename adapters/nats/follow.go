package nats

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/siokit/siokit/adapters/cluster"
)

// Pauses between attempts to find one's place in the stream again.
const (
	pauseFirst = 20 * time.Millisecond
	pauseLast  = time.Second
)

// follower reads one log. Its goroutine ends when it is stopped.
type follower struct {
	*log
	subject string
	to      cluster.Follower
	begun   bool
	at      cluster.Offset // the last entry that was handed over
	newest  atomic.Uint64  // its number
}

// pass tells the follower, several times in the stream's MaxAge, how far it was
// followed: up to its end, if the last message of this log was handed over before.
func (f *follower) pass(ctx context.Context, o *opened) {
	to, ok := f.to.(cluster.Passer)
	if !ok {
		return
	}
	tick := time.NewTicker(max(f.config.Recovery.MaxAge/8, time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		x, err := f.extent(ctx, o)
		if err != nil {
			continue
		}
		last := uint64(0)
		switch m, err := o.stream.GetLastMsgForSubject(ctx, f.subject); {
		case err == nil:
			last = m.Sequence
		case !errors.Is(err, jetstream.ErrMsgNotFound):
			continue
		}
		if last <= f.newest.Load() {
			to.Passed(cluster.Offset{Major: x.made, Minor: x.last})
		}
	}
}

// Follow implements [cluster.Log].
func (l *log) Follow(namespace string, to cluster.Follower) (stop func(), err error) {
	f := &follower{log: l, subject: l.subject(namespace), to: to}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { f.run(ctx) })
	return func() { cancel(); running.Wait() }, nil
}

func (f *follower) run(ctx context.Context) {
	failing := false
	for pause := pauseFirst; ; pause = min(2*pause, pauseLast) {
		before := f.at
		err := f.follow(ctx)
		if ctx.Err() != nil {
			return
		}
		if f.at != before {
			pause, failing = pauseFirst, false
		}
		if !failing {
			failing = true
			f.store.config.Logger.Warn("nats: the log can't be read; trying again", "subject", f.subject, "error", err)
		}
		wait := time.NewTimer(pause)
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return
		}
	}
}

// follow hands entries over until that fails.
func (f *follower) follow(ctx context.Context) error {
	o, err := f.open(ctx)
	if err != nil {
		return err
	}
	x, err := f.extent(ctx, o)
	if err != nil {
		return err
	}
	f.place(x)
	f.newest.Store(f.at.Minor) // a stream that was made anew counts from the beginning
	passing, stop := context.WithCancel(ctx)
	var passes sync.WaitGroup
	passes.Go(func() { f.pass(passing, o) })
	err = f.consume(ctx, o, f.subject, x.made, f.at.Minor+1, func(e cluster.Entry) bool {
		f.to.Entry(e)
		f.at = e.At
		f.newest.Store(e.At.Minor)
		return true
	})
	stop()
	passes.Wait()
	f.forget() // the stream may be another one now
	return err
}

// place finds where to go on: at first with what comes from now on; later where
// it was, or, if the stream doesn't have that, with the first that it has.
func (f *follower) place(x extent) {
	switch {
	case !f.begun:
		f.at = cluster.Offset{Major: x.made, Minor: x.last}
	case !x.holds(f.at):
		f.at = cluster.Offset{Major: x.made, Minor: x.first - 1}
	default:
		return
	}
	f.begun = true
	f.to.Begin(f.at)
}
