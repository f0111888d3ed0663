package cluster_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/siokit/siokit/socketio/adapter"
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
