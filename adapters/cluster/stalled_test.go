package cluster_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/socketio/adapter"
	"github.com/siokit/siokit/socketio/adapter/adaptertest"
)

// outlast emits name while the log of a server is frozen, and waits until that
// has gone out without its offset.
func (r *recovering) outlast(on int, name string) (thaw func()) {
	r.t.Helper()
	thaw = r.ends[on].freeze()
	r.emit(on, name)
	<-time.After(1500 * time.Millisecond)
	synctest.Wait()
	return thaw
}

// What went out without its offset does not go out again when its entry comes: a
// socket that resumes between the two would miss it.
func TestNotRecoveredBetweenLoosePacketAndItsEntry(t *testing.T) {
	recoveryBubble(t, 1, func(t *testing.T, r *recovering) {
		s, later := r.socket(0, "s"), r.socket(0, "later")
		r.emit(0, "seen")
		offset := r.cut(0, s)
		r.cut(0, later)
		thaw := r.outlast(0, "a")
		r.emit(0, "b")
		if got, err := r.back(0, "s", offset); !errors.Is(err, adapter.ErrUnrecoverable) {
			t.Errorf("before the entries: %q, %v", got, err)
		}
		thaw()
		synctest.Wait()
		if got, err := r.back(0, "later", offset); err != nil || got != "a b" {
			t.Errorf("after them: %q, %v", got, err)
		}
	})
}

// The offset of another server's entry does not tell whether the client has what
// went out without its offset before it: the entry of that may follow.
func TestNotRecoveredWithOffsetBeforeLoosePacketsEntry(t *testing.T) {
	recoveryBubble(t, 2, func(t *testing.T, r *recovering) {
		s, stays := r.socket(0, "s"), r.socket(0, "stays")
		r.emit(0, "seen")
		synctest.Wait()
		thaw := r.outlast(0, "a")
		r.emit(1, "x")
		offset := r.cut(0, s)
		if got := names(s); got != "seen a x" {
			t.Fatalf("it has %q", got)
		}
		thaw()
		synctest.Wait()
		if got, err := r.back(0, "s", offset); !errors.Is(err, adapter.ErrUnrecoverable) {
			t.Errorf("replayed %q, %v", got, err)
		}
		r.emit(1, "settled")
		offset = r.cut(0, stays)
		r.emit(0, "missed")
		synctest.Wait()
		if got, err := r.back(1, "stays", offset); err != nil || got != "missed" {
			t.Errorf("with an offset behind that entry: %q, %v", got, err)
		}
	})
}

// How long is long enough is the operator's to say.
func TestOffsetTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		end := &balky{MemoryLog: &cluster.MemoryLog{}}
		a, err := cluster.New(cluster.Config{
			Bus: end, MaxDisconnection: time.Minute, OffsetTimeout: 3 * time.Second, Logger: slog.New(slog.DiscardHandler),
		})(adaptertest.NewServer("/"))
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		s := adaptertest.NewSocket("s")
		if err := a.Join(s, "s"); err != nil {
			t.Fatal(err)
		}
		thaw := end.freeze()
		if err := a.Broadcast(event("late"), adapter.Selection{}); err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct {
			wait time.Duration
			want string
		}{{2900 * time.Millisecond, ""}, {200 * time.Millisecond, "late"}} {
			<-time.After(step.wait)
			synctest.Wait()
			if got := names(s); got != step.want {
				t.Errorf("after %v more it has %q, want %q", step.wait, got, step.want)
			}
		}
		thaw()
		if err := a.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
	if _, err := cluster.New(cluster.Config{Bus: &cluster.MemoryBus{}, OffsetTimeout: -1})(adaptertest.NewServer("/")); err == nil {
		t.Error("a negative timeout is accepted")
	}
}

// hesitant is a log that a server follows late.
type hesitant struct {
	*cluster.MemoryLog
	follow func()
}

func (h *hesitant) Follow(namespace string, f cluster.Follower) (func(), error) {
	stop := func() {}
	h.follow = func() { stop, _ = h.MemoryLog.Follow(namespace, f) }
	return func() { stop() }, nil
}

// A packet of a server that does not follow the log yet has its offset as soon as it
// does: the entry is not appended where nobody would look for it.
func TestNothingIsAppendedBeforeTheLogIsFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &hesitant{MemoryLog: &cluster.MemoryLog{}}
		a, err := cluster.New(cluster.Config{
			Bus: log, MaxDisconnection: time.Minute, Logger: slog.New(slog.DiscardHandler),
		})(adaptertest.NewServer("/"))
		if err != nil {
			t.Fatal(err)
		}
		s := adaptertest.NewSocket("s")
		if err := a.Join(s, "s"); err != nil {
			t.Fatal(err)
		}
		if err := a.Broadcast(event("early"), adapter.Selection{}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		log.follow()
		synctest.Wait()
		if names(s) != "early" || offsetOf(s) == "" {
			t.Errorf("it has %q, with the offset %q", names(s), offsetOf(s))
		}
		if err := a.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
	// One that never does so can be closed.
	synctest.Test(t, func(t *testing.T) {
		a, err := cluster.New(cluster.Config{
			Bus: &hesitant{MemoryLog: &cluster.MemoryLog{}}, MaxDisconnection: time.Minute, Logger: slog.New(slog.DiscardHandler),
		})(adaptertest.NewServer("/"))
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Broadcast(event("never"), adapter.Selection{}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := a.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Close: %v", err)
		}
	})
}
