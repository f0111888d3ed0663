package cluster_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio/adapter"
	"github.com/siokit/siokit/socketio/adapter/adaptertest"
)

// pausing is a codec that calls a function before it writes messages of one type.
type pausing struct {
	cluster.Codec
	at    cluster.Type
	pause atomic.Pointer[func()]
}

func (p *pausing) Append(dst []byte, m *cluster.Message) ([]byte, error) {
	if m.Type == p.at {
		if f := p.pause.Swap(nil); f != nil {
			(*f)()
		}
	}
	return p.Codec.Append(dst, m)
}

// A heartbeat that is due while a server says goodbye does not follow it: the others
// would wait for the server until they give it up.
func TestNothingFollowsTheGoodbye(t *testing.T) {
	codec := &pausing{Codec: cluster.JSON, at: cluster.Heartbeat}
	bubble(t, 1, cluster.Config{}, func(t *testing.T, r *rig) {
		leaving := r.add(cluster.Config{Codec: codec})
		synctest.Wait()
		pause := func() {
			go func() {
				if err := leaving.Close(t.Context()); err != nil {
					t.Errorf("Close: %v", err)
				}
			}()
			synctest.Wait()
		}
		codec.pause.Store(&pause)
		<-time.After(6 * time.Second)
		synctest.Wait()
		if codec.pause.Load() != nil {
			t.Fatal("no heartbeat was due")
		}
		if list := r.adapters[0].Nodes(); len(list) > 0 {
			t.Errorf("it has left, and the others know of %q", list)
		}
	})
}

// lagging is one server's end of a log that gets its entries, or what is on its own
// topic, late.
type lagging struct {
	*cluster.MemoryLog
	entries, answers chan struct{} // closed when they may come; nil: at once
}

type lateFollower struct {
	cluster.Follower
	gate chan struct{}
}

func (f lateFollower) Entry(e cluster.Entry) {
	<-f.gate
	f.Follower.Entry(e)
}

func (l *lagging) Follow(namespace string, f cluster.Follower) (func(), error) {
	if l.entries != nil {
		f = lateFollower{f, l.entries}
	}
	return l.MemoryLog.Follow(namespace, f)
}

func (l *lagging) Subscribe(topic string, receive func([]byte)) (func(), error) {
	if l.answers != nil && strings.Count(topic, "#") > 2 {
		now := receive
		receive = func(data []byte) {
			<-l.answers
			now(data)
		}
	}
	return l.MemoryLog.Subscribe(topic, receive)
}

// lagged runs two servers; what comes to the first may be late.
func lagged(t *testing.T, end *lagging, f func(t *testing.T, a, b *cluster.Adapter, there *adaptertest.Server)) {
	t.Helper()
	start := func(bus cluster.Bus, uid string) (*cluster.Adapter, *adaptertest.Server) {
		sv := adaptertest.NewServer("/")
		made, err := cluster.New(cluster.Config{Bus: bus, UID: uid, Logger: slog.New(slog.DiscardHandler)})(sv)
		if err != nil {
			t.Fatal(err)
		}
		return made.(*cluster.Adapter), sv
	}
	a, _ := start(end, "a")
	b, there := start(end.MemoryLog, "b")
	synctest.Wait()
	f(t, a, b, there)
	for _, ad := range []*cluster.Adapter{a, b} {
		if err := ad.Close(t.Context()); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
}

// What a server has sent before its goodbye may come after it, over the log.
func TestEntryBehindGoodbye(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		end := &lagging{MemoryLog: new(cluster.MemoryLog), entries: make(chan struct{})}
		lagged(t, end, func(t *testing.T, a, b *cluster.Adapter, _ *adaptertest.Server) {
			if n := a.Nodes(); len(n) != 1 {
				t.Fatalf("a knows of %q", n)
			}
			if err := b.Broadcast(event("last"), adapter.Selection{}); err != nil {
				t.Error(err)
			}
			if err := b.Close(t.Context()); err != nil {
				t.Error(err)
			}
			synctest.Wait()
			close(end.entries)
			synctest.Wait()
			if n := a.Nodes(); len(n) > 0 {
				t.Errorf("b has left, and a knows of %q", n)
			}
		})
	})
}

// A server that has left is known again when it greets, and in the end also if its
// greeting is lost.
func TestBackAfterGoodbye(t *testing.T) {
	bubble(t, 2, cluster.Config{}, func(t *testing.T, r *rig) {
		back := func(m string) { r.raw("socket.io#/#", m); synctest.Wait() }
		for _, step := range []struct {
			wait time.Duration
			m    string
			want int
		}{
			{0, `{"uid":"x","nsp":"/","type":2}`, 2},
			{0, `{"uid":"x","nsp":"/","type":13}`, 1},
			{0, `{"uid":"x","nsp":"/","type":2}`, 1},
			{0, `{"uid":"x","nsp":"/","type":1}`, 2},
			{0, `{"uid":"x","nsp":"/","type":13}`, 1},
			{12 * time.Second, `{"uid":"x","nsp":"/","type":2}`, 2},
		} {
			<-time.After(step.wait)
			if back(step.m); len(r.adapters[0].Nodes()) != step.want {
				t.Errorf("after %s: %q", step.m, r.adapters[0].Nodes())
			}
		}
	})
}

