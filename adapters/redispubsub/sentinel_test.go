package redispubsub_test

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/siokit/siokit/adapters/redispubsub/redistest"
)

// TestSentinelFailsOver has servers, in every mode, that know a sentinel only: they
// reach each other through the master that it names, and through its successor.
func TestSentinelFailsOver(t *testing.T) {
	master := redistest.Start(t)
	replica := redistest.StartReplica(t, master)
	await := func(what string, ok func() bool) {
		t.Helper()
		for deadline := time.Now().Add(20 * time.Second); !ok(); <-time.After(20 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("not within 20 s: %s", what)
			}
		}
	}
	follower := replica.Open(t)
	await("the replica follows", func() bool {
		info, err := follower.Info(t.Context(), "replication").Result()
		return err == nil && strings.Contains(info, "master_link_status:up")
	})
	sentinel := redistest.StartSentinel(t, "main", master, 300*time.Millisecond)
	ask := redis.NewSentinelClient(&redis.Options{Addr: sentinel.Addr})
	t.Cleanup(func() { _ = ask.Close() })
	await("the sentinel knows the replica", func() bool {
		replicas, err := ask.Replicas(t.Context(), "main").Result()
		return err == nil && len(replicas) == 1
	})

	var pairs []*pair
	for _, config := range modes {
		pairs = append(pairs, pairOf(t, func() redis.UniversalClient {
			client := redis.NewUniversalClient(&redis.UniversalOptions{
				MasterName: "main", Addrs: []string{sentinel.Addr},
				MaxRetries: -1, DialTimeout: time.Second, ReadTimeout: time.Second,
				MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
			})
			t.Cleanup(func() { _ = client.Close() })
			return client
		}, config))
	}

	began := time.Now()
	master.Kill()
	for _, p := range pairs { // this server's sockets notice nothing
		p.send()
	}
	_, port, _ := net.SplitHostPort(replica.Addr)
	await("the sentinel has made the replica the master", func() bool {
		at, err := ask.GetMasterAddrByName(t.Context(), "main").Result()
		return err == nil && len(at) == 2 && at[1] == port
	})
	t.Logf("the sentinel took %v", time.Since(began).Round(time.Millisecond))
	for _, p := range pairs {
		p.until("they reach each other through the new master", 10*time.Second, p.reaches)
		p.ordered()
	}
	t.Logf("everybody was back after %v", time.Since(began).Round(time.Millisecond))
}
