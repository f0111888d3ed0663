package cluster_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/socketio/adapter"
)

// A server of the reference without heartbeats has a subscription and no name.
func TestCountSubscribersWaitsForServersWithoutHeartbeats(t *testing.T) {
	bubble(t, 2, cluster.Config{CountSubscribers: true}, func(t *testing.T, r *rig) {
		stop, err := r.bus.Subscribe("socket.io#/#", func([]byte) {})
		if err != nil {
			t.Fatal(err)
		}
		defer stop()
		if n, err := r.adapters[0].Servers(t.Context()); n != 3 || err != nil {
			t.Errorf("%d servers, %v", n, err)
		}
		r.socket(1, "s")
		n, err := count(r.adapters[0].Fetch(t.Context(), adapter.Selection{}))
		p := partial(t, err)
		if n != 1 || p.MoreNodes != 1 || len(p.Nodes) > 0 {
			t.Errorf("%d sockets, missing %+v", n, p)
		}

		// What it says once is no heartbeat: its silence afterwards is nothing.
		r.raw("socket.io#/#", `{"uid":"theirs","nsp":"/","type":3,"data":{"opts":{"rooms":[],"except":[],"flags":{}},"packet":{"type":2,"data":["x"]}}}`)
		<-time.After(time.Minute)
		if diff := cmp.Diff([]string{"n1"}, r.adapters[0].Nodes()); diff != "" {
			t.Errorf("nodes (-want +got):\n%s", diff)
		}

		// One of ours that has fallen silent has a name.
		r.ends[1].cut.Store(true)
		_, err = count(r.adapters[0].Fetch(t.Context(), adapter.Selection{}))
		if p := partial(t, err); p.MoreNodes != 1 || len(p.Nodes) != 1 || p.Nodes[0] != "n1" {
			t.Errorf("missing %+v", p)
		}
	})
}

// detour is a bus that has a topic of its own for a room.
type detour struct{ *cluster.MemoryBus }

func (d detour) Route(topic string, m *cluster.Message) string {
	if m.Type == cluster.Broadcast && len(m.Selection.Rooms) == 1 {
		return topic + m.Selection.Rooms[0]
	}
	return topic
}

func TestRouterPicksTheTopic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := &cluster.MemoryBus{}
		e, err := cluster.NewEmitter(cluster.EmitterConfig{Bus: detour{bus}})
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]int{}
		for _, topic := range []string{"socket.io#/#", "socket.io#/#red"} {
			stop, err := bus.Subscribe(topic, func([]byte) { seen[topic]++ })
			if err != nil {
				t.Fatal(err)
			}
			defer stop()
			if err := e.To("red").Emit("x"); err != nil {
				t.Error(err)
			}
			synctest.Wait()
		}
		if err := e.SocketsJoin("red"); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if diff := cmp.Diff(map[string]int{"socket.io#/#": 1, "socket.io#/#red": 1}, seen); diff != "" {
			t.Errorf("messages by topic (-want +got):\n%s", diff)
		}
	})
}

// nameless reads responses as a wire has them that doesn't name the sender.
type nameless struct{ cluster.Codec }

func (c nameless) Decode(data []byte, m *cluster.Message) error {
	err := c.Codec.Decode(data, m)
	switch m.Type {
	case cluster.FetchSocketsResponse, cluster.ServerSideEmitResponse, cluster.BroadcastClientCount, cluster.BroadcastAck:
		m.UID = cluster.Anonymous
	}
	return err
}

func TestAnonymousResponses(t *testing.T) {
	bubble(t, 3, cluster.Config{HeartbeatInterval: -1, Codec: nameless{cluster.JSON}}, func(t *testing.T, r *rig) {
		for i := range r.adapters {
			r.socket(i, string(rune('a'+i)))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		nodes := map[string]string{}
		for s, err := range r.adapters[0].Fetch(ctx, adapter.Selection{}) {
			if err != nil {
				t.Fatal(err)
			}
			nodes[s.ID] = s.Node
		}
		if diff := cmp.Diff(map[string]string{"a": "", "b": "*", "c": "*"}, nodes); diff != "" {
			t.Errorf("sockets and their servers (-want +got):\n%s", diff)
		}
	})
}
