package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/siokit/siokit/conformance"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestExitCodes(t *testing.T) {
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	quick := checkCommand{Patience: 200 * time.Millisecond, Quiet: 50 * time.Millisecond, Slack: 50 * time.Millisecond, Timeout: 5 * time.Second, Repeat: 1, Parallel: 4}
	tests := map[string]struct {
		change func(*checkCommand)
		code   int
		err    string
	}{
		"no target":      {func(*checkCommand) {}, conformance.ExitUsage, "--url or --cmd"},
		"no fixture":     {func(c *checkCommand) { c.URL = plain.URL }, conformance.ExitUsage, "does not offer the contract"},
		"no such server": {func(c *checkCommand) { c.URL = "http://127.0.0.1:1" }, conformance.ExitUsage, "nothing listens"},
		"no such case":   {func(c *checkCommand) { c.URL, c.Patterns = plain.URL, []string{"Z-99"} }, conformance.ExitUsage, "matches no case"},
		"no such profile": {func(c *checkCommand) { c.URL, c.Profile = plain.URL, []string{"nonsense"} },
			conformance.ExitUsage, "there is no profile"},
		"failures": {func(c *checkCommand) {
			c.URL, c.Patterns, c.Features = plain.URL, []string{"E-HS-02"}, []string{"handshake", "polling"}
		}, conformance.ExitFailures, ""},
		"known failures": {func(c *checkCommand) {
			c.URL, c.Patterns, c.Features, c.KnownFailing = plain.URL, []string{"E-HS-02"}, []string{"handshake", "polling"}, "E-HS-*"
		}, conformance.ExitOK, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := quick
			tt.change(&c)
			code, err := c.run(t.Context(), io.Discard, io.Discard)
			if code != tt.code {
				t.Errorf("exit code %d, want %d", code, tt.code)
			}
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("error %v, want %q", err, tt.err)
			}
		})
	}
}

func TestListAndReports(t *testing.T) {
	var out strings.Builder
	list := checkCommand{List: true, Patterns: []string{"E-UP"}}
	if code, err := list.run(t.Context(), &out, io.Discard); code != 0 || err != nil || !strings.Contains(out.String(), "E-UP-01") || strings.Contains(out.String(), "E-HS-01") {
		t.Errorf("%d, %v, %s", code, err, out.String())
	}
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	file := filepath.Join(t.TempDir(), "report.json")
	check := checkCommand{URL: plain.URL, Patterns: []string{"E-HS-02"}, Features: []string{"handshake"}, JSON: file, Repeat: 1, Parallel: 1, Timeout: time.Second}
	if code, err := check.run(t.Context(), io.Discard, io.Discard); code != conformance.ExitFailures || err != nil {
		t.Fatalf("%d, %v", code, err)
	}
	out.Reset()
	matrix := matrixCommand{Reports: []string{file, file}, HTML: file + ".html"}
	if code, err := matrix.run(t.Context(), &out, io.Discard); code != 0 || err != nil || !strings.Contains(out.String(), "| E-HS-02 | MUST |") {
		t.Errorf("%d, %v, %s", code, err, out.String())
	}
	if _, err := os.Stat(file + ".html"); err != nil {
		t.Error(err)
	}
}
