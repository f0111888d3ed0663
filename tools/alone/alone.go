// Package alone proves that each module of this workspace can be used without
// the others' folders: it publishes the tree into a private proxy and then
// works as a stranger would, with GOWORK=off. It tidies, builds, vets and tests
// every module, builds and runs one small program for each kind of user, and
// publishes one module a second time to show that versions are independent.
package alone

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/siokit/siokit/tools/pack"
	"github.com/siokit/siokit/tools/workspace"
)

// Step is one thing that was tried.
type Step struct {
	Name string
	Took time.Duration
	Err  error // nil when it worked; else its text holds what the command printed
}

// Options choose what [Run] does.
type Options struct {
	Modules []string   // folders of the modules to build and test; none means all
	Done    func(Step) // called after each step; may be nil
}

// Run packs the workspace and tries everything. It returns the steps that it
// took; an error is returned only when it could not begin. It leaves nothing
// behind.
func Run(ctx context.Context, w *workspace.Workspace, opts Options) (steps []Step, err error) {
	tree, err := pack.Copy(w)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, tree.Remove()) }()
	r := runner{tree: tree, opts: opts}
	for _, m := range tree.Workspace.Modules {
		if err := tree.Publish(m); err != nil {
			return nil, err
		}
	}
	if err := r.modules(ctx); err != nil {
		return r.steps, err
	}
	if len(opts.Modules) > 0 {
		return r.steps, nil
	}
	if err := r.consumers(ctx); err != nil {
		return r.steps, err
	}
	return r.steps, r.twice(ctx)
}

type runner struct {
	tree  *pack.Tree
	opts  Options
	steps []Step
}

// try takes one step.
func (r *runner) try(name string, f func() error) bool {
	start := time.Now()
	s := Step{Name: name, Err: f()}
	s.Took = time.Since(start)
	r.steps = append(r.steps, s)
	if r.opts.Done != nil {
		r.opts.Done(s)
	}
	return s.Err == nil
}

// modules tidies, builds, vets and tests each module. What is not released is not
// tested here: its tests are about the whole tree.
func (r *runner) modules(ctx context.Context) error {
	env, err := r.tree.Env(ctx, "modules")
	if err != nil {
		return err
	}
	w := r.tree.Workspace
	released := map[string]bool{}
	for _, m := range w.Released() {
		released[m.Dir] = true
	}
	chosen := map[string]bool{}
	for _, dir := range r.opts.Modules {
		if _, ok := w.Module(dir); !ok {
			return fmt.Errorf("alone: no module in %s", dir)
		}
		chosen[dir] = true
	}
	for _, m := range w.Modules {
		if len(chosen) > 0 && !chosen[m.Dir] {
			continue
		}
		dir := r.tree.Dir(m)
		r.try("tidy "+m.Dir, func() error {
			t, err := r.tree.Tidy(ctx, env, m)
			if err == nil && t.Changed() {
				err = errors.New("go.mod or go.sum is not tidy: make tidy")
			}
			return err
		})
		built := r.try("build "+m.Dir, func() error {
			if _, err := env.Go(ctx, dir, "build", "./..."); err != nil {
				return err
			}
			_, err := env.Go(ctx, dir, "vet", "./...")
			return err
		})
		if built && released[m.Dir] {
			r.try("test "+m.Dir, func() error {
				_, err := env.Go(ctx, dir, "test", "-timeout=10m", "./...")
				return err
			})
		}
	}
	return nil
}
