package mixed

import (
	"io"
	"log/slog"
	"testing"

	"github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/adapters/redispubsub"
	"github.com/siokit/siokit/adapters/redispubsub/redistest"
	"github.com/siokit/siokit/socketio/adapter"
)

func init() {
	buses = append(buses,
		channels("Redis", "classic", redispubsub.Config{}),
		channels("Redis, publishOnSpecificResponseChannel", "classic", redispubsub.Config{SpecificResponses: true}),
		channels("Redis, sharded, static", "static", redispubsub.Config{Mode: redispubsub.ShardedStatic}),
		channels("Redis, sharded, dynamic", "dynamic", redispubsub.Config{Mode: redispubsub.ShardedDynamic}),
		channels("Redis, sharded, dynamic-private", "dynamic-private", redispubsub.Config{Mode: redispubsub.ShardedDynamicPrivate}),
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
