package clients_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"testing"
)

// python returns the path of a Python that has python-socketio, with what that
// needs for both transports: the one of PATH, or the system's.
func python(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"python3", "/usr/bin/python3"} {
		check := exec.CommandContext(t.Context(), name, "-c", "from socketio import Client; import requests, websocket")
		check.Dir = os.TempDir() // a folder socketio would be taken for the package
		if check.Run() == nil {
			return name
		}
	}
	t.Fatal("python-socketio is not installed: apt-get install python3-socketio python3-requests python3-websocket (make test does it)")
	return ""
}

// TestPythonClient runs the session of session.py, which asks of python-socketio
// what the scenarios ask of the JavaScript clients.
func TestPythonClient(t *testing.T) {
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			server := refserver(t)
			before := goroutines(t, server.url)
			for _, v := range pythonSession(t, server.url, mode) {
				t.Run(v.Name, func(t *testing.T) {
					if !v.OK {
						t.Error(v.Error)
					}
				})
			}
			noneLeft(t, server.url, before)
		})
	}
}

// TestPythonControl runs the same session against npm's socket.io.
func TestPythonControl(t *testing.T) {
	for _, v := range pythonSession(t, reference(t).url, "websocket") {
		t.Run(v.Name, func(t *testing.T) {
			if !v.OK {
				t.Error(v.Error)
			}
		})
	}
}

// pythonSession runs session.py and returns its verdicts.
func pythonSession(t *testing.T, url, mode string) (verdicts []verdict) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), runTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, python(t), "session.py", "--url", url, "--mode", mode)
	cmd.Dir = "scripts"
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Errorf("session.py: %v\n%s", err, tail(stderr.Bytes()))
	}
	for scanner := bufio.NewScanner(bytes.NewReader(out)); scanner.Scan(); {
		var v verdict
		if err := json.Unmarshal(scanner.Bytes(), &v); err != nil {
			t.Errorf("session.py printed %q: %v", scanner.Text(), err)
			continue
		}
		verdicts = append(verdicts, v)
	}
	if len(verdicts) < 25 {
		t.Errorf("only %d conversations", len(verdicts))
	}
	return verdicts
}
