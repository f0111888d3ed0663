package postgres_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/goleak"

	"github.com/siokit/siokit/adapters/postgres"
	"github.com/siokit/siokit/adapters/postgres/postgrestest"
	"github.com/siokit/siokit/socketio/adapter"
	"github.com/siokit/siokit/socketio/adapter/adaptertest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var _ = []any{context.Background, errors.New, slog.Default, os.Exit, atomic.AddInt32, time.Now}

// connect returns a pool with the table of attachments.
func connect(t testing.TB, db *postgrestest.Server) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), db.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	if err := postgres.CreateTable(t.Context(), pool, ""); err != nil {
		t.Fatal(err)
	}
	return pool
}

func TestAdapter(t *testing.T) {
	pool := connect(t, postgrestest.Start(t))
	clusters := 0
	adaptertest.RunCluster(t, adaptertest.Cluster{
		Servers: 3,
		Start: func(t testing.TB) adapter.New {
			clusters++
			config := postgres.Config{Pool: pool, ChannelPrefix: "c" + string(rune('a'+clusters))}
			return func(l adapter.Local) (adapter.Adapter, error) { return postgres.New(config)(l) } // each a server
		},
	})
}
