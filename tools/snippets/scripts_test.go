package snippets_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/siokit/siokit/tools/snippets"
	"github.com/siokit/siokit/tools/workspace"
)

// packages is the folder that Node finds its packages in.
const packages = "tools/node"

// TestScriptsRun runs every block of JavaScript.
func TestScriptsRun(t *testing.T) {
	w, err := workspace.Load(".")
	if err != nil {
		t.Fatal(err)
	}
	var reference []snippets.Snippet
	for _, s := range documents(t, w, "js") {
		switch s.File {
		case "socketio/MIGRATING.md":
			reference = append(reference, s)
		case "README.md":
			t.Run(s.Name(), func(t *testing.T) { runAsClient(t, w, s) })
		case "engineio/webtransport/README.md": // run in a browser: tools/clients
		default:
			t.Errorf("%s: nothing runs the JavaScript of this document; say here what does", s.Name())
		}
	}
	runOnReference(t, w, reference)
}

// runOnReference has the applications of npm's server run on it.
func runOnReference(t *testing.T, w *workspace.Workspace, all []snippets.Snippet) {
	t.Helper()
	runner, err := os.ReadFile("testdata/reference.mjs")
	if err != nil {
		t.Fatal(err)
	}
	type block struct {
		Name string `json:"name"`
		Code string `json:"code"`
	}
	var blocks []block
	for _, s := range all {
		blocks = append(blocks, block{s.Name(), s.Code})
	}
	input, err := json.Marshal(blocks)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	node := exec.CommandContext(ctx, "node", "--input-type=module", "--eval", string(runner))
	node.Dir = filepath.Join(w.Root, packages)
	node.Stdin = strings.NewReader(string(input))
	if out, err := node.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// runAsClient runs the client of the first page twice on the server that stands
// before it: the one that comes first hears the other.
func runAsClient(t *testing.T, w *workspace.Workspace, client snippets.Snippet) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(w.Root, client.File))
	if err != nil {
		t.Fatal(err)
	}
	build, err := snippets.Prepare(t.Context(), w, t.TempDir(), snippets.Extract(client.File, string(text), "go")[:1])
	if err != nil {
		t.Fatal(err)
	}
	err = build.Run(t.Context(), 0, func(ctx context.Context, url string) error {
		code := strings.ReplaceAll(client.Code, "http://127.0.0.1:3000", url)
		if code == client.Code {
			return errors.New("the client does not say where the server is")
		}
		return hears(ctx, filepath.Join(w.Root, packages), code, "me hello")
	})
	if err != nil {
		t.Error(err)
	}
}

// hears runs a program in two processes of Node until one of them prints a line,
// which must be the one that is wanted.
func hears(ctx context.Context, dir, code, want string) error {
	read, write := io.Pipe()
	ctx, stop := context.WithCancel(ctx)
	var both sync.WaitGroup
	defer both.Wait()
	defer read.Close()
	defer stop()
	for range 2 {
		node := exec.CommandContext(ctx, "node", "--input-type=module", "-")
		node.Dir = dir
		node.Stdin = strings.NewReader(code)
		node.Stdout = write
		node.Stderr = write
		both.Go(func() { write.CloseWithError(node.Run()) })
	}
	line, err := bufio.NewReader(read).ReadString('\n')
	if line != want+"\n" {
		return fmt.Errorf("printed %q, want %q: %v", line, want, err)
	}
	return nil
}
