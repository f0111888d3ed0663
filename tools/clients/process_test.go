package clients_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// startTime bounds the start of a program, stopTime its end after SIGTERM.
const (
	startTime = time.Minute
	stopTime  = 30 * time.Second
)

// binaries is where the programs under test are built, once for each.
var binaries struct {
	dir string
	mu  sync.Mutex
}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "siokit-clients-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binaries.dir = dir
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		os.RemoveAll(dir)
		os.Exit(code)
	}))
}

// build compiles a program of the workspace, with the race detector if the
// test itself runs with it.
func build(t testing.TB, pkg string) string {
	t.Helper()
	binaries.mu.Lock()
	defer binaries.mu.Unlock()
	path := filepath.Join(binaries.dir, filepath.Base(pkg))
	if _, err := os.Stat(path); err == nil {
		return path
	}
	args := []string{"build", "-o", path}
	if raceEnabled {
		args = append(args, "-race")
	}
	if out, err := exec.Command("go", append(args, pkg)...).CombinedOutput(); err != nil {
		t.Fatalf("go build %s: %v\n%s", pkg, err, out)
	}
	return path
}

// tool returns the path of a program that must be installed.
func tool(t testing.TB, name, install string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is not installed: %s (make test does it)", name, install)
	}
	return path
}

// node returns the path of Node.js, when the npm packages are there too.
func node(t testing.TB) string {
	t.Helper()
	path := tool(t, "node", "apt-get install nodejs npm")
	if _, err := os.Stat("../node/node_modules/socket.io-client"); err != nil {
		t.Fatalf("the npm packages are not installed: npm ci --prefix tools/node (make test does it): %v", err)
	}
	return path
}

// process is a program that runs until the end of its test.
type process struct {
	url    string
	cmd    *exec.Cmd
	stderr bytes.Buffer
	exited chan struct{} // closed when Wait has returned
	err    error         // what it returned
}

var listening = regexp.MustCompile(`http://[\d.]+:\d+`)

// start starts a server and waits for the line with its URL. At the end of the
// test it must end by itself, with status 0, on SIGTERM.
func start(t testing.TB, path string, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(path, args...), exited: make(chan struct{})}
	p.cmd.Stderr = &p.stderr
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := make(chan string, 1)
	go func() { // ends when the process has closed its output, which stop waits for
		defer close(p.exited)
		for scanner := bufio.NewScanner(stdout); scanner.Scan(); {
			if url := listening.FindString(scanner.Text()); url != "" {
				select {
				case lines <- url:
				default:
				}
			}
		}
		p.err = p.cmd.Wait()
	}()
	t.Cleanup(func() {
		if err := p.stop(); err != nil {
			t.Errorf("%s: %v", filepath.Base(path), err)
		}
		if t.Failed() {
			t.Logf("%s wrote:\n%s", filepath.Base(path), tail(p.stderr.Bytes()))
		}
	})
	select {
	case p.url = <-lines:
	case <-p.exited:
		t.Fatalf("%s ended before it listened: %v\n%s", path, p.err, p.stderr.Bytes())
	case <-time.After(startTime):
		t.Fatalf("%s does not listen after %v", path, startTime)
	}
	return p
}

// stop ends the process; it may be called more than once.
func (p *process) stop() error {
	select {
	case <-p.exited:
		return p.err
	default:
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.exited:
		if p.err != nil {
			return fmt.Errorf("after SIGTERM: %w", p.err)
		}
		return nil
	case <-time.After(stopTime):
		p.cmd.Process.Kill()
		<-p.exited
		return fmt.Errorf("still running %v after SIGTERM", stopTime)
	}
}

// tail is the end of a long text.
func tail(text []byte) []byte {
	const most = 16 << 10
	return text[max(0, len(text)-most):]
}

// refserver starts the server under test. Its pings leave a busy machine time.
func refserver(t testing.TB, args ...string) *process {
	t.Helper()
	args = append([]string{"-addr", "127.0.0.1:0", "-ping-interval", "1s", "-ping-timeout", "4s", "-connect-timeout", "10s", "-upgrade-timeout", "10s"}, args...)
	return start(t, build(t, "github.com/siokit/siokit/tools/cmd/refserver"), args...)
}

// reference starts npm's socket.io with the same handlers.
func reference(t testing.TB) *process {
	t.Helper()
	return start(t, node(t), "reference/server.mjs", "--ping-interval", "1000", "--ping-timeout", "4000", "--connect-timeout", "10000")
}

// get waits until url answers.
func get(ctx context.Context, url string) (*http.Response, error) {
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return nil, err
		}
		response, err := http.DefaultClient.Do(request)
		if err == nil || ctx.Err() != nil {
			return response, err
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}
