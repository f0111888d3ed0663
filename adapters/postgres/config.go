package postgres

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Config says how a server takes part in a cluster over PostgreSQL. Pool must be
// set; ChannelPrefix, TableName and the heartbeats are those of all servers of
// the cluster, Node.js ones included.
type Config struct {
	// Pool is where messages are sent from, and attachments read. Beside it, one
	// connection with the same settings listens, for all namespaces. The pool stays
	// open when the adapters are closed. Two connections in it are enough.
	Pool *pgxpool.Pool
	// ChannelPrefix begins every channel; empty means "socket.io".
	ChannelPrefix string
	// TableName is the table of attachments, with its schema and a dot before it if
	// it isn't in the search path. Empty means "socket_io_attachments". CreateTable
	// makes it.
	TableName string
	// PayloadThreshold is the length from which messages go through the table, in
	// bytes. Zero means 8,000, PostgreSQL's own limit for a notification, which is
	// also the largest value.
	PayloadThreshold int
	// CleanupInterval is how often attachments are deleted that are older than this.
	// Zero means 30 seconds; negative means that this server deletes none.
	CleanupInterval time.Duration

	// UID, HeartbeatInterval, HeartbeatTimeout, RequestTimeout and MaxQueued are
	// those of cluster.Config. There is no negative HeartbeatInterval.
	UID               string
	HeartbeatInterval time.Duration
	HeartbeatTimeout  time.Duration
	RequestTimeout    time.Duration
	MaxQueued         int64

	// OnError is told what goes wrong on the way from and to the database, one call
	// at a time a namespace; it must not block. Nil means a warning in Logger.
	OnError func(error)
	// Logger takes warnings; nil means slog.Default.
	Logger *slog.Logger
}

const (
	defaultPrefix    = "socket.io"
	defaultTable     = "socket_io_attachments"
	defaultThreshold = 8000
	defaultCleanup   = 30 * time.Second
)

func (c Config) withDefaults() (Config, error) {
	if c.Pool == nil {
		return c, errors.New("postgres: Config.Pool is nil")
	}
	if c.ChannelPrefix == "" {
		c.ChannelPrefix = defaultPrefix
	}
	if c.TableName == "" {
		c.TableName = defaultTable
	}
	if c.PayloadThreshold == 0 {
		c.PayloadThreshold = defaultThreshold
	}
	if c.PayloadThreshold < 0 || c.PayloadThreshold > defaultThreshold {
		return c, fmt.Errorf("postgres: Config.PayloadThreshold is %d, not between 1 and %d", c.PayloadThreshold, defaultThreshold)
	}
	if c.CleanupInterval == 0 {
		c.CleanupInterval = defaultCleanup
	}
	if c.HeartbeatInterval < 0 {
		return c, errors.New("postgres: Config.HeartbeatInterval is negative")
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.OnError == nil {
		logger := c.Logger
		c.OnError = func(err error) { logger.Warn("postgres: " + err.Error()) }
	}
	return c, nil
}

func randomID() string {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
