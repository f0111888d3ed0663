package pack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/siokit/siokit/tools/workspace"
)

// Tree is a copy of the workspace in a temporary folder, with a proxy beside
// it. Everything that the go command writes goes there and nowhere else.
type Tree struct {
	Workspace *workspace.Workspace // the copy
	Proxy     *Proxy
	dir       string
}

// Copy copies the workspace. The proxy is empty; see [Tree.Publish].
func Copy(w *workspace.Workspace) (_ *Tree, err error) {
	dir, err := os.MkdirTemp("", "siokit-alone-")
	if err != nil {
		return nil, fmt.Errorf("pack: %w", err)
	}
	t := &Tree{dir: dir}
	defer func() {
		if err != nil {
			err = errors.Join(err, t.Remove())
		}
	}()
	proxy, err := t.Folder("proxy")
	if err != nil {
		return nil, err
	}
	t.Proxy = NewProxy(proxy)
	tree, err := t.Folder("tree")
	if err != nil {
		return nil, err
	}
	if t.Workspace, err = w.Copy(tree); err != nil {
		return nil, fmt.Errorf("pack: %w", err)
	}
	for _, m := range t.Workspace.Modules {
		if err := t.DropOwnSums(m); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// Folder makes a folder beside the copy, gone with it, and returns its path.
func (t *Tree) Folder(name string) (string, error) {
	dir := filepath.Join(t.dir, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("pack: %w", err)
	}
	return dir, nil
}

// Dir returns the folder of a module's copy.
func (t *Tree) Dir(m workspace.Module) string {
	return filepath.Join(t.Workspace.Root, filepath.FromSlash(m.Dir))
}

// Publish adds a module of the copy to the proxy, under the version by which
// its siblings require it.
func (t *Tree) Publish(m workspace.Module) error {
	return t.Proxy.Add(m.Path, t.Workspace.Version, t.Dir(m))
}

// Env returns an environment on the tree's proxy with a module cache of the
// given name; the same name gives the same cache.
func (t *Tree) Env(ctx context.Context, cache string) (*Env, error) {
	dir, err := t.Folder("modcache-" + cache)
	if err != nil {
		return nil, err
	}
	return NewEnv(ctx, t.Proxy, t.Workspace.Prefix, dir)
}

// DropOwnSums deletes the lines of our own modules from a module's go.sum. They
// would name one packing of the tree, which the next change makes wrong.
func (t *Tree) DropOwnSums(m workspace.Module) error {
	name := filepath.Join(t.Dir(m), "go.sum")
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	var kept []byte
	for line := range bytes.Lines(data) {
		path, _, _ := bytes.Cut(line, []byte(" "))
		if !t.Workspace.Own(string(path)) {
			kept = append(kept, line...)
		}
	}
	if len(kept) == 0 {
		return os.Remove(name)
	}
	return os.WriteFile(name, kept, 0o644)
}

// Remove deletes the copy, the proxy and the module caches.
func (t *Tree) Remove() error {
	if err := os.RemoveAll(t.dir); err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	return nil
}
