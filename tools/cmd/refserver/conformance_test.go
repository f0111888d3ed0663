package main

import (
	"log"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/siokit/siokit/conformance"
	"github.com/siokit/siokit/conformance/spec"
)

// TestConformsInProcess runs the conformance suite on the fixture as a handler
// of this process; tools/suite runs it on the command, by its URL. Attackers and
// server share two cores and the race detector here, so pongs have 600 ms to come:
// what is asked is who survives, and the suite's times follow the handshake's.
func TestConformsInProcess(t *testing.T) {
	for _, c := range []struct {
		name string
		opts conformance.Options
		args []string
	}{
		{"protocol", conformance.Options{Strict: true}, nil},
		{"robustness", conformance.Options{Strict: true, Profiles: []spec.Profile{spec.Robustness}}, []string{"-ping-timeout", "600ms"}},
	} {
		t.Run(c.name, func(t *testing.T) { conformance.Test(t, inProcess(t, c.args...), c.opts) })
	}
}

// TestQuirksOfTheContract: how a server goes, and the client's code, which no
// verdict of the suite asks for.
func TestQuirksOfTheContract(t *testing.T) {
	client := t.TempDir()
	if err := os.WriteFile(filepath.Join(client, "socket.io.js"), []byte("// code"), 0o600); err != nil {
		t.Fatal(err)
	}
	report, err := conformance.Run(t.Context(), inProcess(t, "-client", client), conformance.Options{
		Patterns: []string{"X-02", "X-04"},
		Quirks:   true,
		Repeat:   3,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range report.Results {
		if r.Verdict != conformance.Pass {
			t.Errorf("%s %s: %s %v", r.Case.ID, r.Case.Title, r.Verdict, r.Failure)
		}
	}
}

// inProcess is the fixture, which lasts for the test and logs nothing.
func inProcess(t *testing.T, args ...string) conformance.Target {
	t.Helper()
	logger, output, flags := slog.Default(), log.Writer(), log.Flags()
	slog.SetDefault(slog.New(slog.DiscardHandler))
	t.Cleanup(func() {
		slog.SetDefault(logger)
		log.SetOutput(output)
		log.SetFlags(flags)
	})
	f, end := makeFixture(t, args...)
	t.Cleanup(end)
	return conformance.Handler(f)
}
