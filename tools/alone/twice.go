package alone

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/mod/semver"
)

//go:embed testdata/twice/main.go
var twiceProgram []byte

// release is the file by which the second publication of eioparser differs.
const release = `package eioparser

// Release is the version that this file was added in.
const Release = %q
`

// twice publishes eioparser a second time, one patch later, and has a program
// on the same engineio use first the one and then the other: engineio was
// neither changed nor published again, so the two are versioned separately.
func (r *runner) twice(ctx context.Context) error {
	w := r.tree.Workspace
	parser, ok := w.Module("eioparser")
	engine, ok2 := w.Module("engineio")
	if !ok || !ok2 {
		return fmt.Errorf("alone: eioparser or engineio is not in go.work")
	}
	first, second := w.Version, nextPatch(w.Version)

	folder, err := r.tree.Folder("eioparser-" + second)
	if err != nil {
		return err
	}
	if err := os.CopyFS(folder, os.DirFS(r.tree.Dir(parser))); err != nil {
		return err
	}
	added := fmt.Sprintf(release, second)
	if err := os.WriteFile(filepath.Join(folder, "release.go"), []byte(added), 0o644); err != nil {
		return err
	}
	if err := r.tree.Proxy.Add(parser.Path, second, folder); err != nil {
		return err
	}

	env, err := r.tree.Env(ctx, "twice")
	if err != nil {
		return err
	}
	dir, err := r.tree.Folder("twice")
	if err != nil {
		return err
	}
	for _, version := range []string{first, second} {
		c := consumer{
			name:   "twice",
			file:   "main.go",
			source: twiceProgram,
			output: fmt.Sprintf("eioparser %s\nengineio %s\n", version, first),
		}
		r.try("engineio "+first+" on eioparser "+version, func() error {
			if err := c.write(dir); err != nil {
				return err
			}
			if _, err := env.Go(ctx, dir, "get", engine.Path+"@"+first, parser.Path+"@"+version); err != nil {
				return err
			}
			if err := c.run(ctx, env, dir); err != nil || version == first {
				return err // with the first version engineio has been tested already
			}
			_, err := env.Go(ctx, dir, "test", "-timeout=10m", engine.Path+"/...")
			return err
		})
	}
	return nil
}

// nextPatch returns the version one patch after v, a release such as v0.1.0.
func nextPatch(v string) string {
	var patch int
	minor := semver.MajorMinor(v)
	fmt.Sscanf(semver.Canonical(v), minor+".%d", &patch)
	return fmt.Sprintf("%s.%d", minor, patch+1)
}
