package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/goleak"

	"github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/adapters/postgres"
	"github.com/siokit/siokit/adapters/postgres/postgrestest"
	"github.com/siokit/siokit/socketio/adapter"
	"github.com/siokit/siokit/socketio/adapter/adaptertest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// connect returns a pool, and makes the table of attachments.
func connect(t testing.TB, db *postgrestest.Server) *pgxpool.Pool {
	t.Helper()
	pool := open(t, db, &line{})
	if err := postgres.CreateTable(t.Context(), pool, ""); err != nil {
		t.Fatal(err)
	}
	return pool
}

// open returns a pool whose connections go over l.
func open(t testing.TB, db *postgrestest.Server, l *line) *pgxpool.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig(db.URL())
	if err != nil {
		t.Fatal(err)
	}
	config.ConnConfig.DialFunc = l.dial
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// line is one server's way to the database; it can be cut.
type line struct {
	cut atomic.Bool

	mu    sync.Mutex
	conns []net.Conn
}

var errCut = errors.New("the line is cut")

func (l *line) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	if l.cut.Load() {
		return nil, errCut
	}
	conn, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err == nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.conns = append(l.conns, conn)
	}
	return conn, err
}

// sever ends all connections, and lets no new ones come up.
func (l *line) sever() {
	l.cut.Store(true)
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, conn := range l.conns {
		_ = conn.Close() // perhaps closed before
	}
}

// cutOff is an adapter whose line can be cut.
type cutOff struct {
	*cluster.Adapter
	line *line
}

// TestPostgres runs everything on one server: to set one up takes as long as all
// the rest.
func TestPostgres(t *testing.T) {
	db := postgrestest.Start(t)
	connect(t, db)
	for _, test := range []struct {
		name string
		run  func(*testing.T, *postgrestest.Server)
	}{
		{"Config", testConfig},
		{"CreateTable", testCreateTable},
		{"BeforeConnect", testBeforeConnect},
		{"NoTable", testNoTable},
		{"Notifications", testNotifications},
		{"Emitter", testEmitter},
		{"Cleanup", testCleanup},
		{"ConnectionEnded", testConnectionEnded},
		{"DeadNodeIsNamed", testDeadNodeIsNamed},
		{"CloseBesideNew", testCloseBesideNew},
		{"DatabaseKilled", testDatabaseKilled},
		{"DatabaseFrozen", testDatabaseFrozen},
		{"Adapter", testAdapter},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, db) })
	}
}

func testAdapter(t *testing.T, db *postgrestest.Server) {
	clusters := 0
	adaptertest.RunCluster(t, adaptertest.Cluster{
		Servers: 3,
		Start: func(t testing.TB) adapter.New {
			clusters++
			prefix := fmt.Sprint("cluster", clusters)
			return func(local adapter.Local) (adapter.Adapter, error) {
				l := &line{}
				a, err := postgres.New(postgres.Config{
					Pool: open(t, db, l), ChannelPrefix: prefix,
					HeartbeatInterval: 500 * time.Millisecond, Logger: slog.New(slog.DiscardHandler),
				})(local)
				if err != nil {
					return nil, err
				}
				return &cutOff{a.(*cluster.Adapter), l}, nil
			}
		},
		Kill: func(a adapter.Adapter) { a.(*cutOff).line.sever() },
	})
}
