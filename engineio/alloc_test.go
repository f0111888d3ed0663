//go:build !race

// The race detector makes pools forget on purpose.

package engineio_test

import (
	"testing"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/engineio/internal/eiotest"
)

// TestHeartbeatAllocatesNothing: a round of pings costs no memory.
func TestHeartbeatAllocatesNothing(t *testing.T) {
	s := eiotest.Start(t, slow(), eiotest.Handler{})
	var sessions []*engineio.Session
	for range 20 {
		_, open := s.WS()
		ss, _ := s.Session(eiotest.SID(t, open))
		sessions = append(sessions, ss)
	}
	if n := testing.AllocsPerRun(100, func() {
		for _, ss := range sessions {
			engineio.Beat(ss)
		}
	}); n != 0 {
		t.Errorf("%v allocations for %d pings", n, len(sessions))
	}
}
