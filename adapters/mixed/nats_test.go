package mixed

import (
	"testing"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"
	natsgo "github.com/nats-io/nats.go"

	"github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/adapters/nats"
	"github.com/siokit/siokit/socketio/adapter"
)

// There is no official adapter for NATS.
func init() {
	buses = append(buses,
		natsBus("NATS", nats.Config{Logger: quiet}),
		natsBus("NATS, JetStream", nats.Config{Logger: quiet, Recovery: &nats.Recovery{Memory: true}}))
}

func natsBus(name string, config nats.Config) bus {
	return bus{
		name: name, recovery: config.Recovery != nil,
		start: func(t *testing.T) (any, func() adapter.New, func() (*cluster.Emitter, error)) {
			s, err := natsserver.NewServer(&natsserver.Options{
				Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(), NoLog: true, NoSigs: true,
			})
			if err != nil {
				t.Fatal(err)
			}
			s.Start()
			t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
			if !s.ReadyForConnections(within) {
				t.Fatal("NATS takes no connections")
			}
			connected := func() nats.Config {
				config := config
				if config.Conn, err = natsgo.Connect(s.ClientURL(), natsgo.ReconnectWait(time.Second)); err != nil {
					t.Fatal(err)
				}
				t.Cleanup(config.Conn.Close)
				return config
			}
			return nil, func() adapter.New { return nats.New(connected()) },
				func() (*cluster.Emitter, error) { return nats.NewEmitter(connected()) }
		},
	}
}
