package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/socketio/adapter"
	"github.com/siokit/siokit/socketio/adapter/adaptertest"
)

// balky is one server's end of a log, which can stop answering, refuse, and take
// messages without saying so.
type balky struct {
	*cluster.MemoryLog

	mu      sync.Mutex
	frozen  chan struct{} // closed when it goes on; nil while it works
	refuse  int           // appends
	mislead int           // appends that are taken and reported as refused
}

var errBalky = errors.New("the log is balky")

func (b *balky) Append(ctx context.Context, namespace string, batch [][]byte) (int, error) {
	b.mu.Lock()
	frozen := b.frozen
	b.mu.Unlock()
	if frozen != nil {
		select {
		case <-frozen:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.refuse > 0:
		b.refuse--
		return 0, errBalky
	case b.mislead > 0:
		b.mislead--
		if _, err := b.MemoryLog.Append(ctx, namespace, batch); err != nil {
			return 0, err
		}
		return 0, errBalky
	}
	return b.MemoryLog.Append(ctx, namespace, batch)
}

func (b *balky) freeze() (thaw func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.frozen = make(chan struct{})
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		close(b.frozen)
		b.frozen = nil
	}
}

// recovering is some servers with recovery on one log, in a synctest bubble.
type recovering struct {
	t        *testing.T
	log      *cluster.MemoryLog
	ends     []*balky
	adapters []cluster.Recovering
}

func recoveryBubble(t *testing.T, n int, f func(t *testing.T, r *recovering)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &recovering{t: t, log: &cluster.MemoryLog{MaxEntries: 100}}
		for range n {
			r.add()
		}
		synctest.Wait()
		f(t, r)
		for _, a := range r.adapters {
			if err := a.Close(t.Context()); err != nil {
				t.Errorf("Close: %v", err)
			}
		}
	})
}

func (r *recovering) add() {
	r.t.Helper()
	r.ends = append(r.ends, &balky{MemoryLog: r.log})
	r.adapters = append(r.adapters, cluster.Recovering{})
	r.start(len(r.ends) - 1)
}

// start starts a server, or starts it again.
func (r *recovering) start(i int) {
	r.t.Helper()
	a, err := cluster.New(cluster.Config{
		Bus: r.ends[i], UID: fmt.Sprint("n", i), MaxDisconnection: time.Minute,
		Logger: slog.New(slog.DiscardHandler),
	})(adaptertest.NewServer("/"))
	if err != nil {
		r.t.Fatal(err)
	}
	r.adapters[i] = a.(cluster.Recovering)
}

func (r *recovering) socket(on int, id string, rooms ...string) *adaptertest.Socket {
	r.t.Helper()
	s := adaptertest.NewSocket(id)
	if err := r.adapters[on].Join(s, append([]string{id}, rooms...)...); err != nil {
		r.t.Fatal(err)
	}
	return s
}

func (r *recovering) emit(from int, name string, rooms ...string) {
	r.t.Helper()
	if err := r.adapters[from].Broadcast(event(name), adapter.Selection{Rooms: rooms}); err != nil {
		r.t.Errorf("Broadcast: %v", err)
	}
}

// cut disconnects a socket so that it can come back, and returns the offset that
// its client has.
func (r *recovering) cut(on int, s *adaptertest.Socket) (offset string) {
	r.t.Helper()
	synctest.Wait()
	if _, err := r.adapters[on].Persist(s, adapter.Session{SocketID: s.ID(), PrivateID: "p-" + s.ID()}); err != nil {
		r.t.Fatal(err)
	}
	synctest.Wait()
	return offsetOf(s)
}

func offsetOf(s *adaptertest.Socket) string {
	list := s.Received()
	for i := len(list) - 1; i >= 0; i-- {
		if text := strings.Trim(list[i].Args, `[]"`); text != "" {
			return text
		}
	}
	return ""
}

// back resumes the session of id on a server, and returns what was replayed.
func (r *recovering) back(on int, id, offset string) (string, error) {
	r.t.Helper()
	session, err := r.adapters[on].Take(r.t.Context(), "p-"+id, offset)
	if err != nil {
		return "", err
	}
	s := adaptertest.NewSocket(session.SocketID)
	if err := r.adapters[on].Resume(r.t.Context(), s, session); err != nil {
		return "", err
	}
	s.Flush()
	return names(s), nil
}

