package results_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/siokit/siokit/tools/internal/texttree"
	"github.com/siokit/siokit/tools/results"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestReadCountsARealRun runs the go command on a small module with one package
// for each way in which a run can go wrong.
func TestReadCountsARealRun(t *testing.T) {
	archive, err := os.ReadFile(filepath.Join("testdata", "module.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	dir := texttree.Write(t, string(archive))
	cmd := exec.CommandContext(t.Context(), "go", "test", "-json", "-timeout", "3s", "./...")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	out, err := cmd.Output()
	if err == nil {
		t.Fatal("go test passed a module of failures")
	}

	var ended []string
	report, err := results.Read(bytes.NewReader(out), func(pkg string, _ time.Duration, r results.Report) {
		ended = append(ended, pkg+": "+r.String())
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"m/build: 0 passed, 1 failed",
		"m/crash: 1 passed, 1 failed",
		"m/empty: 0 passed, 0 failed",
		"m/hang: 0 passed, 1 failed",
		"m/leak: 1 passed, 1 failed",
		"m/mixed: 3 passed, 2 failed",
	}
	slices.Sort(ended) // packages run at the same time
	if diff := cmp.Diff(want, ended); diff != "" {
		t.Errorf("results of each package (-want +got):\n%s", diff)
	}
	if got, want := report.String(), "5 passed, 6 failed"; got != want {
		t.Errorf("total: %q, want %q", got, want)
	}

	var printed strings.Builder
	report.Print(&printed)
	for _, text := range []string{
		"m/build: does not build", "undefined: missing",
		"m/crash TestPanic: failed", "panic: boom",
		"m/hang TestHang/deep: did not finish", "test timed out after 3s",
		"m/leak: failed", "found something left over",
		"m/mixed TestBad/wrong: failed", "these were wrong", "said by the parent",
		"m/mixed TestSkip: skipped", "no reason",
	} {
		if !strings.Contains(printed.String(), text) {
			t.Errorf("printed failures lack %q", text)
		}
	}
	if t.Failed() {
		t.Log(printed.String())
	}
}

func TestReadOfABrokenOffStreamFails(t *testing.T) {
	stream := `{"Action":"start","Package":"m/p"}
{"Action":"run","Package":"m/p","Test":"TestA"}
{"Action":"pass","Package":"m/p","Test":"TestA"}
no JSON here
{"Action":"run","Package":"m/p","Test":"TestB"}
`
	var other strings.Builder
	report, err := results.Read(strings.NewReader(stream), nil, &other)
	if err != nil {
		t.Fatal(err)
	}
	want := results.Report{
		Passed:   1,
		Failures: []results.Failure{{Package: "m/p", Test: "TestB", Reason: "did not finish"}},
	}
	if diff := cmp.Diff(want, report); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
	if got := other.String(); got != "no JSON here\n" {
		t.Errorf("other output: %q", got)
	}
}

func TestPrintShortensALongOutput(t *testing.T) {
	var r results.Report
	r.Fail("vet", strings.Repeat("line\n", 500)+"the last one\n")
	var printed strings.Builder
	r.Print(&printed)
	if got := strings.Count(printed.String(), "\n"); got > 130 {
		t.Errorf("%d lines printed", got)
	}
	if !strings.Contains(printed.String(), "the last one") {
		t.Error("the end of the output is missing")
	}
}
