package suite_test

import (
	"os/exec"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/siokit/siokit/conformance"
	"github.com/siokit/siokit/conformance/spec"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestServerConforms runs every case that says what the protocols demand and
// what the reference server does; each is a subtest. None may be skipped.
func TestServerConforms(t *testing.T) {
	conformance.Test(t, refserver(t), conformance.Options{Strict: true})
}

// TestServerStandsHostileClients runs the cases that try to break a server.
func TestServerStandsHostileClients(t *testing.T) {
	conformance.Test(t, refserver(t), conformance.Options{
		Strict:   true,
		Profiles: []spec.Profile{spec.Robustness},
	})
}

// refserver builds the fixture server, with the race detector if this test has
// it. A race ends the server, which is a verdict of the case that found it.
func refserver(t *testing.T) conformance.Target {
	t.Helper()
	server := filepath.Join(t.TempDir(), "refserver")
	args := []string{"build", "-o", server}
	if raceDetector {
		args = append(args, "-race")
	}
	build := exec.CommandContext(t.Context(), "go", append(args, "../cmd/refserver")...)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return conformance.Command(conformance.CommandConfig{
		Args: []string{server, "-quiet", "-addr", "{addr}"},
		Env:  []string{"GORACE=halt_on_error=1"},
	})
}