func TestRecoveryOnAnotherServer(t *testing.T) {
	recoveryBubble(t, 3, func(t *testing.T, r *recovering) {
		s := r.socket(0, "s", "red")
		r.emit(1, "seen", "red")
		offset := r.cut(0, s)
		r.emit(0, "a", "red")
		synctest.Wait()
		r.emit(1, "b", "blue")
		r.emit(1, "c", "s")
		synctest.Wait()
		r.emit(2, "d")
		synctest.Wait()
		if got, err := r.back(2, "s", offset); err != nil || got != "a c d" {
			t.Errorf("replayed %q, %v", got, err)
		}
		if _, err := r.back(0, "s", offset); !errors.Is(err, adapter.ErrUnrecoverable) {
			t.Errorf("taken twice: %v", err)
		}
	})
}

// A log that does not answer holds up this server's sockets for a second, once.
// Who was sent something without an offset can't be recovered until an offset
// reaches it, and not with one from before.
func TestFrozenLog(t *testing.T) {
	recoveryBubble(t, 2, func(t *testing.T, r *recovering) {
		early, late := r.socket(0, "early"), r.socket(0, "late")
		there := r.socket(1, "there")
		r.emit(0, "before")
		synctest.Wait()
		old := offsetOf(late)
		thaw := r.ends[0].freeze()
		r.emit(0, "first")
		synctest.Wait()
		if got := names(early); got != "before" {
			t.Errorf("without its offset, %q went out at once", got)
		}
		<-time.After(time.Second)
		synctest.Wait()
		if got := names(early); got != "before first" {
			t.Errorf("after a second: %q", got)
		}
		r.emit(0, "second")
		if got := names(early); got != "before first second" {
			t.Errorf("the log is known to be frozen, and there is %q", got)
		}
		r.cut(0, early)
		if _, err := r.back(0, "early", old); !errors.Is(err, adapter.ErrUnrecoverable) {
			t.Errorf("its client has packets without offsets, and: %v", err)
		}
		thaw()
		synctest.Wait()
		if got := names(there); got != "before first second" {
			t.Errorf("the other server, when the log works again: %q", got)
		}
		if got := names(late); got != "before first second" {
			t.Errorf("here: %q", got)
		}
		r.emit(1, "fresh")
		offset := r.cut(0, late)
		r.emit(1, "missed")
		synctest.Wait()
		if got, err := r.back(1, "late", offset); err != nil || got != "missed" {
			t.Errorf("with a fresh offset: %q, %v", got, err)
		}
	})
	recoveryBubble(t, 1, func(t *testing.T, r *recovering) {
		s := r.socket(0, "s")
		r.emit(0, "before")
		synctest.Wait()
		old := offsetOf(s)
		thaw := r.ends[0].freeze()
		r.emit(0, "first")
		<-time.After(2 * time.Second)
		thaw()
		synctest.Wait()
		r.emit(0, "fresh")
		r.cut(0, s)
		if _, err := r.back(0, "s", old); !errors.Is(err, adapter.ErrUnrecoverable) {
			t.Errorf("an offset from before what came without one: %v", err)
		}
	})
}

// What a log refuses is appended again, and what comes twice is delivered once.
func TestAppendAgain(t *testing.T) {
	recoveryBubble(t, 2, func(t *testing.T, r *recovering) {
		here, there := r.socket(0, "here"), r.socket(1, "there")
		r.emit(0, "seen")
		gone := r.socket(0, "gone")
		r.emit(0, "last")
		offset := r.cut(0, gone)
		r.ends[0].refuse, r.ends[0].mislead = 3, 0
		r.emit(0, "refused")
		<-time.After(3 * time.Second)
		r.ends[0].mislead = 3
		r.emit(0, "repeated")
		<-time.After(3 * time.Second)
		r.emit(0, "after")
		synctest.Wait()
		for _, s := range []*adaptertest.Socket{here, there} {
			if got := names(s); got != "seen last refused repeated after" {
				t.Errorf("%s: %q", s.ID(), got)
			}
		}
		if got, err := r.back(1, "gone", offset); err != nil || got != "refused repeated after" {
			t.Errorf("replayed %q, %v", got, err)
		}
	})
}

