package main

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	natsgo "github.com/nats-io/nats.go"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/siokit/siokit/adapters/nats"
	"github.com/siokit/siokit/adapters/postgres"
	"github.com/siokit/siokit/adapters/redispubsub"
	"github.com/siokit/siokit/adapters/redisstreams"
	"github.com/siokit/siokit/socketio/adapter"
)

// busTime is how long a bus may take to answer at first.
const busTime = 5 * time.Second

// bus connects the /socket.io/ of this process with those of others.
type bus struct {
	adapter adapter.New // nil is this process alone
	close   func()
}

// openBus connects to the bus of an adapter, by the name that -adapter takes. An
// empty URL is the one at which such a server listens if nobody says otherwise.
func openBus(s settings) (bus, error) {
	ctx, cancel := context.WithTimeout(context.Background(), busTime)
	defer cancel()
	switch s.adapter {
	case "memory":
		return bus{close: func() {}}, nil
	case "redispubsub", "redisstreams":
		return openRedis(ctx, s)
	case "postgres":
		return openPostgres(ctx, s)
	case "nats":
		return openNATS(s)
	}
	return bus{}, fmt.Errorf("no adapter %q, there are memory, redispubsub, redisstreams, postgres and nats", s.adapter)
}

func openRedis(ctx context.Context, s settings) (bus, error) {
	options := &redis.Options{Addr: "127.0.0.1:6379"}
	if s.busURL != "" {
		var err error
		if options, err = redis.ParseURL(s.busURL); err != nil {
			return bus{}, err
		}
	}
	// Notices of maintenance are for Redis Enterprise.
	options.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	client := redis.NewClient(options)
	b := bus{close: func() { _ = client.Close() }}
	if err := client.Ping(ctx).Err(); err != nil {
		b.close()
		return bus{}, err
	}
	b.adapter = redispubsub.New(redispubsub.Config{Client: client})
	if s.adapter == "redisstreams" {
		b.adapter = redisstreams.New(redisstreams.Config{Client: client, MaxDisconnection: s.recovery})
	}
	return b, nil
}

func openPostgres(ctx context.Context, s settings) (bus, error) {
	pool, err := pgxpool.New(context.WithoutCancel(ctx), s.busURL)
	if err != nil {
		return bus{}, err
	}
	if err := postgres.CreateTable(ctx, pool, ""); err != nil {
		pool.Close()
		return bus{}, err
	}
	return bus{postgres.New(postgres.Config{Pool: pool}), pool.Close}, nil
}

func openNATS(s settings) (bus, error) {
	url := s.busURL
	if url == "" {
		url = natsgo.DefaultURL
	}
	conn, err := natsgo.Connect(url, natsgo.Timeout(busTime), natsgo.MaxReconnects(-1),
		natsgo.ReconnectWait(250*time.Millisecond), natsgo.FlusherTimeout(2*time.Second))
	if err != nil {
		return bus{}, err
	}
	config := nats.Config{Conn: conn}
	if s.recovery > 0 {
		config.Recovery = &nats.Recovery{MaxDisconnection: s.recovery}
	}
	return bus{nats.New(config), conn.Close}, nil
}
