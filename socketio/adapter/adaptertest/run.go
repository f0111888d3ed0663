package adaptertest

import (
	"testing"
	"time"

	"github.com/siokit/siokit/socketio/adapter"
)

// Cluster describes the adapters under test.
type Cluster struct {
	// Start begins one test: it returns what makes the adapters of a cluster that
	// shares nothing with those of other tests. It is called once for each test;
	// the adapters are closed by the test, the rest by t.Cleanup. A closed adapter,
	// and the Local that it was made for, must not be held by anything, a table of
	// the caller's included.
	Start func(t testing.TB) adapter.New
	// Servers is how many servers a cluster has; with less than two, nothing is
	// tested between servers.
	Servers int
	// Kill, if set, makes a server fall silent without a goodbye, as a crash does:
	// it neither sends nor receives any more. Closing the adapter afterwards must
	// still work.
	Kill func(a adapter.Adapter)
	// Within is how long anything may take until a test fails. Zero means ten
	// seconds.
	Within time.Duration
}

// Run checks an adapter that doesn't connect servers. start is Cluster.Start.
func Run(t *testing.T, start func(testing.TB) adapter.New) {
	t.Helper()
	RunCluster(t, Cluster{Start: start})
}

// RunCluster checks an adapter: each server for itself, and what they do
// together. An optional interface that it does not implement is not tested.
func RunCluster(t *testing.T, c Cluster) {
	t.Helper()
	for _, ck := range applicable(t, c) {
		t.Run(ck.name, func(t *testing.T) { ck.run(t, newFixture(t, c)) })
	}
}

// check is one promise.
type check struct {
	name    string
	servers int // needed at least
	needs   func(adapter.Adapter) bool
	kills   bool
	run     func(testing.TB, *fixture)
}

func applicable(t testing.TB, c Cluster) []check {
	t.Helper()
	a, err := c.Start(t)(NewServer("/"))
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	defer a.Close(t.Context())
	var list []check
	for _, group := range [][]check{roomChecks, broadcastChecks, ackChecks, manyChecks, hookChecks, lifeChecks, sessionChecks, clusterChecks} {
		for _, ck := range group {
			if ck.servers <= max(c.Servers, 1) && (ck.needs == nil || ck.needs(a)) && (!ck.kills || c.Kill != nil) {
				list = append(list, ck)
			}
		}
	}
	return list
}

// has reports whether an adapter implements the optional interface T.
func has[T any](a adapter.Adapter) bool {
	_, ok := a.(T)
	return ok
}
