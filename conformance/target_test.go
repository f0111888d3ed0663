package conformance_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/siokit/siokit/conformance"
	"github.com/siokit/siokit/conformance/probe"
	"github.com/siokit/siokit/conformance/spec"
)

func answers(t *probe.T) { t.Get("/hello").Is(200, "/hello") }

func kills(t *probe.T) { t.Get("/die").Status(200) }

func TestACommandThatDiesIsStartedAgain(t *testing.T) {
	cases := []spec.Case{fake("T-01", spec.Must, answers), fake("T-02", spec.Must, kills), fake("T-03", spec.Must, answers), fake("T-04", spec.Must, answers)}
	for name, alone := range map[string]bool{"side by side": false, "alone": true} {
		t.Run(name, func(t *testing.T) {
			for i := range cases {
				cases[i].Alone = alone
			}
			opts := bare(cases...)
			opts.Timing.Patience = 5 * time.Second
			report, err := conformance.Run(t.Context(), command(t), opts)
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]string{"T-01": "pass", "T-02": "died!", "T-03": "pass", "T-04": "pass"}
			if diff := cmp.Diff(want, verdicts(report)); diff != "" {
				t.Error(diff)
			}
			if code := report.ExitCode(); code != conformance.ExitDied {
				t.Errorf("exit code %d, want %d", code, conformance.ExitDied)
			}
			if reason := report.Results[1].Reason; !strings.Contains(reason, "exit status 7") || !strings.Contains(reason, "asked to die") {
				t.Errorf("the reason does not tell how the server died: %s", reason)
			}
		})
	}
}

func TestACommandThatDoesNotBegin(t *testing.T) {
	for name, args := range map[string][]string{
		"ends at once":    {"/bin/sh", "-c", "echo cannot find the configuration; exit 3"},
		"is not there":    {"/no/such/program"},
		"listens nowhere": {"/bin/sh", "-c", "echo waiting; sleep 60"},
		"is empty":        nil,
	} {
		t.Run(name, func(t *testing.T) {
			target := conformance.Command(conformance.CommandConfig{Args: args, StartTimeout: 300 * time.Millisecond})
			report, err := conformance.Run(t.Context(), target, bare(fake("T-01", spec.Must, passes)))
			if err == nil {
				t.Fatalf("a report came: %v", report)
			}
			if name == "ends at once" && !strings.Contains(err.Error(), "cannot find the configuration") {
				t.Errorf("the error does not show the output: %v", err)
			}
		})
	}
}

func TestServersOfURLs(t *testing.T) {
	tests := map[string]probe.Server{
		"http://127.0.0.1:3000":     {Addr: "127.0.0.1:3000", Host: "127.0.0.1:3000"},
		"127.0.0.1:3000":            {Addr: "127.0.0.1:3000", Host: "127.0.0.1:3000"},
		"http://example.test":       {Addr: "example.test:80", Host: "example.test"},
		"http://[::1]:8080/app/":    {Addr: "[::1]:8080", Host: "[::1]:8080", EnginePath: "/app/engine.io/", SocketPath: "/app/socket.io/"},
		"ws://example.test:81/a/b":  {Addr: "example.test:81", Host: "example.test:81", EnginePath: "/a/b/engine.io/", SocketPath: "/a/b/socket.io/"},
		"https://example.test/path": {Addr: "example.test:443", Host: "example.test", EnginePath: "/path/engine.io/", SocketPath: "/path/socket.io/"},
	}
	for raw, want := range tests {
		t.Run(raw, func(t *testing.T) {
			got, err := conformance.URL(raw).Start(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if secure := strings.HasPrefix(raw, "https"); secure != (got.TLS != nil) {
				t.Errorf("TLS is %v", got.TLS)
			}
			got.TLS = nil
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	for _, raw := range []string{"ftp://example.test", "http://", "http://a b"} {
		if got, err := conformance.URL(raw).Start(t.Context()); err == nil {
			t.Errorf("%q is read as %v", raw, got)
		}
	}
}

func TestPathsReplaceThoseOfTheContract(t *testing.T) {
	target := conformance.Paths(command(t), "/echo/", "/chat/")
	opts := bare(
		fake("T-01", spec.Must, func(t *probe.T) { t.Get("/engine.io/x").Is(200, "/echo/x") }),
		fake("T-02", spec.Must, func(t *probe.T) { t.Get("/socket.io/").Is(200, "/chat/") }),
		fake("T-03", spec.Must, func(t *probe.T) { t.Get("/eio-slow/").Is(200, "/eio-slow/") }),
		fake("T-04", spec.Must, kills),
		fake("T-05", spec.Must, func(t *probe.T) { t.Get("/engine.io/").Is(200, "/echo/") }),
	)
	opts.Timing.Patience, opts.Parallel = 5*time.Second, 1
	report, err := conformance.Run(t.Context(), target, opts)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"T-01": "pass", "T-02": "pass", "T-03": "pass", "T-04": "died!", "T-05": "pass"}
	if diff := cmp.Diff(want, verdicts(report)); diff != "" {
		t.Error(diff)
	}
}

func TestReadList(t *testing.T) {
	file := filepath.Join(t.TempDir(), "list")
	if err := os.WriteFile(file, []byte("# why\nE-HS-01\n\n  E-UP-* # they differ\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for arg, want := range map[string][]string{"": nil, "A-1, B-2,": {"A-1", "B-2"}, "@" + file: {"E-HS-01", "E-UP-*"}} {
		got, err := conformance.ReadList(arg)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
	if _, err := conformance.ReadList("@" + file + ".not"); err == nil {
		t.Error("a file that is not there is accepted")
	}
}
