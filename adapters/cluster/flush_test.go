package cluster_test

import (
	"testing"
	"testing/synctest"

	"github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/socketio/adapter"
)

// What comes while sockets are being written to is written together.
func TestMessagesFromTheBusAreFlushedTogether(t *testing.T) {
	bubble(t, 2, cluster.Config{}, func(t *testing.T, r *rig) {
		s := r.socket(1, "s", "red")
		writing, flushes := make(chan struct{}), 0
		r.servers[1].OnFlush = func(sockets []adapter.Socket) {
			flushes++
			if len(sockets) != 1 {
				t.Errorf("flushed %d sockets, there is one", len(sockets))
			}
			<-writing
		}
		for range 5000 {
			if err := r.broadcast(0, "x", "red"); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait() // all have arrived, the first is being written
		close(writing)
		synctest.Wait()
		if got := len(s.Received()); got != 5000 || flushes != 2 {
			t.Errorf("%d packets received in %d flushes, want 5000 in 2", got, flushes)
		}
	})
}
