// Command tidy runs go mod tidy in every module of the workspace.
//
// The go command's own tidy ignores go.work and would look for our modules
// where they may not have been published yet. This one packs the tree into a
// proxy of its own first, leaf modules before those that require them.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/alecthomas/kong"

	"github.com/siokit/siokit/tools/pack"
	"github.com/siokit/siokit/tools/workspace"
)

type options struct {
	Check bool `help:"Change nothing; fail when a go.mod or go.sum is not tidy."`
}

func main() {
	var opts options
	kong.Parse(&opts, kong.Name("tidy"), kong.Description("Tidy every go.mod and go.sum of the workspace."))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, opts); err != nil {
		fmt.Fprintln(os.Stderr, "tidy:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, opts options) (err error) {
	w, err := workspace.Load(".")
	if err != nil {
		return err
	}
	tree, err := pack.Copy(w)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tree.Remove()) }()
	env, err := tree.Env(ctx, "all")
	if err != nil {
		return err
	}
	untidy := 0
	for _, m := range tree.Workspace.Modules {
		tidied, err := tree.Tidy(ctx, env, m)
		if err != nil {
			return fmt.Errorf("%s: %w", m.Dir, err)
		}
		if err := tree.Publish(m); err != nil {
			return err
		}
		changed, err := write(filepath.Join(w.Root, filepath.FromSlash(m.Dir)), tidied, opts.Check)
		if err != nil {
			return fmt.Errorf("%s: %w", m.Dir, err)
		}
		if changed {
			untidy++
			fmt.Println(m.Dir)
		}
	}
	if opts.Check && untidy > 0 {
		return fmt.Errorf("%d modules are not tidy; make tidy mends them", untidy)
	}
	return nil
}

// write brings go.mod and go.sum in dir to what tidying made of them and
// reports whether they differed.
func write(dir string, t pack.Tidied, check bool) (bool, error) {
	changed := false
	for _, f := range []struct {
		name string
		want []byte
	}{{"go.mod", t.Mod}, {"go.sum", t.Sum}} {
		name := filepath.Join(dir, f.name)
		have, err := os.ReadFile(name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false, err
		}
		if bytes.Equal(have, f.want) {
			continue
		}
		changed = true
		switch {
		case check:
		case f.want == nil:
			err = os.Remove(name)
		default:
			err = os.WriteFile(name, f.want, 0o644)
		}
		if !check && err != nil {
			return false, err
		}
	}
	return changed, nil
}
