package suite_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/siokit/siokit/conformance"
	"github.com/siokit/siokit/conformance/report"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestServerConforms runs the suite once; each case is a subtest.
func TestServerConforms(t *testing.T) {
	server := filepath.Join(t.TempDir(), "refserver")
	args := []string{"build", "-o", server}
	if raceDetector {
		args = append(args, "-race")
	}
	args = append(args, "../cmd/refserver")
	build := exec.CommandContext(t.Context(), "go", args...)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	target := conformance.Command(conformance.CommandConfig{
		Args: []string{server, "-quiet", "-addr", "{addr}"},
		// A race ends the server, which is a verdict of the case that found it.
		Env: []string{"GORACE=halt_on_error=1"},
	})
	run, err := conformance.Run(t.Context(), target, conformance.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(run.Results) == 0 {
		t.Fatal("no case was run")
	}
	for _, death := range run.Unexplained {
		t.Error(death)
	}
	for _, result := range run.Results {
		if result.Verdict == conformance.Skip {
			continue // a feature that the server does not announce; counted by the suite's own report
		}
		t.Run(result.Case.ID, func(t *testing.T) {
			if !result.Counts && result.Verdict != conformance.Fail {
				return
			}
			var text strings.Builder
			if err := report.Failure(&text, result); err != nil {
				t.Error(err)
			}
			t.Errorf("%s, %s: %s", result.Case.Level, result.Verdict, text.String())
		})
	}
}
