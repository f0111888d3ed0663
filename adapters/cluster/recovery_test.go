package cluster_test

import (
	"testing"
	"time"

	"github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/socketio/adapter"
	"github.com/siokit/siokit/socketio/adapter/adaptertest"
)

func TestRecovering(t *testing.T) {
	adaptertest.RunCluster(t, adaptertest.Cluster{
		Servers: 3, Within: 5 * time.Second,
		Start: func(testing.TB) adapter.New {
			return cluster.New(cluster.Config{Bus: &cluster.MemoryLog{}, MaxDisconnection: time.Minute})
		},
	})
}

func TestLogWithoutRecovery(t *testing.T) {
	adaptertest.RunCluster(t, adaptertest.Cluster{
		Servers: 3, Within: 5 * time.Second,
		Start: func(testing.TB) adapter.New { return cluster.New(cluster.Config{Bus: &cluster.MemoryLog{}}) },
	})
}
