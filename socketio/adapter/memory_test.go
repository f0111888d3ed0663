package adapter_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/siokit/siokit/socketio/adapter"
	"github.com/siokit/siokit/socketio/adapter/adaptertest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestMemory(t *testing.T) {
	adaptertest.Run(t, func(testing.TB) adapter.New { return adapter.NewMemory })
}

func TestRecovery(t *testing.T) {
	adaptertest.Run(t, func(testing.TB) adapter.New {
		return adapter.NewRecovery(adapter.RecoveryConfig{})
	})
}
