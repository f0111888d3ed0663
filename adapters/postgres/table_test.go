package postgres_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/adapters/postgres"
	"github.com/siokit/siokit/adapters/postgres/postgrestest"
	"github.com/siokit/siokit/socketio/adapter"
	"github.com/siokit/siokit/socketio/adapter/adaptertest"
)

// pool opens a pool with settings of a test's own.
func pool(t *testing.T, db *postgrestest.Server, set func(*pgxpool.Config)) *pgxpool.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig(db.URL())
	if err != nil {
		t.Fatal(err)
	}
	set(config)
	p, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// Servers that start together on a new database may all make the table.
func testCreateTable(t *testing.T, db *postgrestest.Server) {
	p := pool(t, db, func(c *pgxpool.Config) { c.MaxConns, c.MinConns = 8, 8 })
	for i := range 30 {
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if err := postgres.CreateTable(t.Context(), p, fmt.Sprint("together", i)); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	}
}

// The listener connects as the pool does: with what BeforeConnect says.
func testBeforeConnect(t *testing.T, db *postgrestest.Server) {
	right, err := pgx.ParseConfig(db.URL())
	if err != nil {
		t.Fatal(err)
	}
	p := pool(t, db, func(c *pgxpool.Config) {
		c.ConnConfig.User = "nobody"
		c.BeforeConnect = func(_ context.Context, c *pgx.ConnConfig) error {
			c.User = right.User
			return nil
		}
	})
	var nodes []*cluster.Adapter
	for i := range 2 {
		a, err := postgres.New(postgres.Config{Pool: p, UID: fmt.Sprint("n", i), ChannelPrefix: "before", Logger: slog.New(slog.DiscardHandler)})(adaptertest.NewServer("/"))
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close(context.Background())
		nodes = append(nodes, a.(*cluster.Adapter))
	}
	until(t, "they know each other", func() bool { return len(nodes[0].Nodes()) == 1 && len(nodes[1].Nodes()) == 1 })
}

// A message that the database refuses takes nothing with it that is behind it.
func testNoTable(t *testing.T, db *postgrestest.Server) {
	nodes := join(t, db, 2, postgres.Config{TableName: "not_made", ChannelPrefix: "notable"})
	const many = 200
	for i := range many {
		if i%50 == 25 {
			if err := nodes[0].Broadcast(event(t, "binary", `[{"_placeholder":true,"num":0}]`, []byte("xx")), adapter.Selection{}); err != nil {
				t.Error(err)
			}
		}
		nodes[0].emit(t, "text")
	}
	until(t, "all texts arrive", func() bool { return nodes[1].count("text") == many })
}
