package cluster_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/siokit/siokit/adapters/cluster"
)

func TestServersMeetAtOnce(t *testing.T) {
	bubble(t, 3, cluster.Config{}, func(t *testing.T, r *rig) {
		for i, a := range r.adapters {
			if n, err := a.Servers(t.Context()); n != 3 || err != nil {
				t.Errorf("server %d knows of %d servers, %v", i, n, err)
			}
		}
		if diff := cmp.Diff([]string{"n0", "n2"}, r.adapters[1].Nodes()); diff != "" {
			t.Errorf("the others, as n1 sees them (-want +got):\n%s", diff)
		}
	})
}

func TestHeartbeatOnlyWhenSilent(t *testing.T) {
	bubble(t, 1, cluster.Config{}, func(t *testing.T, r *rig) {
		seen := r.spy("socket.io#/#")
		for range 4 {
			<-time.After(2 * time.Second)
			if err := r.broadcast(0, "x"); err != nil {
				t.Fatal(err)
			}
		}
		<-time.After(11 * time.Second)
		beats, packets := 0, 0
		for _, m := range seen() {
			switch {
			case strings.Contains(m, `"type":2`) && !strings.Contains(m, "packet"):
				beats++
			case strings.Contains(m, "packet"):
				packets++
			}
		}
		if beats != 2 || packets != 4 {
			t.Errorf("%d heartbeats and %d packets, want 2 (after 5 and 10 s of silence) and 4", beats, packets)
		}
	})
}

func TestSilentServerIsGivenUp(t *testing.T) {
	bubble(t, 3, cluster.Config{}, func(t *testing.T, r *rig) {
		r.ends[2].cut.Store(true)
		<-time.After(9 * time.Second)
		if n := len(r.adapters[0].Nodes()); n != 2 {
			t.Errorf("after 9 s of silence %d others are known, want 2", n)
		}
		<-time.After(3 * time.Second)
		if diff := cmp.Diff([]string{"n1"}, r.adapters[0].Nodes()); diff != "" {
			t.Errorf("after 12 s of silence (-want +got):\n%s", diff)
		}
		r.ends[2].cut.Store(false)
		<-time.After(6 * time.Second)
		if diff := cmp.Diff([]string{"n1", "n2"}, r.adapters[0].Nodes()); diff != "" {
			t.Errorf("when it is back (-want +got):\n%s", diff)
		}
	})
}

func TestGoodbye(t *testing.T) {
	bubble(t, 3, cluster.Config{}, func(t *testing.T, r *rig) {
		if err := r.adapters[2].Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if diff := cmp.Diff([]string{"n1"}, r.adapters[0].Nodes()); diff != "" {
			t.Errorf("after the goodbye (-want +got):\n%s", diff)
		}
	})
}

func TestEmitterIsNoServer(t *testing.T) {
	bubble(t, 1, cluster.Config{}, func(t *testing.T, r *rig) {
		s := r.socket(0, "s")
		r.raw("socket.io#/#", `{"uid":"emitter","nsp":"/","type":3,"data":{"opts":{"rooms":[],"except":[],"flags":{}},"packet":{"type":2,"data":["hi"]}}}`)
		synctest.Wait()
		if names(s) != "hi" || len(r.adapters[0].Nodes()) != 0 {
			t.Errorf("received %q; servers %q", names(s), r.adapters[0].Nodes())
		}
	})
}
