package postgres_test

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/siokit/siokit/adapters/postgres"
	"github.com/siokit/siokit/adapters/postgres/postgrestest"
	"github.com/siokit/siokit/socketio/adapter/adaptertest"
)

// testCloseBesideNew: another namespace is made while the last one is closed, which
// does not wait for what belongs to that.
func testCloseBesideNew(t *testing.T, db *postgrestest.Server) {
	var connecting atomic.Int64
	proceed := make(chan struct{})
	config := open(t, db, &line{}).Config()
	config.AfterConnect = func(context.Context, *pgx.Conn) error {
		connecting.Add(1)
		<-proceed
		return nil
	}
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	made := postgres.New(postgres.Config{Pool: pool, ChannelPrefix: "late", Logger: slog.New(slog.DiscardHandler)})
	a, err := made(adaptertest.NewServer("/a"))
	if err != nil {
		t.Fatal(err)
	}
	until(t, "a connects", func() bool { return connecting.Load() > 0 })
	over, cancel := context.WithCancel(t.Context())
	cancel()
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		_ = a.Close(over) // its goodbye was given up
	}()
	<-time.After(200 * time.Millisecond) // it waits for what connects
	b, err := made(adaptertest.NewServer("/b"))
	if err != nil {
		t.Fatal(err)
	}
	close(proceed)
	select {
	case <-closed:
	case <-time.After(within / 3):
		t.Error("Close waits for the other namespace")
	}
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	if err := b.Close(ctx); err != nil {
		t.Error(err)
	}
	<-closed
}
