// Package report writes the outcome of a run in the forms that people and
// machines read: text, JSON, JUnit XML, TAP, Markdown and HTML.
package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/siokit/siokit/conformance"
	"github.com/siokit/siokit/conformance/spec"
)

// Text writes the report for a terminal: every case that is not simply passed
// with what was expected, what came and all that went over the wire, then a
// table of the profiles and one line that sums up.
func Text(w io.Writer, r *conformance.Report) error {
	p := &printer{w: w}
	for _, res := range r.Results {
		switch res.Verdict {
		case conformance.Pass, conformance.Skip:
		default:
			p.result(res, true)
		}
	}
	p.features(r)
	p.table(r)
	for _, s := range r.Stale {
		p.printf("list entry %q matches no case of this run: take it off\n", s)
	}
	for _, s := range r.Unexplained {
		p.printf("the server died, and no single case brings that about: %s\n", s)
	}
	if r.Options.Bare {
		p.printf("a bare run asks about the handshake and refusals only; for a verdict on messages give the server the program of fixtures/CONTRACT.md\n")
	}
	p.printf("%s\n", Verdict(r))
	return p.err
}

// Begin writes the first verdict: what the server offers, and what will be asked
// of it.
func Begin(w io.Writer, features []conformance.FoundFeature, run, skipped int) {
	names := make([]string, len(features))
	for i, f := range features {
		names[i] = string(f.Feature)
	}
	fmt.Fprintf(w, "the server offers: %s\n%d cases are run, %d skipped for what it does not offer; ✗ fails a MUST, ! a REF\n", strings.Join(names, " "), run, skipped)
}

// Line writes one result on one line: the progress of a run.
func Line(w io.Writer, done, all int, res conformance.Result) {
	note := res.Case.Title
	if res.Verdict == conformance.Skip {
		note += " (" + res.Reason + ")"
	}
	fmt.Fprintf(w, "%s %*d/%d  %-6s %-5s %s\n", mark(res), len(fmt.Sprint(all)), done, all, res.Case.ID, res.Case.Level, note)
}

// Failure writes one result with its trace.
func Failure(w io.Writer, res conformance.Result) error {
	p := &printer{w: w}
	p.result(res, true)
	return p.err
}

// Verdict is the line that sums a report up.
func Verdict(r *conformance.Report) string {
	word := "CONFORMS"
	switch r.ExitCode() {
	case conformance.ExitUsage:
		word = "NOTHING WAS RUN"
	case conformance.ExitFailures:
		word = "DOES NOT CONFORM"
	case conformance.ExitDied:
		word = "THE SERVER DIED"
	}
	if r.Interrupted {
		word = "INTERRUPTED"
	}
	if r.Options.Bare {
		word += " in what needs no program on the server"
	}
	return fmt.Sprintf("%s: %s — %d cases in %v: %s", word, r.Name(), len(r.Results), r.Duration.Round(100*time.Millisecond), counts(r.Count))
}

// counts says how many cases came out how: "3 pass, 1 MUST fail".
func counts(count func(conformance.Verdict, spec.Level) int) string {
	var list []string
	for _, v := range conformance.Verdicts {
		levels := []spec.Level{spec.Must, spec.Ref, spec.Quirk, spec.Robust}
		if v == conformance.Pass || v == conformance.Skip {
			levels = []spec.Level{""} // together
		}
		for _, level := range levels {
			if n := count(v, level); n > 0 {
				list = append(list, strings.Join(strings.Fields(fmt.Sprintf("%d %s %s", n, level, v)), " "))
			}
		}
	}
	return strings.Join(list, ", ")
}

// mark is the sign of a verdict at the beginning of a line.
func mark(res conformance.Result) string {
	switch res.Verdict {
	case conformance.Pass:
		return "✓"
	case conformance.Skip:
		return "-"
	case conformance.Fail, conformance.UnexpectedPass:
		if res.Counts {
			return "✗"
		}
		return "!"
	case conformance.Died:
		return "†"
	default:
		return "~"
	}
}

type printer struct {
	w   io.Writer
	err error
}

func (p *printer) printf(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, args...)
	}
}

func (p *printer) result(res conformance.Result, trace bool) {
	c := res.Case
	p.printf("%s %s  %s  [%s, %s]\n", mark(res), c.ID, c.Title, c.Level, res.Verdict)
	p.printf("    requires: %s\n    source:   %s\n", c.Requirement, c.Source)
	if res.Failed > 0 && res.Passed > 0 {
		p.printf("    failed in %d of %d runs\n", res.Failed, res.Failed+res.Passed)
	}
	if res.Reason != "" {
		p.printf("    reason:   %s\n", indent(res.Reason))
	}
	if f := res.Failure; f != nil {
		p.printf("    found:    %s\n", indent(f.Message))
		if f.Want != "" || f.Got != "" {
			p.printf("      want    %s\n      got     %s\n", indent(f.Want), indent(f.Got))
		}
	}
	if trace && res.Trace != nil && res.Failure != nil {
		p.printf("    on the wire (> sent, < received):\n")
		for _, e := range res.Trace.Entries() {
			p.printf("      %s\n", e)
		}
	}
	p.printf("\n")
}

func indent(s string) string { return strings.ReplaceAll(s, "\n", "\n              ") }

func (p *printer) features(r *conformance.Report) {
	by := map[string][]string{}
	for _, f := range r.Features {
		by[f.By] = append(by[f.By], string(f.Feature))
	}
	for _, how := range []string{"found", "announced", "declared"} {
		if len(by[how]) > 0 {
			p.printf("features %-9s  %s\n", how+":", strings.Join(by[how], " "))
		}
	}
	p.printf("\n")
}

// table counts verdicts by profile, MUST and REF apart.
func (p *printer) table(r *conformance.Report) {
	p.printf("%-17s %12s %12s %12s %8s\n", "profile", "MUST", "REF", "other", "skipped")
	for _, profile := range spec.Profiles {
		s := Summarize(r, profile)
		if s.Cases == 0 {
			continue
		}
		p.printf("%-17s %12s %12s %12s %8d\n", profile, s.Must, s.Ref, s.Other, s.Skipped)
	}
	p.printf("\n")
}

// Ratio is how many of the cases that were run hold.
type Ratio struct{ Passed, Run int }

// String is empty when nothing was run.
func (r Ratio) String() string {
	if r.Run == 0 {
		return ""
	}
	return fmt.Sprintf("%d/%d", r.Passed, r.Run)
}

// Summary counts the results of one profile.
type Summary struct {
	Cases, Skipped   int
	Must, Ref, Other Ratio
}

// Summarize counts the results of a profile; an empty profile means all.
func Summarize(r *conformance.Report, profile spec.Profile) Summary {
	var s Summary
	for _, res := range r.Results {
		if profile == "" || res.Case.In(profile) {
			s.add(res.Case.Level, res.Verdict)
		}
	}
	return s
}

func (s *Summary) add(level spec.Level, v conformance.Verdict) {
	s.Cases++
	if v == conformance.Skip {
		s.Skipped++
		return
	}
	ratio := &s.Other
	switch level {
	case spec.Must:
		ratio = &s.Must
	case spec.Ref:
		ratio = &s.Ref
	}
	ratio.Run++
	if v == conformance.Pass || v == conformance.UnexpectedPass {
		ratio.Passed++
	}
}
