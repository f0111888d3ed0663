package conformance_test

import (
	"testing"

	"github.com/siokit/siokit/conformance"
	"github.com/siokit/siokit/conformance/internal/nodefixture"
)

// The reference server is the measure: it passes everything, its own quirks
// included, and lacks nothing that a case needs.
func TestReferencePassesEveryCase(t *testing.T) {
	target, err := nodefixture.Target(".")
	if err != nil {
		t.Fatal(err)
	}
	conformance.Test(t, target, conformance.Options{Quirks: true, Strict: true, Parallel: 16})
}
