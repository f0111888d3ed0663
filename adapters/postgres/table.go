package postgres

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// quoteTable returns a table's name, perhaps with a schema, as SQL.
func quoteTable(name string) string { return pgx.Identifier(strings.Split(name, ".")).Sanitize() }

// CreateTable makes the table of attachments if it isn't there, in the form that
// the official adapter asks for. An empty name means the default of
// Config.TableName.
func CreateTable(ctx context.Context, pool *pgxpool.Pool, name string) error {
	if name == "" {
		name = defaultTable
	}
	_, err := pool.Exec(ctx, createTable(name))
	for range 10 {
		// IF NOT EXISTS does not see what others are making: they are done now.
		var twice *pgconn.PgError
		if !errors.As(err, &twice) || twice.Code != "23505" && twice.Code != "42P07" && twice.Code != "42710" {
			break
		}
		_, err = pool.Exec(ctx, createTable(name))
	}
	return err
}

func createTable(name string) string {
	return `CREATE TABLE IF NOT EXISTS ` + quoteTable(name) + ` (
		id bigserial UNIQUE, created_at timestamptz DEFAULT now(), payload bytea
	);`
}

// cleanup deletes attachments that every server has read, every now and then,
// until ctx ends.
func cleanup(ctx context.Context, config *Config) {
	if config.CleanupInterval < 0 {
		return
	}
	sql := "DELETE FROM " + quoteTable(config.TableName) + " WHERE created_at < now() - $1::interval"
	tick := time.NewTicker(config.CleanupInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		one, cancel := context.WithTimeout(ctx, queryTimeout)
		_, err := config.Pool.Exec(one, sql, config.CleanupInterval)
		cancel()
		if err != nil && ctx.Err() == nil {
			config.OnError(failed("clean-up", err))
		}
	}
}
