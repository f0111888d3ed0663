// Package workspace reads the go.work at the root of this repository and the
// go.mod files that it lists, for the tools that work on all modules at once.
package workspace

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
)

// Module is one module of the workspace.
type Module struct {
	Path     string   // module path
	Dir      string   // slash-separated folder relative to the root, such as "sioparser/msgpack"
	Requires []string // module paths of go.mod's requirements, siblings and others, in the order of the file
	Replaces int      // number of replace lines in go.mod
	Released bool     // it is published: go.work replaces its version, since others may require it
}

// Workspace is a checkout of this repository. It does not change after [Load].
type Workspace struct {
	Root    string // absolute path of the folder that holds go.work
	Prefix  string // what the paths of all modules begin with, without a slash at the end
	Version string // the version under which the modules require each other
	Modules []Module
}

// Find returns the nearest folder at or above dir that holds a go.work.
func Find(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.work")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("workspace: no go.work here or above")
		}
		dir = parent
	}
}

// Load reads the workspace that dir lies in. The modules come in dependency
// order: each after all siblings that it requires. A circle is an error.
func Load(dir string) (*Workspace, error) {
	root, err := Find(dir)
	if err != nil {
		return nil, err
	}
	name := filepath.Join(root, "go.work")
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("workspace: %w", err)
	}
	work, err := modfile.ParseWork(name, data, nil)
	if err != nil {
		return nil, fmt.Errorf("workspace: %w", err)
	}
	w := &Workspace{Root: root}
	for _, use := range work.Use {
		m, err := readModule(root, use.Path)
		if err != nil {
			return nil, err
		}
		w.Modules = append(w.Modules, m)
	}
	if len(w.Modules) == 0 {
		return nil, errors.New("workspace: go.work uses no module")
	}
	if w.Prefix, err = prefix(w.Modules); err != nil {
		return nil, err
	}
	for _, r := range work.Replace {
		if !w.Own(r.Old.Path) {
			continue
		}
		if w.Version != "" && w.Version != r.Old.Version {
			return nil, fmt.Errorf("workspace: go.work replaces siblings at %s and at %s", w.Version, r.Old.Version)
		}
		w.Version = r.Old.Version
		for i := range w.Modules {
			if m := &w.Modules[i]; m.Path == r.Old.Path {
				m.Released = true
			}
		}
	}
	return w, w.sort()
}

func readModule(root, dir string) (Module, error) {
	dir = filepath.ToSlash(filepath.Clean(dir))
	name := filepath.Join(root, dir, "go.mod")
	data, err := os.ReadFile(name)
	if err != nil {
		return Module{}, fmt.Errorf("workspace: %w", err)
	}
	file, err := modfile.Parse(name, data, nil)
	if err != nil {
		return Module{}, fmt.Errorf("workspace: %w", err)
	}
	m := Module{Path: file.Module.Mod.Path, Dir: dir, Replaces: len(file.Replace)}
	for _, r := range file.Require {
		m.Requires = append(m.Requires, r.Mod.Path)
	}
	return m, nil
}

// prefix is what is left of a module's path without its folder, the same for all.
func prefix(modules []Module) (string, error) {
	var found string
	for _, m := range modules {
		p, ok := strings.CutSuffix(m.Path, "/"+m.Dir)
		if !ok {
			return "", fmt.Errorf("workspace: module %s lies in folder %s", m.Path, m.Dir)
		}
		if found != "" && p != found {
			return "", fmt.Errorf("workspace: two prefixes: %s and %s", found, p)
		}
		found = p
	}
	return found, nil
}

// Own reports whether an import or module path belongs to this workspace.
func (w *Workspace) Own(importPath string) bool {
	return importPath == w.Prefix || strings.HasPrefix(importPath, w.Prefix+"/")
}

// Module returns the module in a folder.
func (w *Workspace) Module(dir string) (Module, bool) {
	i := slices.IndexFunc(w.Modules, func(m Module) bool { return m.Dir == dir })
	if i < 0 {
		return Module{}, false
	}
	return w.Modules[i], true
}

// Patterns returns what the go command, run at the root, calls all packages.
func (w *Workspace) Patterns() []string {
	var all []string
	for _, m := range w.Modules {
		all = append(all, "./"+m.Dir+"/...")
	}
	return all
}

// Released returns the modules that are published. The others are examples, and
// what is about the whole tree.
func (w *Workspace) Released() []Module {
	return slices.DeleteFunc(slices.Clone(w.Modules), func(m Module) bool { return !m.Released })
}

// sort puts each module after the siblings that it requires and keeps the
// order of go.work otherwise.
func (w *Workspace) sort() error {
	byPath := make(map[string]Module, len(w.Modules))
	for _, m := range w.Modules {
		byPath[m.Path] = m
	}
	sorted := make([]Module, 0, len(w.Modules))
	state := make(map[string]int, len(w.Modules)) // 1 while visited, 2 when placed
	var visit func(Module) error
	visit = func(m Module) error {
		switch state[m.Path] {
		case 1:
			return fmt.Errorf("workspace: %s requires itself through its siblings", m.Path)
		case 2:
			return nil
		}
		state[m.Path] = 1
		for _, r := range m.Requires {
			if sibling, ok := byPath[r]; ok {
				if err := visit(sibling); err != nil {
					return err
				}
			} else if w.Own(r) {
				return fmt.Errorf("workspace: %s requires %s, which go.work does not use", m.Path, r)
			}
		}
		state[m.Path] = 2
		sorted = append(sorted, m)
		return nil
	}
	for _, m := range w.Modules {
		if err := visit(m); err != nil {
			return err
		}
	}
	w.Modules = sorted
	return nil
}

// Skipped reports whether the file or folder at a slash-separated path relative
// to the root is none of ours, as .gitignore has it: what git keeps, what npm
// installed, what a build or a measurement wrote.
func Skipped(name string) bool {
	switch name {
	case ".git", "build", "bin":
		return true
	}
	switch path.Ext(name) {
	case ".test", ".prof", ".out":
		return true
	}
	return path.Base(name) == "node_modules"
}

// Files calls f for each file of the tree with its slash-separated path
// relative to the root, in lexical order, without what [Skipped] names.
func (w *Workspace) Files(f func(name string) error) error {
	return fs.WalkDir(os.DirFS(w.Root), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && Skipped(name):
			return fs.SkipDir
		case !d.Type().IsRegular() || Skipped(name):
			return nil
		}
		return f(name)
	})
}
