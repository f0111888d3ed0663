package alone

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/siokit/siokit/tools/pack"
)

// The programs are read as they would be written by somebody else: each a
// main.go that ends with an Output comment, as Go's own examples do, or a
// main_test.go that passes.
//
//go:embed testdata/consumers
var programs embed.FS

// consumer is a small program that uses one part of the toolkit.
type consumer struct {
	name    string
	file    string // main.go, or main_test.go
	source  []byte
	output  string   // what main.go must print
	modules []string // the modules that it may link, when its comment lists them
}

// readConsumers returns the programs below testdata/consumers.
func readConsumers() ([]consumer, error) {
	const root = "testdata/consumers"
	entries, err := fs.ReadDir(programs, root)
	if err != nil {
		return nil, err
	}
	var all []consumer
	for _, e := range entries {
		files, err := fs.Glob(programs, path.Join(root, e.Name(), "*.go"))
		if err != nil {
			return nil, err
		}
		if len(files) != 1 {
			return nil, fmt.Errorf("alone: consumer %s has %d files, not one", e.Name(), len(files))
		}
		source, err := fs.ReadFile(programs, files[0])
		if err != nil {
			return nil, err
		}
		c, err := parseConsumer(e.Name(), path.Base(files[0]), source)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

func parseConsumer(name, base string, source []byte) (consumer, error) {
	c := consumer{name: name, file: base, source: source}
	file, err := parser.ParseFile(token.NewFileSet(), name+"/"+base, source, parser.ParseComments)
	if err != nil {
		return c, err
	}
	found := false
	for _, group := range file.Comments {
		if text, ok := strings.CutPrefix(group.Text(), "Output:\n"); ok {
			c.output, found = text, true
		}
		c.modules = append(c.modules, links(group)...)
	}
	if !found && !c.tests() {
		return c, fmt.Errorf("alone: consumer %s has no Output comment", name)
	}
	return c, nil
}

// tests reports whether the consumer is a test.
func (c consumer) tests() bool { return strings.HasSuffix(c.file, "_test.go") }

// links reads the list after "Links only:" in a comment.
func links(group *ast.CommentGroup) []string {
	_, list, ok := strings.Cut(group.Text(), "Links only:")
	if !ok {
		return nil
	}
	list, _, _ = strings.Cut(list, "\n\n")
	return strings.Fields(strings.ReplaceAll(list, ",", " "))
}

// write makes the consumer's module in dir. Nothing is required yet.
func (c consumer) write(dir string) error {
	mod := "module example.com/" + c.name + "\n\ngo 1.26.0\n"
	return errors.Join(
		os.WriteFile(filepath.Join(dir, "go.mod"), []byte(mod), 0o644),
		os.WriteFile(filepath.Join(dir, c.file), c.source, 0o644),
	)
}

// run builds the program in dir and runs it, or its test.
func (c consumer) run(ctx context.Context, env *pack.Env, dir string) error {
	if _, err := env.Go(ctx, dir, "vet", "."); err != nil {
		return err
	}
	if c.tests() {
		_, err := env.Go(ctx, dir, "test", ".")
		return err
	}
	out, err := env.Go(ctx, dir, "run", ".")
	if err != nil {
		return err
	}
	if got := string(bytes.TrimSpace(out)); got != strings.TrimSpace(c.output) {
		return fmt.Errorf("printed\n%s\nwant\n%s", got, c.output)
	}
	return c.checkLinks(ctx, env, dir)
}

// checkLinks compares the modules that the program links with its comment.
func (c consumer) checkLinks(ctx context.Context, env *pack.Env, dir string) error {
	if len(c.modules) == 0 {
		return nil
	}
	out, err := env.Go(ctx, dir, "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}}{{end}}{{end}}", ".")
	if err != nil {
		return err
	}
	got := strings.Fields(string(out))
	slices.Sort(got)
	got = slices.Compact(got)
	want := slices.Sorted(slices.Values(c.modules))
	if !slices.Equal(got, want) {
		return fmt.Errorf("links %q, want %q", got, want)
	}
	return nil
}

// consumers runs each program in a module and with a module cache of its own.
func (r *runner) consumers(ctx context.Context) error {
	all, err := readConsumers()
	if err != nil {
		return err
	}
	for _, c := range all {
		env, err := r.tree.Env(ctx, "consumer-"+c.name)
		if err != nil {
			return err
		}
		dir, err := r.tree.Folder("consumer-" + c.name)
		if err != nil {
			return err
		}
		r.try("use "+c.name, func() error {
			if err := c.write(dir); err != nil {
				return err
			}
			if _, err := env.Go(ctx, dir, "mod", "tidy"); err != nil {
				return err
			}
			return c.run(ctx, env, dir)
		})
	}
	return nil
}
