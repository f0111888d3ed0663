package conformance_test

import (
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/siokit/siokit/conformance"
	"github.com/siokit/siokit/conformance/probe"
	"github.com/siokit/siokit/conformance/spec"
)

func run(t *testing.T, opts conformance.Options) *conformance.Report {
	t.Helper()
	report, err := conformance.Run(t.Context(), conformance.Handler(always(200)), opts)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// verdicts is a report in short: id → verdict, with an exclamation mark when it
// counts.
func verdicts(r *conformance.Report) map[string]string {
	all := map[string]string{}
	for _, res := range r.Results {
		all[res.Case.ID] = string(res.Verdict)
		if res.Counts {
			all[res.Case.ID] += "!"
		}
	}
	return all
}

func TestVerdicts(t *testing.T) {
	needy := fake("T-05", spec.Must, passes)
	needy.Needs = []spec.Feature{spec.FeatRooms}
	cases := []spec.Case{
		fake("T-01", spec.Must, passes), fake("T-02", spec.Must, fails), fake("T-03", spec.Ref, fails),
		fake("T-04", spec.Quirk, fails), needy,
	}
	tests := map[string]struct {
		change func(*conformance.Options)
		want   map[string]string
		exit   int
	}{
		"a failing MUST counts": {func(o *conformance.Options) { o.Quirks = true },
			map[string]string{"T-01": "pass", "T-02": "fail!", "T-03": "fail", "T-04": "differs", "T-05": "skip"}, conformance.ExitFailures},
		"strict counts REF and skips, never QUIRK": {func(o *conformance.Options) { o.Quirks, o.Strict = true, true },
			map[string]string{"T-01": "pass", "T-02": "fail!", "T-03": "fail!", "T-04": "differs", "T-05": "skip!"}, conformance.ExitFailures},
		"quirks are not run unasked": {func(o *conformance.Options) {},
			map[string]string{"T-01": "pass", "T-02": "fail!", "T-03": "fail", "T-05": "skip"}, conformance.ExitFailures},
		"but by their id": {func(o *conformance.Options) { o.Patterns = []string{"t-04"} },
			map[string]string{"T-04": "differs"}, conformance.ExitOK},
		"a known failure does not count": {func(o *conformance.Options) { o.KnownFailing = []string{"T-02"} },
			map[string]string{"T-01": "pass", "T-02": "known-failing", "T-03": "fail", "T-05": "skip"}, conformance.ExitOK},
		"an unexpected pass counts": {func(o *conformance.Options) { o.KnownFailing = []string{"T-01", "T-02"} },
			map[string]string{"T-01": "unexpected-pass!", "T-02": "known-failing", "T-03": "fail", "T-05": "skip"}, conformance.ExitFailures},
		"a flaky case may pass and fail": {func(o *conformance.Options) { o.KnownFlaky = []string{"T-01", "T-02"} },
			map[string]string{"T-01": "pass", "T-02": "known-flaky", "T-03": "fail", "T-05": "skip"}, conformance.ExitOK},
		"a list entry that matches nothing counts": {func(o *conformance.Options) { o.KnownFailing, o.KnownFlaky = []string{"T-02"}, []string{"T-99"} },
			map[string]string{"T-01": "pass", "T-02": "known-failing", "T-03": "fail", "T-05": "skip"}, conformance.ExitFailures},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			opts := bare(cases...)
			tt.change(&opts)
			report := run(t, opts)
			if diff := cmp.Diff(tt.want, verdicts(report)); diff != "" {
				t.Error(diff)
			}
			if got := report.ExitCode(); got != tt.exit {
				t.Errorf("exit code %d, want %d", got, tt.exit)
			}
		})
	}
}

func TestACaseThatCannotTellIsTriedAgain(t *testing.T) {
	var runs atomic.Int32
	report := run(t, bare(fake("T-01", spec.Must, func(t *probe.T) {
		if runs.Add(1) < 3 {
			t.Unclear("too late")
		}
	})))
	if res := report.Results[0]; res.Verdict != conformance.Pass || res.Retries != 2 {
		t.Errorf("%s after %d retries, want pass after 2", res.Verdict, res.Retries)
	}
	report = run(t, bare(fake("T-01", spec.Must, func(t *probe.T) { t.Unclear("always too late") })))
	if res := report.Results[0]; res.Verdict != conformance.Fail {
		t.Errorf("%s for a case that never can tell, want fail", res.Verdict)
	}
}

