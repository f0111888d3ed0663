package cluster_test

import (
	"context"
	"iter"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/socketio/adapter"
	"github.com/siokit/siokit/socketio/adapter/adaptertest"
)

// A client comes back to a server that has not followed the log as far as the one that
// it was on. What it has seen there does not reach it again, and does not move it.
func TestBackOnAServerThatIsBehind(t *testing.T) {
	recoveryBubble(t, 1, func(t *testing.T, r *recovering) {
		gate := make(chan struct{})
		made, err := cluster.New(cluster.Config{
			Bus: &lagging{MemoryLog: r.log, entries: gate}, UID: "behind", MaxDisconnection: time.Minute,
			Logger: slog.New(slog.DiscardHandler),
		})(adaptertest.NewServer("/"))
		if err != nil {
			t.Fatal(err)
		}
		r.adapters = append(r.adapters, made.(cluster.Recovering))
		synctest.Wait()
		s := r.socket(0, "s", "red")
		r.emit(0, "a")
		if err := r.adapters[0].Broadcast(event("v"), adapter.Selection{Flags: adapter.Volatile}); err != nil {
			t.Error(err)
		}
		if err := r.adapters[0].LeaveAll(adapter.Selection{}, "red"); err != nil {
			t.Error(err)
		}
		if err := r.adapters[0].JoinAll(adapter.Selection{}, "red"); err != nil {
			t.Error(err)
		}
		r.emit(0, "b")
		offset := r.cut(0, s)
		r.emit(0, "c")
		synctest.Wait()
		session, err := r.adapters[1].Take(t.Context(), "p-s", offset)
		if err != nil {
			t.Fatal(err)
		}
		var left []string
		defer r.adapters[1].Observe(func(e adapter.Event) {
			if e.Kind == adapter.Left {
				left = append(left, e.Room)
			}
		})()
		again := adaptertest.NewSocket("s")
		if err := r.adapters[1].Resume(t.Context(), again, session); err != nil {
			t.Fatal(err)
		}
		// It is cut off once more before the server has caught up.
		r.cut(1, again)
		if session, err = r.adapters[1].Take(t.Context(), "p-s", offset); err != nil {
			t.Fatal(err)
		}
		left, again = nil, adaptertest.NewSocket("s")
		if err := r.adapters[1].Resume(t.Context(), again, session); err != nil {
			t.Fatal(err)
		}
		close(gate)
		synctest.Wait()
		r.emit(0, "d", "red")
		synctest.Wait()
		again.Flush()
		if got := names(again); got != "c d" || len(left) > 0 {
			t.Errorf("it had %q and gets %q; it was taken out of %q", names(s), got, left)
		}
	})
}

// unread is a log whose reader gives up.
type unread struct {
	*balky
	cancel func()
}

func (u unread) Read(ctx context.Context, _ string, _ cluster.Offset) iter.Seq2[cluster.Entry, error] {
	return func(yield func(cluster.Entry, error) bool) {
		u.cancel()
		yield(cluster.Entry{}, context.Cause(ctx))
	}
}

// A session whose client was cut off before it had anything of it is there again, on
// every server.
func TestSessionIsPutBack(t *testing.T) {
	recoveryBubble(t, 2, func(t *testing.T, r *recovering) {
		s := r.socket(0, "s", "red")
		r.emit(0, "seen")
		offset := r.cut(0, s)
		r.emit(1, "missed", "red")
		synctest.Wait()
		gone, cancel := context.WithCancel(t.Context())
		log := unread{r.ends[1], cancel}
		made, err := cluster.New(cluster.Config{
			Bus: log, MaxDisconnection: time.Minute, Logger: slog.New(slog.DiscardHandler),
		})(adaptertest.NewServer("/"))
		if err != nil {
			t.Fatal(err)
		}
		r.adapters = append(r.adapters, made.(cluster.Recovering))
		synctest.Wait()
		if _, err := r.adapters[2].Take(gone, "p-s", offset); err == nil {
			t.Error("taken by somebody who has gone")
		}
		synctest.Wait()
		session, err := r.adapters[1].Take(t.Context(), "p-s", offset)
		if err != nil {
			t.Fatal(err)
		}
		restore := r.adapters[1].Restorable(session)
		again := adaptertest.NewSocket("s")
		if err := r.adapters[1].Resume(t.Context(), again, session); err != nil {
			t.Fatal(err)
		}
		r.adapters[1].Remove(again)
		restore()
		synctest.Wait()
		if got, err := r.back(0, "s", offset); err != nil || got != "missed" {
			t.Errorf("replayed %q, %v", got, err)
		}
	})
}
