package cluster_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/socketio/adapter"
	"github.com/siokit/siokit/socketio/adapter/adaptertest"
)

func TestRecovering(t *testing.T) {
	adaptertest.RunCluster(t, adaptertest.Cluster{
		Servers: 3, Within: 5 * time.Second,
		Start: func(testing.TB) adapter.New {
			return cluster.New(cluster.Config{Bus: &cluster.MemoryLog{}, MaxDisconnection: time.Minute, OffsetTimeout: 5 * time.Second})
		},
	})
}

func TestLogWithoutRecovery(t *testing.T) {
	adaptertest.RunCluster(t, adaptertest.Cluster{
		Servers: 3, Within: 5 * time.Second,
		Start: func(testing.TB) adapter.New { return cluster.New(cluster.Config{Bus: &cluster.MemoryLog{}}) },
	})
}

// A server that is started again under its name is heard from its first message
// on, live and in a replay.
func TestRestartUnderTheSameName(t *testing.T) {
	recoveryBubble(t, 2, func(t *testing.T, r *recovering) {
		s, stays := r.socket(1, "s"), r.socket(1, "stays")
		for _, name := range []string{"1", "2", "3"} {
			r.emit(0, name)
		}
		offset := r.cut(1, s)
		if err := r.adapters[0].Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Millisecond)
		r.start(0)
		synctest.Wait()
		for _, name := range []string{"4", "5", "6", "7"} {
			r.emit(0, name)
		}
		synctest.Wait()
		if got := names(stays); got != "1 2 3 4 5 6 7" {
			t.Errorf("live: %q", got)
		}
		if got, err := r.back(1, "s", offset); err != nil || got != "4 5 6 7" {
			t.Errorf("replayed %q, %v", got, err)
		}
	})
}

// A session belongs to the namespace that it was saved in; that of an official
// adapter does not say which one that is.
func TestSessionBelongsToItsNamespace(t *testing.T) {
	recoveryBubble(t, 1, func(t *testing.T, r *recovering) {
		elsewhere, err := cluster.New(cluster.Config{Bus: r.log, MaxDisconnection: time.Minute})(adaptertest.NewServer("/admin"))
		if err != nil {
			t.Fatal(err)
		}
		defer elsewhere.Close(t.Context())
		admin := elsewhere.(cluster.Recovering)
		s, kept := r.socket(0, "s"), r.socket(0, "kept")
		r.emit(0, "seen")
		offset := r.cut(0, s)
		if session, err := admin.Take(t.Context(), "p-s", offset); !errors.Is(err, adapter.ErrUnrecoverable) {
			t.Errorf("/admin takes a session of /: %+v, %v", session, err)
		}
		r.cut(0, kept)
		if session, err := r.adapters[0].Take(t.Context(), "p-kept", offset); err != nil || session.Unbound {
			t.Errorf("/ takes its own: %+v, %v", session, err)
		}
		official := &cluster.SavedSession{SocketID: "o", PrivateID: "p-o", Rooms: []string{"o"}}
		if err := r.log.SaveSession(t.Context(), official, time.Minute); err != nil {
			t.Fatal(err)
		}
		if session, err := r.adapters[0].Take(t.Context(), "p-o", offset); err != nil || !session.Unbound {
			t.Errorf("an official one: %+v, %v", session, err)
		}
	})
}
