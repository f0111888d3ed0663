package cluster_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/socketio/adapter"
	"github.com/siokit/siokit/socketio/adapter/adaptertest"
)

// numbered runs a server over a log to which f appends what "a" would write.
func numbered(t *testing.T, f func(t *testing.T, config cluster.Config, write func(serial uint64, name string), s *adaptertest.Socket)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		log := new(cluster.MemoryLog)
		config := cluster.Config{Bus: log, MaxDisconnection: time.Minute, Logger: slog.New(slog.DiscardHandler), UID: "b"}
		b, err := cluster.New(config)(adaptertest.NewServer("/"))
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close(t.Context())
		s := adaptertest.NewSocket("s")
		if err := b.Join(s, "s"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		f(t, config, func(serial uint64, name string) {
			data, err := cluster.JSON.Append(nil, &cluster.Message{Type: cluster.Broadcast, UID: "a", Namespace: "/", Serial: serial, Name: []byte(name)})
			if err == nil {
				_, err = log.Append(t.Context(), "/", [][]byte{data})
			}
			if err != nil {
				t.Error(err)
			}
			synctest.Wait()
		}, s)
	})
}

// A log may refuse one message and take the next: it is delivered when it comes, and
// nothing twice.
func TestSerialsOutOfOrder(t *testing.T) {
	numbered(t, func(t *testing.T, _ cluster.Config, write func(uint64, string), s *adaptertest.Socket) {
		for _, n := range []uint64{10, 12, 11, 12, 13, 10, 2000, 13, 1500, 2000} {
			write(n, fmt.Sprint(n))
		}
		if got := names(s); got != "10 12 11 13 2000 1500" {
			t.Error(got)
		}
	})
}

// A server that comes back under its name, on a machine whose clock is behind, is
// heard at once.
func TestSerialsOfAClockBehind(t *testing.T) {
	numbered(t, func(t *testing.T, config cluster.Config, write func(uint64, string), s *adaptertest.Socket) {
		write(uint64(time.Now().Add(30*time.Second).UnixMicro()), "before")
		config.UID = "a"
		a, err := cluster.New(config)(adaptertest.NewServer("/"))
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close(t.Context())
		synctest.Wait()
		for i := range 3 {
			if err := a.Broadcast(event(fmt.Sprint("after", i)), adapter.Selection{}); err != nil {
				t.Error(err)
			}
			synctest.Wait()
		}
		if got := names(s); got != "before after0 after1 after2" {
			t.Error(got)
		}
	})
}

// A local broadcast with acknowledgement does not overtake what was sent before it.
func TestLocalAckKeepsOrder(t *testing.T) {
	recoveryBubble(t, 1, func(t *testing.T, r *recovering) {
		a := r.adapters[0]
		s := adaptertest.NewSocket("s")
		if err := a.Join(s, "s"); err != nil {
			t.Fatal(err)
		}
		thaw := r.ends[0].freeze()
		if err := a.Broadcast(event("one"), adapter.Selection{}); err != nil {
			t.Error(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range a.BroadcastAck(ctx, event("two"), adapter.Selection{Flags: adapter.LocalOnly}) {
			}
		}()
		<-time.After(100 * time.Millisecond)
		thaw()
		<-done
		if got := names(s); got != "one two" {
			t.Error(got)
		}
	})
}

// described is a server whose sockets have much to say of themselves.
type described struct{ *adaptertest.Server }

func (described) Describe(adapter.Socket) (handshake, data []byte, err error) {
	return []byte(`{"headers":"` + string(bytes.Repeat([]byte("h"), 1000)) + `"}`), []byte(`{}`), nil
}

// A response may be larger than what may wait for the bus.
func TestFetchMoreThanMayWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := new(cluster.MemoryBus)
		config := cluster.Config{Bus: bus, UID: "a", MaxQueued: 1 << 20, Logger: slog.New(slog.DiscardHandler)}
		a, err := cluster.New(config)(adaptertest.NewServer("/"))
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close(t.Context())
		config.UID = "b"
		b, err := cluster.New(config)(described{adaptertest.NewServer("/")})
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close(t.Context())
		const many = 2000
		for i := range many {
			if err := b.Join(adaptertest.NewSocket(fmt.Sprint("s", i))); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if n, err := count(a.(adapter.Fetcher).Fetch(t.Context(), adapter.Selection{})); n != many || err != nil {
			t.Error(n, err)
		}
	})
}
