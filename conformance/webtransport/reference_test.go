package webtransport_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os/exec"
	"testing"

	"github.com/siokit/siokit/conformance"
	"github.com/siokit/siokit/conformance/spec"
	"github.com/siokit/siokit/conformance/webtransport"
)

// The reference server passes every case, over real HTTP/3.
func TestReferencePassesEveryCase(t *testing.T) {
	ports := startReference(t)
	url, client := startBridge(t, fmt.Sprintf("127.0.0.1:%d", ports.Bridge))
	conformance.Test(t, conformance.URL(fmt.Sprintf("http://127.0.0.1:%d", ports.HTTP)), conformance.Options{
		Cases:    webtransport.Cases(webtransport.Config{URL: url, TLS: client}),
		Features: webtransport.Needs,
		Strict:   true,
	})
}

func TestCasesAreWellFormed(t *testing.T) {
	cases := webtransport.Cases(webtransport.Config{})
	if err := spec.Validate(cases); err != nil {
		t.Error(err)
	}
	for _, c := range conformance.Cases() {
		if c.In(spec.WebTransport) {
			t.Errorf("%s: the suite without QUIC holds a case of this profile", c.ID)
		}
	}
}

type ports struct{ HTTP, Bridge int }

// startReference starts engine.io from npm until the test ends.
func startReference(t *testing.T) ports {
	t.Helper()
	const dir = "testdata/reference"
	npm := exec.Command("npm", "ci", "--no-audit", "--no-fund")
	npm.Dir = dir
	if out, err := npm.CombinedOutput(); err != nil {
		t.Fatalf("the reference server needs node and npm in PATH (make setup installs them): npm ci: %v\n%s", err, out)
	}
	node := exec.CommandContext(t.Context(), "node", "server.js")
	node.Dir = dir
	out, err := node.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := node.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		node.Process.Kill()
		node.Wait()
	})
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		t.Fatalf("the reference server did not start: %v", err)
	}
	var p ports
	if err := json.Unmarshal(line, &p); err != nil {
		t.Fatal(err)
	}
	return p
}
