package mixed

import (
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/adapters/redispubsub"
	"github.com/siokit/siokit/adapters/redispubsub/redistest"
	"github.com/siokit/siokit/adapters/redisstreams"
	"github.com/siokit/siokit/socketio/adapter"
)

func init() {
	buses = append(buses,
		channels("Redis", "classic", redispubsub.Config{}),
		channels("Redis, publishOnSpecificResponseChannel", "classic", redispubsub.Config{SpecificResponses: true}),
		channels("Redis, sharded, static", "static", redispubsub.Config{Mode: redispubsub.ShardedStatic}),
		channels("Redis, sharded, dynamic", "dynamic", redispubsub.Config{Mode: redispubsub.ShardedDynamic}),
		channels("Redis, sharded, dynamic-private", "dynamic-private", redispubsub.Config{Mode: redispubsub.ShardedDynamicPrivate}),
		streams("Redis Streams", redisstreams.Config{}),
		streams("Redis Streams, three streams and sharded channels", redisstreams.Config{Streams: 3, ShardedChannels: true}),
	)
}

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

func channels(name, mode string, config redispubsub.Config) bus {
	return bus{
		name: name, module: "redis", officialEmitter: mode == "classic",
		start: func(t *testing.T) (any, func() adapter.New, func() (*cluster.Emitter, error)) {
			server := redistest.Start(t)
			options := object{"url": "redis://" + server.Addr, "mode": mode, "prefix": "mixed", "specific": config.SpecificResponses}
			connected := func() redispubsub.Config {
				config := config
				config.Client, config.Prefix, config.Logger = server.Open(t), "mixed", quiet
				return config
			}
			return options,
				func() adapter.New { return redispubsub.New(connected()) },
				func() (*cluster.Emitter, error) { return redispubsub.NewEmitter(connected()) }
		},
	}
}

func streams(name string, config redisstreams.Config) bus {
	return bus{
		name: name, module: "redisstreams", recovery: true,
		start: func(t *testing.T) (any, func() adapter.New, func() (*cluster.Emitter, error)) {
			server := redistest.Start(t)
			options := object{
				"url": "redis://" + server.Addr, "stream": "mixed", "count": max(config.Streams, 1),
				"channels": "channels", "sharded": config.ShardedChannels, "sessions": "session:",
			}
			connected := func() redisstreams.Config {
				config := config
				config.Client, config.Logger = server.Open(t), quiet
				config.Stream, config.ChannelPrefix, config.SessionPrefix = "mixed", "channels", "session:"
				config.MaxDisconnection = 2 * time.Minute
				return config
			}
			return options,
				func() adapter.New { return redisstreams.New(connected()) },
				func() (*cluster.Emitter, error) { return redisstreams.NewEmitter(connected()) }
		},
	}
}
