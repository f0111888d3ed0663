package report_test

import (
	"bytes"
	"encoding/xml"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/siokit/siokit/conformance"
	"github.com/siokit/siokit/conformance/probe"
	"github.com/siokit/siokit/conformance/report"
	"github.com/siokit/siokit/conformance/spec"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var update = flag.Bool("update", false, "write the files of testdata anew")

// sample is a report with every verdict.
func sample() *conformance.Report {
	result := func(id string, level spec.Level, v conformance.Verdict, counts bool) conformance.Result {
		return conformance.Result{
			Case: spec.Case{
				ID: id, Title: "what " + id + " does", Requirement: "A server does what " + id + " says | and <more>.",
				Source: "a document", Level: level, Profiles: []spec.Profile{spec.Polling},
			},
			Verdict: v, Counts: counts, Duration: 12 * time.Millisecond,
		}
	}
	failed := result("E-HS-02", spec.Must, conformance.Fail, true)
	failed.Failed, failed.Passed = 1, 1
	failed.Failure = &probe.Failure{Message: "another status", Want: "400", Got: "200 ok\x01#"}
	flaky := result("E-HS-05", spec.Must, conformance.KnownFlaky, false)
	flaky.Failure = &probe.Failure{Message: "nothing came"}
	differs := result("E-UP-01", spec.Quirk, conformance.Differs, false)
	differs.Failure = &probe.Failure{Message: "one\ntwo"}
	ref := result("E-UP-02", spec.Ref, conformance.Fail, false)
	ref.Failure = &probe.Failure{Message: "not as the reference"}
	skipped := result("E-UP-03", spec.Must, conformance.Skip, false)
	skipped.Reason = "the server does not offer # rooms"
	died := result("R-01", spec.Robust, conformance.Died, true)
	died.Failure, died.Reason = &probe.Failure{Message: "the connection was closed"}, "the server died (exit status 7)"
	return &conformance.Report{
		Target: "http://127.0.0.1:3000", Label: "sample", Started: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Duration: 1500 * time.Millisecond,
		Features: []conformance.FoundFeature{{Feature: spec.FeatPolling, By: "found"}, {Feature: spec.FeatRooms, By: "announced"}},
		Results: []conformance.Result{
			result("E-HS-01", spec.Must, conformance.Pass, false), failed, result("E-HS-03", spec.Must, conformance.UnexpectedPass, true),
			result("E-HS-04", spec.Must, conformance.KnownFailing, false), flaky, differs, ref, skipped, died,
		},
		Stale: []string{"X-99"},
	}
}

func TestForms(t *testing.T) {
	r := sample()
	doc := report.NewDocument(r, false)
	forms := map[string]func(io.Writer) error{
		"report.txt":  func(w io.Writer) error { return report.Text(w, r) },
		"report.json": func(w io.Writer) error { return report.JSON(w, r, false) },
		"report.xml":  func(w io.Writer) error { return report.JUnit(w, r) },
		"report.tap":  func(w io.Writer) error { return report.TAP(w, r) },
		"report.md":   func(w io.Writer) error { return report.Markdown(w, doc, doc) },
	}
	for name, write := range forms {
		t.Run(name, func(t *testing.T) {
			var got bytes.Buffer
			if err := write(&got); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", name)
			if *update {
				if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Errorf("run with -update when this is meant:\n%s", diff)
			}
		})
	}
}

func TestJUnitIsXML(t *testing.T) {
	var b bytes.Buffer
	if err := report.JUnit(&b, sample()); err != nil {
		t.Fatal(err)
	}
	d := xml.NewDecoder(&b)
	for {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func TestDocumentsComeBack(t *testing.T) {
	var b bytes.Buffer
	if err := report.JSON(&b, sample(), true); err != nil {
		t.Fatal(err)
	}
	got, err := report.ReadDocument(&b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(report.NewDocument(sample(), true), got); diff != "" {
		t.Error(diff)
	}
	if _, err := report.ReadDocument(strings.NewReader("<html>")); err == nil {
		t.Error("a page is read as a report")
	}
}

func TestPage(t *testing.T) {
	var b bytes.Buffer
	if err := report.HTML(&b, report.NewDocument(sample(), false)); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for _, want := range []string{"sample", "E-HS-02", "another status", "and &lt;more&gt;", "died during the run", "1 pass, 1 MUST fail", "9 cases in 1.5 s"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not hold %q", want)
		}
	}
	// One file that needs nothing from anywhere else.
	for _, reference := range []string{"<link", "src=", "http-equiv", "@import", "url("} {
		if strings.Contains(page, reference) {
			t.Errorf("the page refers to something else: %s", reference)
		}
	}
}

func TestVerdictLine(t *testing.T) {
	r := sample()
	if got, want := report.Verdict(r), "THE SERVER DIED: sample — 9 cases in 1.5s: 1 pass, 1 MUST fail, 1 REF fail, 1 ROBUST died, 1 MUST unexpected-pass, 1 MUST known-failing, 1 MUST known-flaky, 1 QUIRK differs, 1 skip"; got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	r.Results, r.Stale = r.Results[:1], nil
	if got := report.Verdict(r); !strings.HasPrefix(got, "CONFORMS: ") {
		t.Errorf("%s", got)
	}
}
