package cluster_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio/adapter"
)

func TestSilentServerIsNamed(t *testing.T) {
	bubble(t, 3, cluster.Config{}, func(t *testing.T, r *rig) {
		for i := range 3 {
			r.socket(i, string(rune('a'+i)))
			r.servers[i].OnEvent = func(_ *sioparser.Packet, reply func(sioparser.Args)) { reply(sioparser.Args{}) }
		}
		r.ends[2].cut.Store(true)
		for what, ask := range map[string]func(context.Context) (int, error){
			"Fetch":         func(ctx context.Context) (int, error) { return count(r.adapters[0].Fetch(ctx, adapter.Selection{})) },
			"ServerEmitAck": func(ctx context.Context) (int, error) { return count(r.adapters[0].ServerEmitAck(ctx, event("x"))) },
		} {
			want := map[string]int{"Fetch": 2, "ServerEmitAck": 1}[what]
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			began := time.Now()
			n, err := ask(ctx)
			cancel()
			p := partial(t, err)
			if n != want || time.Since(began) != time.Second || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: %d answers after %v, %v; want %d after the deadline", what, n, time.Since(began), err, want)
			}
			if diff := cmp.Diff([]string{"n2"}, p.Nodes); diff != "" {
				t.Errorf("%s: missing servers (-want +got):\n%s", what, diff)
			}
		}
	})
}

func TestRequestTimeoutIsFiveSeconds(t *testing.T) {
	bubble(t, 2, cluster.Config{}, func(t *testing.T, r *rig) {
		began := time.Now()
		_, err := count(r.adapters[0].ServerEmitAck(t.Context(), event("nobody-answers")))
		if d := time.Since(began); d != 5*time.Second || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("ended after %v with %v", d, err)
		}
	})
}

func TestRequestEndsWhenServerFallsSilent(t *testing.T) {
	bubble(t, 2, cluster.Config{RequestTimeout: time.Minute}, func(t *testing.T, r *rig) {
		r.ends[1].cut.Store(true)
		began := time.Now()
		_, err := count(r.adapters[0].ServerEmitAck(t.Context(), event("x")))
		if d := time.Since(began); d > 12*time.Second || !errors.Is(err, cluster.ErrSilent) {
			t.Errorf("ended after %v with %v", d, err)
		}
		if diff := cmp.Diff([]string{"n1"}, partial(t, err).Nodes); diff != "" {
			t.Errorf("missing servers (-want +got):\n%s", diff)
		}
	})
}

