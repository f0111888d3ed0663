module github.com/siokit/siokit/adapters/mixed

go 1.26.0

require (
	github.com/google/go-cmp v0.7.0
	github.com/jackc/pgx/v5 v5.12.0
	github.com/nats-io/nats-server/v2 v2.15.2
	github.com/nats-io/nats.go v1.55.0
	github.com/redis/go-redis/v9 v9.22.0
	github.com/siokit/siokit/adapters/cluster v0.1.0
	github.com/siokit/siokit/adapters/nats v0.1.0
	github.com/siokit/siokit/adapters/postgres v0.1.0
	github.com/siokit/siokit/adapters/redispubsub v0.1.0
	github.com/siokit/siokit/adapters/redisstreams v0.1.0
	github.com/siokit/siokit/socketio v0.1.0
	go.uber.org/goleak v1.3.0
)
