package goclient_test

import (
	"bufio"
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long these tests wait for what must come.
const patience = 30 * time.Second

// reference starts npm's servers, which end with the test, and returns their
// URL.
func reference(t testing.TB) string {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatal("node is not installed: apt-get install nodejs npm (make setup does it)")
	}
	if _, err := os.Stat("../node/node_modules/engine.io"); err != nil {
		t.Fatalf("the npm packages are not installed: npm ci --prefix tools/node (make setup does it): %v", err)
	}
	cmd := exec.Command(node, "../clients/reference/server.mjs", "--ping-interval", "1000", "--ping-timeout", "10000")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	t.Cleanup(func() {
		kill := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
		defer kill.Stop()
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil || t.Failed() {
			t.Errorf("server.mjs: %v\n%s", err, stderr.Bytes())
		}
	})
	url := strings.TrimSpace(line)
	if err != nil || !strings.HasPrefix(url, "http://") {
		t.Fatalf("server.mjs says %q, %v", line, err)
	}
	return url
}
