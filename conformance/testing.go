package conformance

import (
	"flag"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/siokit/siokit/conformance/spec"
)

// Test runs the suite against a server from a Go test, a subtest for each case:
//
//	func TestConformance(t *testing.T) {
//		conformance.Test(t, conformance.Handler(newFixture()), conformance.Options{})
//	}
//
// Only what makes a run fail fails a subtest; other findings and skipped cases
// are logged there. With -run 'TestConformance/E-HS' only those cases are run.
func Test(t *testing.T, target Target, opts Options) {
	t.Helper()
	if opts.Cases == nil {
		opts.Cases = Cases()
	}
	opts.Cases = asked(opts.Cases)
	report, err := Run(t.Context(), target, opts)
	if err != nil {
		t.Fatal(err)
	}
	for _, res := range report.Results {
		t.Run(res.Case.ID, func(t *testing.T) {
			if res.Counts {
				t.Errorf("%s", describe(res))
			} else if res.Verdict != Pass {
				t.Logf("%s", describe(res))
			}
		})
	}
	for _, s := range report.Stale {
		t.Errorf("the list entry %q matches no case of this run", s)
	}
	for _, s := range report.Unexplained {
		t.Errorf("the server died, and no single case brings that about: %s", s)
	}
}

// asked keeps the cases that the flag -run asks for below its first slash.
func asked(cases []spec.Case) []spec.Case {
	f := flag.Lookup("test.run")
	if f == nil {
		return cases
	}
	_, pattern, found := strings.Cut(f.Value.String(), "/")
	if !found {
		return cases
	}
	expr, err := regexp.Compile(pattern)
	if err != nil {
		return cases // the testing package reports it
	}
	var kept []spec.Case
	for _, c := range cases {
		if expr.MatchString(c.ID) {
			kept = append(kept, c)
		}
	}
	return kept
}

func describe(res Result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s [%s, %s]\nrequires: %s\nsource:   %s\n", res.Case.Title, res.Case.Level, res.Verdict, res.Case.Requirement, res.Case.Source)
	if res.Reason != "" {
		fmt.Fprintf(&b, "reason:   %s\n", res.Reason)
	}
	if res.Failure != nil {
		fmt.Fprintf(&b, "found:    %v\n", res.Failure)
		if res.Trace != nil {
			b.WriteString("on the wire (> sent, < received):\n")
			res.Trace.WriteTo(&b)
		}
	}
	return b.String()
}
