package fuzz_test

import (
	"testing"

	"github.com/leanovate/gopter"
	"github.com/siokit/siokit/fuzz/internal/loop"
)

// properties are run with so many cases each, or as many as SIOKIT_CASES says, and
// with the seed of SIOKIT_SEED if it is set. Lists and strings have maxSize elements
// at most.
func properties(t *testing.T, cases, maxSize int) *gopter.Properties {
	t.Helper()
	cases, err := loop.Cases(cases)
	if err != nil {
		t.Fatal(err)
	}
	seed, err := loop.Seed()
	if err != nil {
		t.Fatal(err)
	}
	parameters := gopter.DefaultTestParametersWithSeed(int64(seed))
	parameters.MinSuccessfulTests = cases
	parameters.MaxSize = maxSize
	return gopter.NewProperties(parameters)
}
