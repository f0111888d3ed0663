package clients_test

import (
	"bufio"
	"context"
	"encoding/json"
	"os/exec"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// farewell is what clients make of the end of their server.
type farewell struct {
	Reasons []string `json:"reasons"`
	Call    string   `json:"call"`
}

// TestServerEnds stops servers with clients on them, ours and the reference.
func TestServerEnds(t *testing.T) {
	servers := []struct {
		name  string
		start func(testing.TB) *process
	}{
		{"siokit", func(t testing.TB) *process { return refserver(t) }},
		{"control", reference},
	}
	for _, server := range servers {
		for _, mode := range modes {
			t.Run(server.name+"/"+mode, func(t *testing.T) {
				t.Parallel()
				got := leave(t, server.start(t), mode)
				// A client that is between two requests cannot be told.
				if mode == "polling" {
					for i, reason := range got.Reasons {
						if reason == "transport error" {
							got.Reasons[i] = "transport close"
						}
					}
				}
				want := farewell{
					Reasons: []string{"transport close", "transport close", "transport close"},
					Call:    "socket has been disconnected",
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("what the clients saw (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// leave runs leave.mjs and stops the server when it is connected.
func leave(t *testing.T, server *process, mode string) (result farewell) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, node(t), "scripts/leave.mjs", "--url", server.url, "--mode", mode)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	if lines.Scan() {
		if err := server.stop(); err != nil {
			t.Error(err)
		}
		if lines.Scan() {
			if err := json.Unmarshal(lines.Bytes(), &result); err != nil {
				t.Error(err)
			}
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("leave.mjs: %v", err)
	}
	return result
}