// The answer of a server that leaves is not lost when the goodbye overtakes it.
func TestAnswerBehindGoodbye(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		end := &lagging{MemoryLog: new(cluster.MemoryLog), answers: make(chan struct{})}
		lagged(t, end, func(t *testing.T, a, b *cluster.Adapter, there *adaptertest.Server) {
			there.OnEvent = func(_ *sioparser.Packet, reply func(sioparser.Args)) { reply(sioparser.Args{}) }
			time.AfterFunc(time.Second, func() {
				if err := b.Close(t.Context()); err != nil {
					t.Error(err)
				}
				synctest.Wait()
				close(end.answers)
			})
			began := time.Now()
			n, err := count(a.ServerEmitAck(t.Context(), event("x")))
			if d := time.Since(began); n != 1 || err != nil || d != time.Second {
				t.Errorf("%d answers after %v, %v; want the one that b gave before it left", n, d, err)
			}
			if n := a.Nodes(); len(n) > 0 {
				t.Errorf("b has left, and a knows of %q", n)
			}
		})
	})
}

// Who closes an adapter that somebody else closes waits no longer than it wants to.
func TestCloseBesideClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ice := &iceBus{&cluster.MemoryBus{}, make(chan struct{})}
		a, err := cluster.New(cluster.Config{Bus: ice})(adaptertest.NewServer("/"))
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- a.Close(t.Context()) }()
		synctest.Wait()
		time.AfterFunc(time.Hour, func() { close(ice.frozen) })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if err := a.Close(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("the second Close: %v after %v", err, time.Since(began))
		}
		if err := <-done; err != nil {
			t.Errorf("the first: %v", err)
		}
		if err := a.Close(ctx); err != nil {
			t.Errorf("one more: %v", err)
		}
	})
}

// A client that has seen a packet does not get it again because the log holds it
// again, further on.
func TestRepetitionBehindTheOffset(t *testing.T) {
	recoveryBubble(t, 2, func(t *testing.T, r *recovering) {
		s := r.socket(0, "s")
		r.ends[1].mislead = 1
		r.emit(1, "once")
		synctest.Wait()
		offset := offsetOf(s)
		<-time.After(time.Second)
		r.emit(1, "lost on its way")
		r.cut(0, s)
		if got, err := r.back(0, "s", offset); err != nil || got != "lost on its way" {
			t.Errorf("replayed %q, %v", got, err)
		}
	})
}

// passing tells its followers of places, as logs do that other namespaces share.
type passing struct{ *cluster.MemoryLog }

type passingFollower struct{ cluster.Follower }

func (f passingFollower) Entry(e cluster.Entry) {
	f.Follower.Entry(e)
	f.Follower.(cluster.Passer).Passed(e.At)
}

func (p passing) Follow(namespace string, f cluster.Follower) (func(), error) {
	return p.MemoryLog.Follow(namespace, passingFollower{f})
}

func (p passing) Publish(ctx context.Context, topic string, data []byte) error {
	<-ctx.Done() // the goodbye is held up
	return ctx.Err()
}

// What a server does not hand on any more, because it is being closed, is missing for
// a client that it disconnects then.
func TestPassedWhileClosing(t *testing.T) {
	recoveryBubble(t, 1, func(t *testing.T, r *recovering) {
		made, err := cluster.New(cluster.Config{
			Bus: passing{r.log}, MaxDisconnection: time.Minute, Logger: slog.New(slog.DiscardHandler),
		})(adaptertest.NewServer("/"))
		if err != nil {
			t.Fatal(err)
		}
		closing := made.(cluster.Recovering)
		synctest.Wait()
		s := adaptertest.NewSocket("s")
		if err := closing.Join(s, "s"); err != nil {
			t.Fatal(err)
		}
		r.emit(0, "seen")
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		over := make(chan error, 1)
		go func() { over <- closing.Close(ctx) }()
		synctest.Wait()
		r.emit(0, "missed")
		synctest.Wait()
		if _, err := closing.Persist(s, adapter.Session{SocketID: "s", PrivateID: "p-s"}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got, err := r.back(0, "s", offsetOf(s)); err != nil || got != "missed" {
			t.Errorf("it had %q, and was replayed %q, %v", names(s), got, err)
		}
		cancel()
		if err := <-over; !errors.Is(err, context.Canceled) {
			t.Errorf("Close: %v", err)
		}
	})
}
