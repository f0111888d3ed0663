package clients_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// runTime bounds one run of all scenarios.
const runTime = 15 * time.Minute

// leaveTime is how long the traces of clients may stay: a heartbeat, or the
// connect timeout of those that never joined, and some more.
const leaveTime = 20 * time.Second

// client is a version of the official client.
type client struct{ name, pkg, major string }

var officialClients = []client{
	{"socket.io-client 4", "socket.io-client", "4"},
	{"socket.io-client 3", "socket.io-client-3", "3"},
	{"socket.io-client 2", "socket.io-client-2", "2"},
}

var modes = []string{"polling", "websocket", "upgrade"}

// verdict is a line of run.mjs.
type verdict struct {
	Name    string
	OK      bool
	Error   string
	Missing string
}

// TestOfficialClient runs every scenario with every client over every
// transport against refserver.
func TestOfficialClient(t *testing.T) {
	for _, c := range officialClients {
		for _, mode := range modes {
			t.Run(c.name+"/"+mode, func(t *testing.T) {
				t.Parallel()
				server := refserver(t)
				before := goroutines(t, server.url)
				report(t, scenarios(t, server.url, c, mode))
				noneLeft(t, server.url, before)
			})
		}
	}
}

// TestControl runs the same scenarios against npm's socket.io.
func TestControl(t *testing.T) {
	for _, c := range officialClients {
		for _, mode := range modes {
			t.Run(c.name+"/"+mode, func(t *testing.T) {
				t.Parallel()
				report(t, scenarios(t, reference(t).url, c, mode, "--control"))
			})
		}
	}
}

// TestFeatures pins what refserver announces, and with it which scenarios run:
// those whose feature is missing are left out.
func TestFeatures(t *testing.T) {
	want := []string{"eio3", "events", "limits", "longping", "msgpack", "nsps", "options", "recovery", "rooms", "servercmd"}
	out, err := exec.CommandContext(t.Context(), node(t), "scripts/features.mjs", refserver(t).url).Output()
	if err != nil {
		t.Fatalf("features.mjs: %v", err)
	}
	var got []string
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("features (-want +got):\n%s", diff)
	}
}

// goroutines asks a server how many it has.
func goroutines(t *testing.T, url string) int {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: startTime}
	response, err := client.Get(url + "/debug/goroutines")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// noneLeft waits until a server has no more goroutines than before its clients
// came: whatever they did, nothing of them may stay.
func noneLeft(t *testing.T, url string, before int) {
	t.Helper()
	deadline := time.After(leaveTime)
	for {
		now := goroutines(t, url)
		if now <= before {
			return
		}
		select {
		case <-deadline:
			t.Errorf("%d goroutines, %d before the clients came", now, before)
			return
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// scenarios runs run.mjs and returns its verdicts.
func scenarios(t *testing.T, url string, c client, mode string, args ...string) []verdict {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), runTime)
	defer cancel()
	args = append([]string{"scripts/run.mjs", "--url", url, "--client", c.pkg, "--major", c.major, "--mode", mode}, args...)
	cmd := exec.CommandContext(ctx, node(t), args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Errorf("run.mjs: %v\n%s", err, tail(stderr.Bytes()))
	}
	var verdicts []verdict
	for scanner := bufio.NewScanner(bytes.NewReader(out)); scanner.Scan(); {
		var v verdict
		if err := json.Unmarshal(scanner.Bytes(), &v); err != nil {
			t.Errorf("run.mjs printed %q: %v", scanner.Text(), err)
			continue
		}
		verdicts = append(verdicts, v)
	}
	return verdicts
}

// report makes a subtest of each verdict.
func report(t *testing.T, verdicts []verdict) {
	t.Helper()
	ran := 0
	for _, v := range verdicts {
		if v.Missing != "" {
			t.Logf("left out, the server does not announce %s: %s", v.Missing, v.Name)
			continue
		}
		ran++
		t.Run(strings.ReplaceAll(v.Name, "/", "∕"), func(t *testing.T) {
			if !v.OK {
				t.Error(v.Error)
			}
		})
	}
	if ran < 30 {
		t.Errorf("only %d scenarios ran", ran)
	}
}
