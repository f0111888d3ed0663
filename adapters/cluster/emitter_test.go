package cluster_test

import (
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/socketio/adapter"
)

func TestEmitter(t *testing.T) {
	bubble(t, 2, cluster.Config{}, func(t *testing.T, r *rig) {
		in, out := r.socket(0, "in", "red"), r.socket(1, "out", "red", "blue")
		e, err := cluster.NewEmitter(cluster.EmitterConfig{Bus: r.bus})
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range []error{
			e.To("red").Emit("all", 1, []byte("x")),
			e.In("red").Except("blue").Volatile().Compress(false).Emit("some"),
			e.Of("/other").Emit("elsewhere"),
			e.To("blue").SocketsJoin("green"),
			e.To("green").Emit("moved"),
			e.To("green").SocketsLeave("green"),
			e.To("green").Emit("nobody"),
			e.To("red").DisconnectSockets(true),
			e.ServerSideEmit("servers", "a"),
		} {
			if err != nil {
				t.Error(err)
			}
		}
		synctest.Wait()
		if diff := cmp.Diff("all some", names(in)); diff != "" {
			t.Errorf("in red (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff("all moved", names(out)); diff != "" {
			t.Errorf("in red and blue (-want +got):\n%s", diff)
		}
		if got, want := in.Received()[1].Flags, adapter.Volatile|adapter.NoCompress; got != want {
			t.Errorf("flags %b, want %b", got, want)
		}
		for i, sv := range r.servers {
			if got := sv.Events(); len(got) != 1 || got[0].Name != "servers" || got[0].Args != `["a"]` {
				t.Errorf("server %d got server-side events %v", i, got)
			}
			if got := sv.Disconnected(); len(got) != 1 || !got[0].CloseConn {
				t.Errorf("server %d disconnected %v", i, got)
			}
		}
		if n, err := r.adapters[0].Servers(t.Context()); n != 2 || err != nil {
			t.Errorf("an emitter is counted as a server: %d, %v", n, err)
		}
	})
}

func TestEmitterRefuses(t *testing.T) {
	e, err := cluster.NewEmitter(cluster.EmitterConfig{Bus: &cluster.MemoryBus{}})
	if err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"a reserved name":      e.Emit("connect"),
		"a value without JSON": e.Emit("x", func() {}),
	} {
		if err == nil {
			t.Errorf("%s was sent", name)
		}
	}
	if _, err := cluster.NewEmitter(cluster.EmitterConfig{}); err == nil {
		t.Error("an emitter without a bus")
	}
}
