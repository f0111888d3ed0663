package nats_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	natsgo "github.com/nats-io/nats.go"

	"github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/adapters/nats"
	"github.com/siokit/siokit/socketio/adapter"
	"github.com/siokit/siokit/socketio/adapter/adaptertest"
)

// severed is an adapter whose connection the suite can end.
type severed struct {
	*cluster.Adapter
	conn *natsgo.Conn
}

type severedRecovering struct {
	cluster.Recovering
	conn *natsgo.Conn
}

func TestAdapter(t *testing.T) {
	s := embed(t)
	clusters := 0
	for name, recovery := range map[string]*nats.Recovery{"core": nil, "recovery": {Memory: true, OffsetTimeout: within}} {
		t.Run(name, func(t *testing.T) {
			adaptertest.RunCluster(t, adaptertest.Cluster{
				Servers: 3, Within: within,
				Start: func(t testing.TB) adapter.New {
					clusters++
					prefix := fmt.Sprint("test", clusters)
					return func(local adapter.Local) (adapter.Adapter, error) {
						conn := connect(t, s.ClientURL())
						a, err := nats.New(nats.Config{
							Conn: conn, Prefix: prefix, Recovery: recovery,
							HeartbeatInterval: 500 * time.Millisecond, Logger: slog.New(slog.DiscardHandler),
						})(local)
						if r, ok := a.(cluster.Recovering); ok {
							return &severedRecovering{r, conn}, err
						}
						return &severed{a.(*cluster.Adapter), conn}, err
					}
				},
				Kill: func(a adapter.Adapter) {
					switch a := a.(type) {
					case *severed:
						a.conn.Close()
					case *severedRecovering:
						a.conn.Close()
					}
				},
			})
		})
	}
}

// TestNamePerNamespace has one server with two namespaces: each is another member
// of the cluster, and so is one that was made anew.
func TestNamePerNamespace(t *testing.T) {
	s := embed(t)
	config := func() nats.Config {
		return nats.Config{Conn: connect(t, s.ClientURL()), Logger: slog.New(slog.DiscardHandler)}
	}
	server, other := nats.New(config()), nats.New(config())
	start := func(start adapter.New, namespace string) *cluster.Adapter {
		a, err := start(adaptertest.NewServer(namespace))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = a.Close(context.Background()) })
		return a.(*cluster.Adapter)
	}
	var names []string
	for _, namespace := range []string{"/", "/admin"} {
		start(server, namespace)
		witness := start(other, namespace)
		until(t, "they know each other", func() bool { return len(witness.Nodes()) == 1 })
		names = append(names, witness.Nodes()...)
	}
	if names[0] == names[1] {
		t.Errorf("both namespaces are %s", names[0])
	}
}
