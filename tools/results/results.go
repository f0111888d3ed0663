// Package results counts what go test -json reports.
//
// What counts is the single result: a test or example, and where a test has
// subtests, these instead of it. A package that does not build, that fails
// outside its tests (a leak found after them, a panic, a time limit) or that
// never reports its end counts as one failure. A skipped test counts as a
// failure too: it proved nothing.
package results

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Failure is one result that is not a pass.
type Failure struct {
	Package string
	Test    string // empty when it is the package that failed
	Reason  string // "failed", "skipped", "did not finish", "does not build"
	Output  string // what the test printed, or the compiler
}

// Report is a count of results. Reports of several runs can be added up.
type Report struct {
	Passed   int
	Failures []Failure
}

// Failed returns the number of results that are not a pass.
func (r *Report) Failed() int { return len(r.Failures) }

// Add counts another report's results too.
func (r *Report) Add(other Report) {
	r.Passed += other.Passed
	r.Failures = append(r.Failures, other.Failures...)
}

// Fail counts one failure that is not a test's, such as a linter's finding.
func (r *Report) Fail(what, output string) {
	r.Failures = append(r.Failures, Failure{Package: what, Reason: "failed", Output: output})
}

// String returns the line that ends a run: "12 passed, 0 failed".
func (r *Report) String() string {
	return fmt.Sprintf("%d passed, %d failed", r.Passed, r.Failed())
}

// Print writes every failure with its output, for a person to read.
func (r *Report) Print(w io.Writer) {
	for _, f := range r.Failures {
		name := f.Package
		if f.Test != "" {
			name += " " + f.Test
		}
		fmt.Fprintf(w, "\n--- %s: %s\n", name, f.Reason)
		for _, line := range shorten(f.Output) {
			fmt.Fprintf(w, "    %s\n", line)
		}
	}
}

// maxLines bounds what is printed of one failure: the dump of a thousand
// goroutines hides the other failures.
const maxLines = 120

func shorten(output string) []string {
	output = strings.TrimRight(output, "\n")
	if output == "" {
		return nil
	}
	lines := slices.DeleteFunc(strings.Split(output, "\n"), func(line string) bool {
		return strings.HasPrefix(line, "=== ") // when the test started, paused, went on
	})
	if len(lines) <= maxLines {
		return lines
	}
	left := fmt.Sprintf("[%d lines left out]", len(lines)-maxLines)
	head, tail := lines[:maxLines*2/3], lines[len(lines)-maxLines/3:]
	return append(append(head[:len(head):len(head)], left), tail...)
}

// Progress is called once a package has ended.
type Progress func(pkg string, took time.Duration, r Report)
