// Package loop runs a check over random cases in process, which is two orders of
// magnitude faster than native fuzzing, and measures what a call allocates.
package loop

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// CasesVariable names the environment variable with the number of cases of each
// loop, such as 1e8. Unset, a loop runs for a second.
const CasesVariable = "SIOKIT_CASES"

// SeedVariable names the environment variable with the seed of all loops, which
// a failure prints: the same seed makes the same cases. Unset, it is random.
const SeedVariable = "SIOKIT_SEED"

// Run calls check with random sources until it returns an error, which fails the
// test, or until there were enough cases. With CasesVariable set it uses all
// processors, so check must be safe for concurrent use; r is one goroutine's own.
func Run(t *testing.T, check func(r *rand.Rand) error) {
	t.Helper()
	cases, err := Cases(0)
	if err != nil {
		t.Fatal(err)
	}
	seed, err := Seed()
	if err != nil {
		t.Fatal(err)
	}
	l := &loop{check: check, seed: seed, last: uint64(cases), deadline: time.Now().Add(time.Second)}
	workers := runtime.GOMAXPROCS(0)
	if cases == 0 {
		l.last, workers = 1<<63, 1
	} else {
		l.deadline = l.deadline.AddDate(100, 0, 0)
	}
	begin := time.Now()
	var wait sync.WaitGroup
	for range workers {
		wait.Go(l.work)
	}
	wait.Wait()
	if err, _ := l.failure.Load().(error); err != nil {
		t.Fatalf("%v\nrepeat with %s=%d", err, SeedVariable, seed)
	}
	done := min(l.taken.Load(), l.last)
	t.Logf("%d cases, %.0f a second, %s=%d", done, float64(done)/time.Since(begin).Seconds(), SeedVariable, seed)
}

type loop struct {
	check    func(*rand.Rand) error
	seed     uint64
	last     uint64
	deadline time.Time

	taken   atomic.Uint64
	failure atomic.Value // the first error
}

// batch is how many cases a worker takes at a time.
const batch = 256

// work runs batches of cases. A case's random numbers depend on the seed and its
// own number only.
func (l *loop) work() {
	source := rand.NewPCG(0, 0)
	r := rand.New(source)
	for time.Now().Before(l.deadline) && l.failure.Load() == nil {
		first := l.taken.Add(batch) - batch
		for n := first; n < first+batch; n++ {
			if n >= l.last {
				return
			}
			source.Seed(l.seed, n)
			if err := l.check(r); err != nil {
				l.failure.CompareAndSwap(nil, fmt.Errorf("case %d: %w", n, err))
				return
			}
		}
	}
}

// Cases returns the number of cases that CasesVariable asks for, or unset.
func Cases(unset int) (int, error) {
	text := os.Getenv(CasesVariable)
	if text == "" {
		return unset, nil
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || n < 1 || n > 1e15 {
		return 0, fmt.Errorf("loop: %s=%s is no number of cases", CasesVariable, text)
	}
	return int(n), nil
}

// Seed returns the seed that SeedVariable holds, or a random one.
func Seed() (uint64, error) {
	text := os.Getenv(SeedVariable)
	if text == "" {
		return rand.Uint64(), nil
	}
	seed, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("loop: %s=%s is no seed", SeedVariable, text)
	}
	return seed, nil
}

// Allocated returns how many bytes f allocates: the least of ten runs, since
// the runtime allocates now and then on its own.
func Allocated(f func()) uint64 {
	least := ^uint64(0)
	for range 10 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f()
		runtime.ReadMemStats(&after)
		least = min(least, after.TotalAlloc-before.TotalAlloc)
	}
	return least
}

// Bound is what a decoder may allocate for an input of n bytes.
func Bound(n int) uint64 { return uint64(8*n + 4096) }
