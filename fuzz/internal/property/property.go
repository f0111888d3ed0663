// Package property sets up the property tests of this module, so that all of them
// take the number of cases and the seed from the variables of package loop. It is
// apart from that package since native fuzz targets do without gopter.
package property

import (
	"testing"

	"github.com/leanovate/gopter"

	"github.com/siokit/siokit/fuzz/internal/loop"
)

// New returns properties that are run with so many cases each, or as many as
// SIOKIT_CASES says, and with the seed of SIOKIT_SEED if it is set. Lists and
// strings have maxSize elements at most.
func New(t testing.TB, cases, maxSize int) *gopter.Properties {
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
