package mixed

import (
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/adapters/postgres"
	"github.com/siokit/siokit/adapters/postgres/postgrestest"
	"github.com/siokit/siokit/socketio/adapter"
)

// The official emitter (0.1.1) does not say which namespace it means, and the
// official adapter 0.5.0 drops what doesn't: it reaches only ours.
func init() {
	buses = append(buses, bus{
		name: "PostgreSQL", module: "postgres", officialEmitter: true, emitterReachesGo: true,
		start: func(t *testing.T) (any, func() adapter.New, func() (*cluster.Emitter, error)) {
			db := postgrestest.Start(t)
			config := postgres.Config{ChannelPrefix: "mixed", Logger: quiet}
			var err error
			if config.Pool, err = pgxpool.New(t.Context(), db.URL()); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(config.Pool.Close)
			if err := postgres.CreateTable(t.Context(), config.Pool, ""); err != nil {
				t.Fatal(err)
			}
			// One connection listens, which leaves one to send: over several, messages of one
			// server of the reference overtake each other, and it couldn't be told what is
			// lost from what is late.
			return object{"url": db.URL(), "prefix": config.ChannelPrefix, "max": 2},
				func() adapter.New { return postgres.New(config) },
				func() (*cluster.Emitter, error) { return postgres.NewEmitter(config) }
		},
	})
}
