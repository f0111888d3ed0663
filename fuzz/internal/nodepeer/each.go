package nodepeer

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/siokit/siokit/fuzz/internal/loop"
)

const (
	eachCases = 10_000 // unless SIOKIT_CASES says otherwise
	eachBatch = 2_000  // in one round trip
)

// Each asks for the operation op about the first cases and then about random ones,
// until there were enough, a batch of them at a time, and hands each case and its
// result to compare.
func Each[C, R any](t *testing.T, p *Peer, op string, first []C, random func(*rand.Rand) C, compare func(C, R)) {
	t.Helper()
	total, err := loop.Cases(eachCases)
	if err != nil {
		t.Fatal(err)
	}
	seed, err := loop.Seed()
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(seed, 0))
	done := 0
	for done < total && !t.Failed() {
		cases := slices.Clone(first)
		first = nil
		for len(cases) < min(eachBatch, total-done) {
			cases = append(cases, random(r))
		}
		results, err := Call[C, R](p, op, cases)
		if err != nil {
			t.Fatal(err)
		}
		for i := range cases {
			compare(cases[i], results[i])
		}
		done += len(cases)
	}
	t.Logf("%d cases, %s=%d", done, loop.SeedVariable, seed)
}
