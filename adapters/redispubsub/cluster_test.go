package redispubsub_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/siokit/siokit/adapters/redispubsub"
	"github.com/siokit/siokit/adapters/redispubsub/redistest"
	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio/adapter"
	"github.com/siokit/siokit/socketio/adapter/adaptertest"
)

// startCluster starts a Redis Cluster of three servers without replicas.
func startCluster(t *testing.T) []*redistest.Server {
	t.Helper()
	const slots = 16384
	var servers []*redistest.Server
	var clients []*redis.Client
	for i := range 3 {
		s := redistest.Start(t, "--cluster-enabled", "yes", "--cluster-port", fmt.Sprint(freePort(t)))
		servers = append(servers, s)
		client := s.Open(t)
		clients = append(clients, client)
		if err := client.ClusterAddSlotsRange(t.Context(), i*slots/3, (i+1)*slots/3-1).Err(); err != nil {
			t.Fatal(err)
		}
	}
	for i, client := range clients[1:] {
		host, port, _ := net.SplitHostPort(servers[i+1].Addr)
		bus, err := client.ConfigGet(t.Context(), "cluster-port").Result()
		if err != nil {
			t.Fatal(err)
		}
		if err := clients[0].Do(t.Context(), "cluster", "meet", host, port, bus["cluster-port"]).Err(); err != nil {
			t.Fatal(err)
		}
	}
	for deadline := time.Now().Add(30 * time.Second); ; <-time.After(20 * time.Millisecond) {
		ready := 0
		for _, client := range clients {
			info, err := client.ClusterInfo(t.Context()).Result()
			if err == nil && strings.Contains(info, "cluster_state:ok") && strings.Contains(info, "cluster_known_nodes:3") {
				ready++
			}
		}
		if ready == len(servers) {
			return servers
		}
		if time.Now().After(deadline) {
			t.Fatal("the Redis Cluster is not ready")
		}
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// TestRedisCluster has rooms whose channels are on different servers of a Redis
// Cluster, in every mode.
func TestRedisCluster(t *testing.T) {
	servers := startCluster(t)
	var addrs []string
	for _, s := range servers {
		addrs = append(addrs, s.Addr)
	}
	for name, config := range modes {
		t.Run(name, func(t *testing.T) {
			config.Prefix, config.Logger = freshPrefix(), slog.New(slog.DiscardHandler)
			var adapters []*redispubsub.Adapter
			var sockets []*adaptertest.Socket
			for i := range 2 {
				client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: addrs})
				t.Cleanup(func() { _ = client.Close() })
				config := config
				config.Client = client
				a, err := redispubsub.New(config)(adaptertest.NewServer("/"))
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() {
					ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
					defer cancel()
					if err := a.Close(ctx); err != nil {
						t.Error(err)
					}
				})
				adapters = append(adapters, a.(*redispubsub.Adapter))
				s := adaptertest.NewSocket(fmt.Sprint("socket", i))
				sockets = append(sockets, s)
				rooms := []string{s.ID()}
				for r := range 12 {
					rooms = append(rooms, fmt.Sprint("room", r))
				}
				if err := a.Join(s, rooms...); err != nil {
					t.Fatal(err)
				}
			}
			for r := range 13 {
				sel := adapter.Selection{Rooms: []string{fmt.Sprint("room", r)}}
				if r == 12 {
					sel = adapter.Selection{}
				}
				before := len(sockets[1].Received())
				for deadline := time.Now().Add(20 * time.Second); len(sockets[1].Received()) == before; <-time.After(5 * time.Millisecond) {
					if err := adapters[0].Broadcast(&sioparser.Packet{Type: sioparser.Event, Name: []byte("x")}, sel); err != nil {
						t.Fatal(err)
					}
					if time.Now().After(deadline) {
						t.Fatalf("%v is not reached", sel.Rooms)
					}
				}
			}
			for _, a := range adapters {
				if n, err := a.Servers(t.Context()); n != 2 || err != nil {
					t.Errorf("%d servers, %v", n, err)
				}
			}
			found := 0
			for _, err := range adapters[0].Fetch(t.Context(), adapter.Selection{}) {
				if err != nil {
					t.Fatal(err)
				}
				found++
			}
			if found != 2 {
				t.Errorf("%d sockets", found)
			}
		})
	}
}
