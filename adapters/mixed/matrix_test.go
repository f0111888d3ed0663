package mixed

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var update = flag.Bool("update", false, "write ../MATRIX.md")

const matrixFile = "../MATRIX.md"

// directions are the columns of a table: who does it, and where it is to be seen.
var directions = []struct {
	name     string
	from, to []int
}{
	{"Go → Go", []int{0}, []int{1}},
	{"Go → Node", []int{0}, []int{2, 3}},
	{"Node → Go", []int{2}, []int{0, 1}},
	{"Node → Node", []int{2}, []int{3}},
}

// results are the cells: by bus, operation, direction.
type results map[[3]string]string

const (
	works     = "✓"
	fails     = "✗"
	undefined = "–"
)

// TestMatrix does every operation in every direction on every bus.
func TestMatrix(t *testing.T) {
	p := startPeer(t)
	cells := results{}
	whole := true
	for _, b := range buses {
		t.Run(b.name, func(t *testing.T) {
			c := start(t, b, p)
			for _, op := range operations {
				t.Run(op.name, func(t *testing.T) { cells.fill(t, c, op) })
			}
		})
	}
	for _, b := range buses {
		for _, op := range operations {
			for _, d := range directions {
				_, done := cells[[3]string{b.name, op.name, d.name}]
				whole = whole && done
			}
		}
	}
	if !whole {
		t.Log("a part of the matrix was run: ../MATRIX.md is not looked at")
		return
	}
	table := cells.table()
	if *update {
		if err := os.WriteFile(matrixFile, table, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	committed, err := os.ReadFile(matrixFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(committed), string(table)); diff != "" {
		t.Errorf("%s differs (-committed +now); run with -update:\n%s", matrixFile, diff)
	}
}

// fill does an operation once from a server of each kind.
func (r results) fill(t *testing.T, c *mixed, op operation) {
	for _, from := range []int{0, 2} {
		possible := func(to int) bool {
			return (op.needs == nil || op.needs(c.bus, from, to)) && (isGo(from) && isGo(to) || c.bus.module != "")
		}
		var failed failures
		if possible(0) {
			failed = op.run(t, c, from)
		}
		for _, d := range directions {
			if d.from[0] != from {
				continue
			}
			cell := works
			if !possible(d.to[0]) {
				cell = undefined
			}
			for _, to := range d.to {
				if err := failed[to]; err != nil {
					cell = fails
					t.Errorf("%s, %s: %v", d.name, labels[to], err)
				}
			}
			r[[3]string{c.bus.name, op.name, d.name}] = cell
		}
		if err := failed[from]; err != nil {
			t.Errorf("on %s itself: %v", labels[from], err)
		}
	}
}

func (r results) table() []byte {
	var b bytes.Buffer
	b.WriteString("# The mixed cluster\n\n")
	b.WriteString("Two servers on Node (socket.io with its official adapters) and two on Go, official\n")
	b.WriteString("clients on all four. Each operation was done from a server of the kind on the left\n")
	b.WriteString("and seen at all servers of the kind on the right. Written by\n")
	b.WriteString("`go test ./adapters/mixed -run TestMatrix -update`, and compared by every test run.\n\n")
	b.WriteString("– means that the official packages have no such thing on this bus.\n")
	for _, bus := range buses {
		fmt.Fprintf(&b, "\n## %s\n\n| |", bus.name)
		for _, d := range directions {
			fmt.Fprintf(&b, " %s |", d.name)
		}
		b.WriteString("\n|---|")
		for range directions {
			b.WriteString(":-:|")
		}
		b.WriteString("\n")
		for _, op := range operations {
			fmt.Fprintf(&b, "| %s |", op.name)
			for _, d := range directions {
				fmt.Fprintf(&b, " %s |", r[[3]string{bus.name, op.name, d.name}])
			}
			b.WriteString("\n")
		}
	}
	return b.Bytes()
}
