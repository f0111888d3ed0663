package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	natsgo "github.com/nats-io/nats.go"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	emit "github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/adapters/nats"
	"github.com/siokit/siokit/adapters/redisstreams"
	"github.com/siokit/siokit/socketio/adapter"
)

// bus is what connects the servers.
type bus interface {
	// join returns the adapters of the server of that name, on a connection of its
	// own, and what closes that when the server has ended.
	join(name string) (adapters adapter.New, leave func(), err error)
	// emitter is for a process without sockets; closing it closes its connection.
	emitter() (e *emit.Emitter, leave func(), err error)
}

// overNATS is a NATS server in this process, with JetStream in a temporary folder.
type overNATS struct {
	*server.Server
	dir string
}

func startNATS() (*overNATS, error) {
	dir, err := os.MkdirTemp("", "siokit-cluster")
	if err != nil {
		return nil, err
	}
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: dir, NoLog: true, NoSigs: true,
	})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	s.Start()
	b := &overNATS{s, dir}
	if !s.ReadyForConnections(10 * time.Second) {
		b.stop()
		return nil, errors.New("the NATS server has not started")
	}
	return b, nil
}

func (b *overNATS) stop() {
	b.Shutdown()
	b.WaitForShutdown()
	if err := os.RemoveAll(b.dir); err != nil {
		log.Print(err)
	}
}

func (b *overNATS) connect() (*natsgo.Conn, error) {
	return natsgo.Connect(b.ClientURL(), natsgo.MaxReconnects(-1), natsgo.ReconnectWait(250*time.Millisecond))
}

func (b *overNATS) join(name string) (adapter.New, func(), error) {
	conn, err := b.connect()
	if err != nil {
		return nil, nil, err
	}
	return nats.New(nats.Config{Conn: conn, UID: name, Recovery: &nats.Recovery{}}), conn.Close, nil
}

func (b *overNATS) emitter() (*emit.Emitter, func(), error) {
	conn, err := b.connect()
	if err != nil {
		return nil, nil, err
	}
	e, err := nats.NewEmitter(nats.Config{Conn: conn, Recovery: &nats.Recovery{}})
	return e, conn.Close, err
}

// overRedis is a Redis that runs already. Servers share one stream.
type overRedis struct{ addr string }

// findRedis returns the bus of the Redis at addr if that answers.
func findRedis(ctx context.Context, addr string) (overRedis, error) {
	b := overRedis{addr}
	client := b.client()
	defer client.Close()
	if err := client.Ping(ctx).Err(); err != nil {
		return b, fmt.Errorf("redis at %s: %w", addr, err)
	}
	return b, nil
}

func (b overRedis) client() *redis.Client {
	return redis.NewClient(&redis.Options{
		Addr: b.addr,
		// Notices of maintenance are for Redis Enterprise.
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
}

func (b overRedis) join(name string) (adapter.New, func(), error) {
	client := b.client()
	leave := func() { _ = client.Close() }
	return redisstreams.New(redisstreams.Config{Client: client, UID: name, MaxDisconnection: 2 * time.Minute}), leave, nil
}

func (b overRedis) emitter() (*emit.Emitter, func(), error) {
	client := b.client()
	e, err := redisstreams.NewEmitter(redisstreams.Config{Client: client})
	return e, func() { _ = client.Close() }, err
}
