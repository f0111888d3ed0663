package results

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// event is what go test -json writes a line, described by "go doc test2json"
// and, for the build's part, by "go help buildjson".
type event struct {
	Action      string
	ImportPath  string
	Package     string
	Test        string
	Output      string
	Elapsed     float64 // seconds
	FailedBuild string
}

type testState struct {
	output strings.Builder
	ended  string // the action that ended it: pass, fail, skip
}

type packageState struct {
	tests  map[string]*testState
	order  []string
	output strings.Builder
	ended  bool
}

func (p *packageState) test(name string) *testState {
	if t := p.tests[name]; t != nil {
		return t
	}
	t := &testState{}
	p.tests[name] = t
	p.order = append(p.order, name)
	return t
}

// Read counts the results in the output of one go test -json until its end.
// Lines that are no JSON object are handed to other, which may be nil.
func Read(r io.Reader, progress Progress, other io.Writer) (Report, error) {
	var (
		total    Report
		packages = map[string]*packageState{}
		order    []string
		builds   = map[string]*strings.Builder{}
	)
	get := func(name string) *packageState {
		if p := packages[name]; p != nil {
			return p
		}
		p := &packageState{tests: map[string]*testState{}}
		packages[name] = p
		order = append(order, name)
		return p
	}
	err := eachLine(r, func(line []byte) {
		var e event
		if len(line) == 0 || line[0] != '{' || json.Unmarshal(line, &e) != nil {
			if other != nil {
				fmt.Fprintf(other, "%s\n", line)
			}
			return
		}
		switch {
		case e.Action == "build-output":
			if builds[e.ImportPath] == nil {
				builds[e.ImportPath] = &strings.Builder{}
			}
			builds[e.ImportPath].WriteString(e.Output)
		case e.Package == "":
		case e.Test != "":
			get(e.Package).testEvent(e)
		case e.Action == "output":
			get(e.Package).output.WriteString(e.Output)
		case e.Action == "pass", e.Action == "fail", e.Action == "skip":
			p := get(e.Package)
			p.ended = true
			var compiler string
			if b := builds[e.FailedBuild]; b != nil {
				compiler = b.String()
			}
			report := p.report(e, compiler)
			total.Add(report)
			if progress != nil {
				progress(e.Package, time.Duration(e.Elapsed*float64(time.Second)), report)
			}
			p.tests, p.order = nil, nil
		}
	})
	for _, name := range order {
		if p := packages[name]; !p.ended {
			total.Add(p.report(event{Action: "fail", Package: name}, ""))
		}
	}
	return total, err
}

func (p *packageState) testEvent(e event) {
	t := p.test(e.Test)
	switch e.Action {
	case "output":
		t.output.WriteString(e.Output)
	case "pass":
		t.ended = e.Action
		t.output = strings.Builder{} // nobody will read it
	case "fail", "skip":
		t.ended = e.Action
	}
}

// report counts a package that ended with e.
func (p *packageState) report(e event, compiler string) Report {
	var r Report
	children := map[string]bool{} // tests with subtests
	for name := range p.tests {
		above(name, children)
	}
	failed := map[string]bool{} // tests below which a failure has been counted
	fail := func(name, reason string) {
		r.Failures = append(r.Failures, Failure{e.Package, name, reason, p.tests[name].output.String()})
		above(name, failed)
	}
	// A subtest stands after its parent in order of appearance, so backwards
	// the parents come last and know whether one of theirs explains them.
	for _, name := range slices.Backward(p.order) {
		t := p.tests[name]
		switch {
		case failed[name]:
			r.explain(name, t.output.String())
		case t.ended == "skip":
			fail(name, "skipped")
		case t.ended == "fail":
			fail(name, "failed")
		case t.ended == "":
			fail(name, "did not finish")
		case !children[name]:
			r.Passed++
		}
	}
	slices.Reverse(r.Failures)
	if e.Action == "fail" && len(r.Failures) == 0 {
		reason := "failed"
		if e.FailedBuild != "" {
			reason = "does not build"
		}
		r.Failures = append(r.Failures, Failure{e.Package, "", reason, compiler + p.output.String()})
	}
	return r
}

// above adds what a test is a subtest of to a set. A subtest's own name may hold
// a slash, so not all of these need exist.
func above(name string, set map[string]bool) {
	for i := range name {
		if name[i] == '/' {
			set[name[:i]] = true
		}
	}
}

// explain adds what a test printed itself to the first failure among its subtests.
func (r *Report) explain(name, output string) {
	for i := range r.Failures {
		if strings.HasPrefix(r.Failures[i].Test, name+"/") {
			r.Failures[i].Output += output
			return
		}
	}
}