func TestRequestEndsWhenServerLeaves(t *testing.T) {
	bubble(t, 3, cluster.Config{}, func(t *testing.T, r *rig) {
		r.servers[1].OnEvent = func(_ *sioparser.Packet, reply func(sioparser.Args)) { reply(sioparser.Args{}) }
		time.AfterFunc(time.Second, func() {
			if err := r.adapters[2].Close(context.Background()); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
		began := time.Now()
		n, err := count(r.adapters[0].ServerEmitAck(t.Context(), event("x")))
		if d := time.Since(began); n != 1 || err != nil || d != time.Second {
			t.Errorf("%d answers after %v, %v; want 1 when the other server has left", n, d, err)
		}
	})
}

// A server that leaves while the bus is asked how many there are is not waited for.
func TestRequestBeginsWhileAServerLeaves(t *testing.T) {
	bubble(t, 3, cluster.Config{CountSubscribers: true}, func(t *testing.T, r *rig) {
		r.servers[1].OnEvent = func(_ *sioparser.Packet, reply func(sioparser.Args)) { reply(sioparser.Args{}) }
		r.ends[0].counting = func() {
			if err := r.adapters[2].Close(context.Background()); err != nil {
				t.Errorf("Close: %v", err)
			}
			synctest.Wait()
		}
		began := time.Now()
		n, err := count(r.adapters[0].ServerEmitAck(t.Context(), event("x")))
		if d := time.Since(began); n != 1 || err != nil || d != 0 {
			t.Errorf("%d answers after %v, %v; want 1 at once", n, d, err)
		}
	})
}

// Sockets that a leaving server had counted can't answer any more.
func TestAckOfLeavingServer(t *testing.T) {
	bubble(t, 2, cluster.Config{}, func(t *testing.T, r *rig) {
		r.socket(1, "silent")
		time.AfterFunc(time.Second, func() {
			if err := r.adapters[1].Close(context.Background()); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
		began := time.Now()
		_, err := count(r.adapters[0].BroadcastAck(t.Context(), event("x"), adapter.Selection{}))
		p := partial(t, err)
		if d := time.Since(began); d != time.Second || !errors.Is(err, adapter.ErrGone) || p.MoreSockets != 1 || len(p.Nodes) != 0 {
			t.Errorf("ended after %v with %v, %+v", d, err, p)
		}
	})
}

func TestAckOfSocketThatGoes(t *testing.T) {
	bubble(t, 2, cluster.Config{}, func(t *testing.T, r *rig) {
		s := r.socket(1, "s")
		time.AfterFunc(time.Second, s.Go)
		began := time.Now()
		_, err := count(r.adapters[0].BroadcastAck(t.Context(), event("x"), adapter.Selection{}))
		p := partial(t, err)
		if d := time.Since(began); d != time.Second || !errors.Is(err, adapter.ErrGone) {
			t.Errorf("ended after %v with %v", d, err)
		}
		if diff := cmp.Diff([]string{"s"}, p.Sockets); diff != "" {
			t.Errorf("missing sockets (-want +got):\n%s", diff)
		}
	})
}

// An official adapter asks without "detail" and is told nothing that it doesn't
// know.
// TestAckReachesServersThatNobodyKnows: one that has just come, and has not been
// heard of yet, has sockets too.
func TestAckReachesServersThatNobodyKnows(t *testing.T) {
	bubble(t, 1, cluster.Config{}, func(t *testing.T, r *rig) {
		seen := r.spy("socket.io#/#")
		if n, err := count(r.adapters[0].BroadcastAck(t.Context(), event("question"), adapter.Selection{})); n != 0 || err != nil {
			t.Error(n, err)
		}
		if list := seen(); len(list) != 1 || !strings.Contains(list[0], "question") {
			t.Errorf("published: %q", list)
		}
	})
}

func TestAckForOfficialAdapter(t *testing.T) {
	bubble(t, 1, cluster.Config{}, func(t *testing.T, r *rig) {
		seen := r.spy("socket.io#/#node#")
		a, b := r.socket(0, "a"), r.socket(0, "b")
		r.raw("socket.io#/#", `{"uid":"node","nsp":"/","type":3,"data":{"requestId":"r1","opts":{"rooms":[],"except":[],"flags":{"timeout":1000,"broadcast":true}},"packet":{"type":2,"data":["ask",1]}}}`)
		synctest.Wait()
		args, err := sioparser.ParseArgs([]byte(`["yes","more"]`), nil)
		if err != nil {
			t.Fatal(err)
		}
		if !a.Reply(a.Received()[0].ID, args) {
			t.Error("the acknowledgement of a is not awaited")
		}
		b.Go()
		<-time.After(time.Second)
		want := []string{
			`{"uid":"n0","nsp":"/","type":11,"data":{"requestId":"r1","clientCount":2}}`,
			`{"uid":"n0","nsp":"/","type":12,"data":{"requestId":"r1","packet":"yes"}}`,
		}
		if diff := cmp.Diff(want, seen()); diff != "" {
			t.Errorf("responses (-want +got):\n%s", diff)
		}
	})
}

func TestAckIsForgottenAfterTheAskersTimeout(t *testing.T) {
	bubble(t, 1, cluster.Config{}, func(t *testing.T, r *rig) {
		s := r.socket(0, "s")
		for _, flags := range []string{`"timeout":1000`, ``} {
			r.raw("socket.io#/#", `{"uid":"node","nsp":"/","type":3,"data":{"requestId":"r1","opts":{"rooms":[],"except":[],"flags":{`+flags+`}},"packet":{"type":2,"data":["ask"]}}}`)
		}
		for _, step := range []struct {
			until time.Duration
			want  int
		}{{999 * time.Millisecond, 2}, {2 * time.Millisecond, 1}, {3 * time.Second, 1}, {time.Second, 0}} {
			<-time.After(step.until)
			synctest.Wait()
			if n := s.Awaited(); n != step.want {
				t.Errorf("after %v more: %d awaited, want %d", step.until, n, step.want)
			}
		}
	})
}

func TestCloseEndsRequests(t *testing.T) {
	bubble(t, 2, cluster.Config{}, func(t *testing.T, r *rig) {
		r.socket(0, "silent")
		asked := r.socket(1, "asked")
		time.AfterFunc(time.Second, func() {
			if err := r.adapters[0].Close(context.Background()); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
		_, err := count(r.adapters[0].BroadcastAck(t.Context(), event("x"), adapter.Selection{}))
		if p := partial(t, err); !errors.Is(err, adapter.ErrClosed) || len(p.Sockets) != 1 || len(p.Nodes) != 1 {
			t.Errorf("error %v, %+v", err, p)
		}
		if n := asked.Awaited(); n != 1 {
			t.Errorf("the other server awaits %d acknowledgements before its deadline, want 1", n)
		}
		if err := r.adapters[1].Close(t.Context()); err != nil {
			t.Errorf("Close: %v", err)
		}
		if n := asked.Awaited(); n != 0 {
			t.Errorf("%d acknowledgements are awaited after Close", n)
		}
		_, err = count(r.adapters[0].ServerEmitAck(t.Context(), event("x")))
		if !errors.Is(err, adapter.ErrClosed) {
			t.Errorf("a request after Close: %v", err)
		}
	})
}

// Nothing is remembered of a request that is over, on either side.
func TestNothingPendingAfterRequests(t *testing.T) {
	bubble(t, 2, cluster.Config{}, func(t *testing.T, r *rig) {
		s := r.socket(1, "s")
		r.socket(1, "in-no-room")
		answer := func() {
			synctest.Wait()
			if _, asked := r.adapters[1].Pending(); asked != 1 {
				t.Errorf("%d broadcasts wait for acknowledgements, want 1", asked)
			}
			s.Reply(s.Received()[len(s.Received())-1].ID, sioparser.Args{})
		}
		done := make(chan struct{})
		go func() { // ends with the request
			defer close(done)
			if n, err := count(r.adapters[0].BroadcastAck(t.Context(), event("x"), adapter.Selection{Rooms: []string{"s"}})); n != 1 || err != nil {
				t.Errorf("%d replies, %v", n, err)
			}
		}()
		answer()
		<-done
		if _, err := count(r.adapters[0].BroadcastAck(t.Context(), event("x"), adapter.Selection{Rooms: []string{"nobody"}})); err != nil {
			t.Error(err)
		}
		if _, err := count(r.adapters[0].Fetch(t.Context(), adapter.Selection{})); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		for i, a := range r.adapters {
			if requests, asked := a.Pending(); requests+asked != 0 {
				t.Errorf("server %d: %d requests and %d broadcasts are pending", i, requests, asked)
			}
		}
	})
}

// renaming is a codec that changes the ids of requests in the messages that it is
// given.
type renaming struct{ cluster.Codec }

func (c renaming) Append(dst []byte, m *cluster.Message) ([]byte, error) {
	dst, err := c.Codec.Append(dst, m)
	m.RequestID = "changed"
	return dst, err
}

// A request is forgotten under the id that it was noted with.
func TestNothingPendingWhateverTheCodecDoes(t *testing.T) {
	bubble(t, 2, cluster.Config{Codec: renaming{cluster.JSON}}, func(t *testing.T, r *rig) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		for range 100 {
			for range r.adapters[0].Fetch(ctx, adapter.Selection{}) {
			}
		}
		if requests, _ := r.adapters[0].Pending(); requests != 0 {
			t.Errorf("%d requests are pending", requests)
		}
	})
}
