package fuzz_test

import (
	"fmt"
	"math"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/siokit/siokit/fuzz/internal/nodepeer"
)

// Each operation is timed in rounds and the fastest counts: other work on the
// machine can only make a round slower. Collecting garbage does too, for both
// sides.
const (
	raceRounds = 100
	raceRound  = 3 * time.Millisecond
)

// collectAsNode lets garbage wait until there are 16 MB of it, as Node does with
// young objects. By default it would be 4 MB here, since a benchmark holds next
// to nothing.
func collectAsNode(b *testing.B) {
	before := debug.SetGCPercent(400)
	b.Cleanup(func() { debug.SetGCPercent(before) })
}

// result is what one operation takes.
type result struct {
	ns            float64
	bytes, allocs uint64
}

// measure runs operation as a benchmark of that name.
func measure(b *testing.B, name string, operation func() error) (r result) {
	b.Run(name, func(b *testing.B) {
		r.ns = math.Inf(1)
		n := 1
		for round := 0; round < raceRounds; {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			begin := time.Now()
			for range n {
				if err := operation(); err != nil {
					b.Fatal(err)
				}
			}
			elapsed := time.Since(begin)
			runtime.ReadMemStats(&after)
			if elapsed < raceRound {
				n *= 2
				continue
			}
			round++
			r.ns = min(r.ns, float64(elapsed.Nanoseconds())/float64(n))
			r.bytes = (after.TotalAlloc - before.TotalAlloc) / uint64(n)
			r.allocs = (after.Mallocs - before.Mallocs) / uint64(n)
		}
		b.ReportMetric(r.ns, "ns/op")
		b.ReportMetric(float64(r.bytes), "B/op")
		b.ReportMetric(float64(r.allocs), "allocs/op")
	})
	return r
}

// nodeTime asks a script of node/ for the time of one of its operations, on a body
// or on messages.
type nodeTime struct {
	Op           string        `json:"op"`
	Body         []byte        `json:"body,omitempty"`
	Messages     []nodeMessage `json:"messages,omitempty"`
	Rounds       int           `json:"rounds"`
	Milliseconds int64         `json:"milliseconds"` // each round takes at least
}

// measureNode does the same on the other side.
func measureNode(b *testing.B, node *nodepeer.Peer, name string, operation nodeTime) (ns float64) {
	b.Run(name, func(b *testing.B) {
		operation.Rounds, operation.Milliseconds = raceRounds, raceRound.Milliseconds()
		results, err := nodepeer.Call[nodeTime, struct {
			NS    float64 `json:"ns"`
			Error string  `json:"error"`
		}](node, "time", []nodeTime{operation})
		if err != nil || results[0].Error != "" {
			b.Fatal(err, results)
		}
		ns = results[0].NS
		b.ReportMetric(ns, "ns/op")
	})
	return ns
}

// race times what we do and what the reference does in turns, and is a table of
// it.
type race struct {
	node  *nodepeer.Peer
	lines []string
}

func (r *race) compare(b *testing.B, name string, theirs nodeTime, ours func() error) {
	we := measure(b, name+"/siokit", ours)
	they := measureNode(b, r.node, name+"/npm", theirs)
	if we.ns > 0 && they > 0 { // else the row was not asked for
		r.lines = append(r.lines, fmt.Sprintf("| %s | %.1f | %d | %d | %.1f | **%.1f** |", name, we.ns, we.bytes, we.allocs, they, they/we.ns))
	}
}

func (r *race) String() string {
	return "\n| | siokit, ns | bytes | allocations | npm, ns | factor |\n|---|--:|--:|--:|--:|--:|\n" + strings.Join(r.lines, "\n")
}
