package loop_test

import (
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/siokit/siokit/fuzz/internal/loop"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestRunMakesTheSameCasesFromTheSameSeed(t *testing.T) {
	t.Setenv(loop.CasesVariable, "1e3")
	t.Setenv(loop.SeedVariable, "42")
	run := func() map[uint64]int {
		var mu sync.Mutex
		seen := map[uint64]int{}
		loop.Run(t, func(r *rand.Rand) error {
			n := r.Uint64()
			mu.Lock()
			defer mu.Unlock()
			seen[n]++
			return nil
		})
		return seen
	}
	first, second := run(), run()
	if len(first) != 1000 {
		t.Errorf("%d cases", len(first))
	}
	if diff := cmp.Diff(first, second); diff != "" {
		t.Error(diff)
	}
}

func TestCasesAreANumber(t *testing.T) {
	for text, want := range map[string]int{"": 7, "1": 1, "1e6": 1_000_000, "250": 250} {
		t.Setenv(loop.CasesVariable, text)
		if got, err := loop.Cases(7); err != nil || got != want {
			t.Errorf("%q: %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"many", "0", "-5", "1e30"} {
		t.Setenv(loop.CasesVariable, text)
		if _, err := loop.Cases(7); err == nil {
			t.Errorf("%q is accepted", text)
		}
	}
	t.Setenv(loop.SeedVariable, "x")
	if _, err := loop.Seed(); err == nil {
		t.Error("a seed that is no number is accepted")
	}
}

func TestAllocatedCountsBytes(t *testing.T) {
	var keep []byte
	got := loop.Allocated(func() { keep = make([]byte, 10_000) })
	if got < uint64(len(keep)) || got > uint64(len(keep))+4096 {
		t.Errorf("%d bytes", got)
	}
}