func TestRepeatCountsBothWays(t *testing.T) {
	var runs atomic.Int32
	opts := bare(fake("T-01", spec.Must, func(t *probe.T) {
		if runs.Add(1)%2 == 0 {
			fails(t)
		}
	}))
	opts.Repeat = 4
	res := run(t, opts).Results[0]
	if res.Verdict != conformance.Fail || res.Passed != 2 || res.Failed != 2 {
		t.Errorf("%s, %d passed, %d failed; want fail, 2, 2", res.Verdict, res.Passed, res.Failed)
	}
}

func TestAPanicOfACaseIsAFailureOfThatCase(t *testing.T) {
	report := run(t, bare(fake("T-01", spec.Must, func(*probe.T) { panic("oops") }), fake("T-02", spec.Must, passes)))
	if diff := cmp.Diff(map[string]string{"T-01": "fail!", "T-02": "pass"}, verdicts(report)); diff != "" {
		t.Error(diff)
	}
	if msg := report.Results[0].Failure.Message; !strings.Contains(msg, "oops") {
		t.Errorf("the message is %q", msg)
	}
}

func TestCasesAloneRunAlone(t *testing.T) {
	var running atomic.Int32
	var cases []spec.Case
	for _, id := range []string{"T-01", "T-02", "T-03", "T-04"} {
		c := fake(id, spec.Must, func(t *probe.T) {
			if n := running.Add(1); n != 1 {
				t.Failf("%d cases run at once", n)
			}
			t.Get("/")
			running.Add(-1)
		})
		c.Alone = true
		cases = append(cases, c)
	}
	if code := run(t, bare(cases...)).ExitCode(); code != conformance.ExitOK {
		t.Errorf("exit code %d", code)
	}
}

func TestChoose(t *testing.T) {
	robust := fake("R-01", spec.Robust, passes)
	robust.Profiles = []spec.Profile{spec.Robustness}
	cases := []spec.Case{fake("E-HS-01", spec.Must, passes), fake("E-HS-10", spec.Quirk, passes), fake("E-UP-01", spec.Ref, passes), robust}
	tests := map[string]struct {
		opts conformance.Options
		want []string
		err  string
	}{
		"everything binding":     {conformance.Options{}, []string{"E-HS-01", "E-UP-01"}, ""},
		"with quirks":            {conformance.Options{Quirks: true}, []string{"E-HS-01", "E-HS-10", "E-UP-01"}, ""},
		"a chapter":              {conformance.Options{Patterns: []string{"e-hs"}}, []string{"E-HS-01"}, ""},
		"a pattern":              {conformance.Options{Patterns: []string{"E-*-01"}}, []string{"E-HS-01", "E-UP-01"}, ""},
		"a profile as a pattern": {conformance.Options{Patterns: []string{"robustness"}}, []string{"R-01"}, ""},
		"a profile":              {conformance.Options{Profiles: []spec.Profile{spec.Robustness}}, []string{"R-01"}, ""},
		"no such pattern":        {conformance.Options{Patterns: []string{"E-HS", "X-99"}}, nil, `"X-99" matches no case`},
		"nothing left":           {conformance.Options{Profiles: []spec.Profile{spec.Rooms}}, nil, "no case is left"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			chosen, err := conformance.Choose(cases, tt.opts)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("error %v, want one about %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var ids []string
			for _, c := range chosen {
				ids = append(ids, c.ID)
			}
			if diff := cmp.Diff(tt.want, ids); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCasesAreWellFormed(t *testing.T) {
	cases := conformance.Cases()
	if err := spec.Validate(cases); err != nil {
		t.Error(err)
	}
	if len(cases) < 500 {
		t.Errorf("%d cases", len(cases))
	}
	for name, broken := range map[string]spec.Case{
		"no title":    {ID: "T-01", Requirement: "r", Source: "s", Level: spec.Must, Profiles: spec.Profiles, Run: passes},
		"no level":    {ID: "T-01", Title: "t", Requirement: "r", Source: "s", Profiles: spec.Profiles, Run: passes},
		"no function": {ID: "T-01", Title: "t", Requirement: "r", Source: "s", Level: spec.Must, Profiles: spec.Profiles},
	} {
		if spec.Validate([]spec.Case{broken}) == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	if spec.Validate([]spec.Case{fake("T-01", spec.Must, passes), fake("T-01", spec.Must, passes)}) == nil {
		t.Error("an id used twice is accepted")
	}
}