// Everything that goes to a socket keeps its order, offsets or not.
func TestOrderBehindTheLog(t *testing.T) {
	recoveryBubble(t, 2, func(t *testing.T, r *recovering) {
		s := r.socket(0, "s")
		thaw := r.ends[0].freeze()
		r.emit(0, "1")
		if err := r.adapters[0].Broadcast(event("2"), adapter.Selection{Flags: adapter.Volatile}); err != nil {
			t.Error(err)
		}
		withID := event("3")
		withID.HasID, withID.ID = true, 7
		if err := r.adapters[0].Send(s, withID, 0); err != nil {
			t.Error(err)
		}
		if err := r.adapters[0].Broadcast(event("4"), adapter.Selection{Flags: adapter.LocalOnly}); err != nil {
			t.Error(err)
		}
		if err := r.adapters[0].DisconnectAll(adapter.Selection{}, false); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if got := names(s); got != "" {
			t.Errorf("%q has overtaken what waits for its offset", got)
		}
		thaw()
		synctest.Wait()
		if got := names(s); got != "1 2 3 4" {
			t.Errorf("order: %q", got)
		}
	})
}

// A session that an official adapter has saved has no trail: what its rooms at the
// end have got since the offset is replayed.
func TestOfficialSession(t *testing.T) {
	recoveryBubble(t, 1, func(t *testing.T, r *recovering) {
		witness := r.socket(0, "witness", "red")
		r.emit(0, "seen", "red")
		synctest.Wait()
		offset := offsetOf(witness)
		r.emit(0, "missed", "red")
		r.emit(0, "not in blue", "blue")
		r.emit(0, "own", "s")
		synctest.Wait()
		session := &cluster.SavedSession{SocketID: "s", PrivateID: "p-s", Rooms: []string{"s", "red"}, Data: []byte(`{"a":1}`)}
		for bad, want := range map[string]bool{"": false, "1-0x": false, offset: true} {
			if err := r.log.SaveSession(t.Context(), session, time.Minute); err != nil {
				t.Fatal(err)
			}
			got, err := r.back(0, "s", bad)
			if ok := err == nil && got == "missed own"; ok != want {
				t.Errorf("offset %q: %q, %v", bad, got, err)
			}
		}
	})
}

// What the log has dropped can't be replayed, so the session is not recovered.
func TestTrimmedLog(t *testing.T) {
	recoveryBubble(t, 1, func(t *testing.T, r *recovering) {
		s := r.socket(0, "s")
		r.emit(0, "seen")
		offset := r.cut(0, s)
		for i := range 200 {
			r.emit(0, fmt.Sprint(i), "elsewhere")
		}
		synctest.Wait()
		if _, err := r.back(0, "s", offset); !errors.Is(err, cluster.ErrTrimmed) || !errors.Is(err, adapter.ErrUnrecoverable) {
			t.Errorf("error %v", err)
		}
	})
}

func TestOffset(t *testing.T) {
	for _, text := range []string{"0-0", "1526919030474-55", "18446744073709551615-18446744073709551615"} {
		o, err := cluster.ParseOffset(text)
		if err != nil || o.String() != text {
			t.Errorf("%q is read as %v, %v", text, o, err)
		}
	}
	for _, text := range []string{"", "-", "1", "1-", "-1", "01-1", "+1-1", "1-1 ", "1-1-1", "1-18446744073709551616", "x-1"} {
		if o, err := cluster.ParseOffset(text); err == nil {
			t.Errorf("%q is read as %v", text, o)
		}
	}
	list := []cluster.Offset{{}, {Minor: 1}, {Major: 1}, {Major: 1, Minor: 9}, {Major: 2}}
	for i, a := range list {
		for j, b := range list {
			if diff := cmp.Diff(i > j, a.After(b)); diff != "" {
				t.Errorf("%v after %v: %s", a, b, diff)
			}
		}
	}
}
