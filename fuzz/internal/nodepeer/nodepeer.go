// Package nodepeer keeps a Node process with the reference implementations
// alive and asks it about many cases in one round trip, so that a differential
// test makes tens of thousands of comparisons a second.
//
// A script in the folder node of this module serves named operations with
// peer.js. Requests and answers are one JSON object a line; bytes travel as
// base64, which is what encoding/json makes of a []byte and Buffer.from(s,
// "base64") reads.
package nodepeer

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// ModulesVariable names the environment variable with the node_modules folder
// to use. Unset, it is tools/node/node_modules, which `npm ci` in tools/node
// fills.
const ModulesVariable = "SIOKIT_NODE_MODULES"

// callTimeout bounds one round trip: a reference that hangs on an input is a
// finding, not a stuck test.
const callTimeout = 2 * time.Minute

// Peer is one running Node process. It is safe for concurrent use; calls wait
// for each other.
type Peer struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stderr tail

	mu  sync.Mutex
	out *bufio.Reader
}

// Start runs a script of the folder node of this module until the test ends,
// with a failure of the test if there is no Node or no package to load.
func Start(t testing.TB, script string) *Peer {
	t.Helper()
	p, err := start(script)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func start(script string) (*Peer, error) {
	root, err := root()
	if err != nil {
		return nil, err
	}
	modules := os.Getenv(ModulesVariable)
	if modules == "" {
		modules = filepath.Join(root, "tools", "node", "node_modules")
	}
	if _, err := os.Stat(modules); err != nil {
		return nil, fmt.Errorf("nodepeer: no npm packages, run `npm ci` in tools/node: %w", err)
	}
	p := &Peer{cmd: exec.Command("node", filepath.Join(root, "fuzz", "node", script))}
	p.cmd.Env = append(os.Environ(), "NODE_PATH="+modules)
	p.cmd.Stderr = &p.stderr
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.stdin, p.out = stdin, bufio.NewReaderSize(stdout, 1<<20)
	return p, p.cmd.Start()
}

// root finds the top of the repository above the folder of the running test.
func root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "fuzz", "node", "peer.js")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("nodepeer: the test does not run inside the repository")
		}
		dir = parent
	}
}

// close ends the process by the end of its input and waits for it.
func (p *Peer) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stdin.Close()
	timer := time.AfterFunc(10*time.Second, p.kill)
	defer timer.Stop()
	if err := p.cmd.Wait(); err != nil {
		return fmt.Errorf("nodepeer: %w\n%s", err, p.stderr.text())
	}
	return nil
}

func (p *Peer) kill() { p.cmd.Process.Kill() }

type request[C any] struct {
	Op    string `json:"op"`
	Cases []C    `json:"cases"`
}

type response[R any] struct {
	Results []R    `json:"results"`
	Error   string `json:"error"`
}

// Call sends all cases to the operation op in one round trip and returns one
// result for each, in order. C and R are what encoding/json makes of them.
func Call[C, R any](p *Peer, op string, cases []C) ([]R, error) {
	line, err := json.Marshal(request[C]{op, cases})
	if err != nil {
		return nil, err
	}
	answer, err := p.roundTrip(append(line, '\n'))
	if err != nil {
		return nil, fmt.Errorf("nodepeer: %s: %w\n%s", op, err, p.stderr.text())
	}
	var r response[R]
	if err := json.Unmarshal(answer, &r); err != nil {
		return nil, fmt.Errorf("nodepeer: %s: %w", op, err)
	}
	if r.Error != "" {
		return nil, fmt.Errorf("nodepeer: %s: %s", op, r.Error)
	}
	if len(r.Results) != len(cases) {
		return nil, fmt.Errorf("nodepeer: %s: %d results for %d cases", op, len(r.Results), len(cases))
	}
	return r.Results, nil
}

// roundTrip writes the line, then reads the answer. Both may be longer than the
// pipes' buffers; since the script answers only whole lines, that can't block.
func (p *Peer) roundTrip(line []byte) ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	timer := time.AfterFunc(callTimeout, p.kill)
	defer timer.Stop()
	if _, err := p.stdin.Write(line); err != nil {
		return nil, err
	}
	answer, err := p.out.ReadBytes('\n')
	if errors.Is(err, io.EOF) {
		err = errors.New("the process ended")
	}
	return answer, err
}

// tail keeps the last bytes of what the process says on its standard error.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

const tailSize = 16 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, b...)
	if extra := len(t.buf) - tailSize; extra > 0 {
		t.buf = append(t.buf[:0], t.buf[extra:]...)
	}
	return len(b), nil
}

func (t *tail) text() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	return bytes.Clone(t.buf)
}
