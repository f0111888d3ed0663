package conformance

import (
	"time"

	"github.com/siokit/siokit/conformance/probe"
	"github.com/siokit/siokit/conformance/spec"
	"github.com/siokit/siokit/conformance/wire"
)

// Verdict is how a case came out.
type Verdict string

// The verdicts.
const (
	Pass Verdict = "pass"
	// Fail: the requirement does not hold.
	Fail Verdict = "fail"
	// Died: the server ended during the case.
	Died Verdict = "died"
	// Differs: a QUIRK case in which the server does not do what the reference does.
	Differs Verdict = "differs"
	// Skip: the server lacks what the case needs, or is gone.
	Skip Verdict = "skip"
	// KnownFailing: the case failed and is listed as failing.
	KnownFailing Verdict = "known-failing"
	// KnownFlaky: the case failed and is listed as flaky.
	KnownFlaky Verdict = "known-flaky"
	// UnexpectedPass: the case is listed as failing and passed.
	UnexpectedPass Verdict = "unexpected-pass"
)

// Verdicts lists all verdicts in the order of reports.
var Verdicts = []Verdict{Pass, Fail, Died, UnexpectedPass, KnownFailing, KnownFlaky, Differs, Skip}

// Result is the outcome of one case.
type Result struct {
	Case    spec.Case
	Verdict Verdict
	// Counts tells that the verdict makes the run fail.
	Counts bool
	// Failure is set for every verdict but Pass, Skip and UnexpectedPass.
	Failure *probe.Failure
	// Reason says why the case was skipped, or how the server died.
	Reason string
	// Passed and Failed count the runs (see Options.Repeat).
	Passed, Failed int
	// Retries counts the runs that could not tell and were tried again.
	Retries  int
	Started  time.Time
	Duration time.Duration
	// Trace is what went over the wire in the run that the verdict is about.
	Trace *wire.Trace
}

// Report is the outcome of a run.
type Report struct {
	// Target names the server; Label, when set, is the name that people read.
	Target, Label string
	Started       time.Time
	Duration      time.Duration
	// Features lists what the server offers, and whether each was declared,
	// announced or found.
	Features []FoundFeature
	Options  Options
	Results  []Result
	// Stale lists entries of the known lists that match no case of the run.
	Stale []string
	// Unexplained tells of deaths of the server that no single case brings about.
	Unexplained []string
	// Interrupted tells that the run was ended before its time: it never conforms.
	Interrupted bool
}

// Exit codes of the command, and what [Report.ExitCode] returns.
const (
	ExitOK       = 0
	ExitFailures = 1
	ExitUsage    = 2 // wrong usage, or the fixture is missing, or every case was skipped
	ExitDied     = 3
)

// ExitCode sums the report up.
func (r *Report) ExitCode() int {
	code := ExitOK
	switch {
	case r.Interrupted:
		code = ExitFailures
	case len(r.Results) > 0 && r.Count(Skip, "") == len(r.Results):
		code = ExitUsage // nothing was run: nothing is known
	}
	for _, res := range r.Results {
		switch {
		case res.Verdict == Died && res.Counts:
			return ExitDied
		case res.Counts:
			code = ExitFailures
		}
	}
	if len(r.Unexplained) > 0 {
		return ExitDied
	}
	if len(r.Stale) > 0 {
		code = ExitFailures
	}
	return code
}

// Count returns how many results have a verdict and a level; an empty level
// means any.
func (r *Report) Count(v Verdict, level spec.Level) int {
	n := 0
	for _, res := range r.Results {
		if res.Verdict == v && (level == "" || res.Case.Level == level) {
			n++
		}
	}
	return n
}

// Name returns the label, or the target where there is none.
func (r *Report) Name() string {
	if r.Label != "" {
		return r.Label
	}
	return r.Target
}
