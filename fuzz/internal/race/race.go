// Package race times what we do and what a reference implementation does in a Node
// process, in turns, on the same inputs.
package race

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
	rounds = 100
	round  = 3 * time.Millisecond
)

// CollectAsNode lets garbage wait until there are 16 MB of it, as Node does with
// young objects. By default it would be 4 MB here, since a benchmark holds next
// to nothing.
func CollectAsNode(b *testing.B) {
	before := debug.SetGCPercent(400)
	b.Cleanup(func() { debug.SetGCPercent(before) })
}

// Result is what one operation takes.
type Result struct {
	NS            float64
	Bytes, Allocs uint64
}

// Measure runs operation as a benchmark of that name.
func Measure(b *testing.B, name string, operation func() error) (r Result) {
	b.Run(name, func(b *testing.B) {
		r.NS = math.Inf(1)
		n := 1
		for done := 0; done < rounds; {
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
			if elapsed < round {
				n *= 2
				continue
			}
			done++
			r.NS = min(r.NS, float64(elapsed.Nanoseconds())/float64(n))
			r.Bytes = (after.TotalAlloc - before.TotalAlloc) / uint64(n)
			r.Allocs = (after.Mallocs - before.Mallocs) / uint64(n)
		}
		b.ReportMetric(r.NS, "ns/op")
		b.ReportMetric(float64(r.Bytes), "B/op")
		b.ReportMetric(float64(r.Allocs), "allocs/op")
	})
	return r
}

// Theirs is an operation of a script of the folder node, and what it works on: a
// body, or messages in the form that the script knows.
type Theirs struct {
	Op       string `json:"op"`
	Body     []byte `json:"body,omitempty"`
	Messages any    `json:"messages,omitempty"`
}

// timing asks for the time of an operation.
type timing struct {
	Theirs
	Rounds       int   `json:"rounds"`
	Milliseconds int64 `json:"milliseconds"` // each round takes at least
}

// MeasureNode does the same on the other side.
func MeasureNode(b *testing.B, node *nodepeer.Peer, name string, operation Theirs) (ns float64) {
	b.Run(name, func(b *testing.B) {
		results, err := nodepeer.Call[timing, struct {
			NS    float64 `json:"ns"`
			Error string  `json:"error"`
		}](node, "time", []timing{{operation, rounds, round.Milliseconds()}})
		if err != nil || results[0].Error != "" {
			b.Fatal(err, results)
		}
		ns = results[0].NS
		b.ReportMetric(ns, "ns/op")
	})
	return ns
}

// Table has a line for each operation that both sides have.
type Table struct {
	node  *nodepeer.Peer
	lines []string
}

// NewTable returns an empty one for operations of that peer.
func NewTable(node *nodepeer.Peer) *Table { return &Table{node: node} }

// Compare times what we do and what the reference does and adds a line.
func (t *Table) Compare(b *testing.B, name string, theirs Theirs, ours func() error) {
	we := Measure(b, name+"/siokit", ours)
	they := MeasureNode(b, t.node, name+"/npm", theirs)
	if we.NS > 0 && they > 0 { // else the row was not asked for
		t.lines = append(t.lines, fmt.Sprintf("| %s | %.1f | %d | %d | %.1f | **%.1f** |", name, we.NS, we.Bytes, we.Allocs, they, they/we.NS))
	}
}

func (t *Table) String() string {
	return "\n| | siokit, ns | bytes | allocations | npm, ns | factor |\n|---|--:|--:|--:|--:|--:|\n" + strings.Join(t.lines, "\n")
}
