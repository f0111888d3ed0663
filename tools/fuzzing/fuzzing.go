// Package fuzzing gives each native fuzz target of this workspace some time. It
// works in a copy of the tree and with a cache of its own, so that neither a
// failing input nor anything else stays behind: an input that fails is shown
// instead.
package fuzzing

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/siokit/siokit/tools/internal/group"
	"github.com/siokit/siokit/tools/workspace"
)

// grace is how long a target may take beside the time it was given: for its seeds,
// and to make a failing input smaller.
const grace = 5 * time.Minute

// Options choose what [Run] does.
type Options struct {
	Time     time.Duration // how long each target runs
	Patterns []string      // packages in which to look for targets; none means all
	Done     func(Result)  // called after each target, by one goroutine at a time; may be nil
}

// Result is what became of one target.
type Result struct {
	Package    string // import path
	Target     string // such as FuzzDecode
	Executions int64
	Took       time.Duration
	Err        error // nil when no input failed; else its text holds the input and what was printed
}

// Run builds each package that has fuzz targets once and runs as many targets at
// a time as there are processors, each with one worker. An error is returned only
// when it could not begin; a package that does not build is one.
func Run(ctx context.Context, w *workspace.Workspace, opts Options) (err error) {
	dir, err := os.MkdirTemp("", "fuzzing-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	packages, err := find(ctx, w, opts.Patterns)
	if err != nil {
		return err
	}
	tree := filepath.Join(dir, "tree")
	if err := os.Mkdir(tree, 0o755); err != nil {
		return err
	}
	if _, err := w.Copy(tree); err != nil {
		return err
	}
	var targets []*target
	for i, p := range packages {
		binary := filepath.Join(dir, fmt.Sprintf("package%d.test", i))
		if err := build(ctx, w, p, binary); err != nil {
			return err
		}
		at, err := filepath.Rel(w.Root, p.Dir)
		if err != nil {
			return err
		}
		for _, name := range p.targets {
			targets = append(targets, &target{
				Result: Result{Package: p.ImportPath, Target: name},
				time:   opts.Time,
				binary: binary,
				dir:    filepath.Join(tree, at),
				cache:  filepath.Join(dir, "cache"),
			})
		}
	}
	runAll(ctx, targets, opts.Done)
	return nil
}

// build compiles the tests of a package with what the fuzzer needs to see where an
// input leads.
func build(ctx context.Context, w *workspace.Workspace, p listed, binary string) error {
	cmd := group.Command(ctx, "go", "test", "-c", "-fuzz=.", "-o", binary, p.ImportPath)
	cmd.Dir = w.Root
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("fuzzing: %s does not build: %w\n%s", p.ImportPath, err, out)
	}
	return nil
}

// runAll ends when all targets have.
func runAll(ctx context.Context, targets []*target, done func(Result)) {
	queue := make(chan *target)
	var (
		mu   sync.Mutex // one Done at a time
		wait sync.WaitGroup
	)
	for range runtime.GOMAXPROCS(0) {
		wait.Go(func() {
			for t := range queue {
				t.run(ctx)
				mu.Lock()
				if done != nil {
					done(t.Result)
				}
				mu.Unlock()
			}
		})
	}
	for _, t := range targets {
		queue <- t
	}
	close(queue)
	wait.Wait()
}
