package fuzz_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/leanovate/gopter/prop"

	"github.com/siokit/siokit/socketio/adapter"
)

// Any sequence of joins, leaves, removals, broadcasts and moves leaves every
// socket with what the naive oracle says, in that order, and nothing else.
func TestRoomsEqualOracle(t *testing.T) {
	properties := properties(t, 400, 120)
	for name, new := range map[string]adapter.New{
		"memory":   adapter.NewMemory,
		"recovery": adapter.NewRecovery(adapter.RecoveryConfig{}),
	} {
		properties.Property(name, prop.ForAll(func(ops []roomsOp) (bool, error) {
			r := newRoomsRun()
			if err := r.node(new); err != nil {
				return false, err
			}
			for i, op := range ops {
				if err := r.step(context.Background(), op); err != nil {
					return false, fmt.Errorf("step %d, %v: %w", i, op, err)
				}
			}
			if err := r.compare(); err != nil {
				return false, err
			}
			return true, r.nodes[0].adapter.Close(context.Background())
		}, roomsOps(roomsNodeEnds)))
	}
	properties.TestingRun(t)
}
