package main

import (
	"bytes"
	"context"
	"fmt"
	"go/format"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// staticcheckVersion is pinned, so that a new check never breaks an old commit.
const staticcheckVersion = "honnef.co/go/tools/cmd/staticcheck@v0.8.2"

// gofmt names every Go file that gofmt would change.
func (v *verifier) gofmt(context.Context) {
	stage("gofmt")
	var found strings.Builder
	err := v.w.Files(func(name string) error {
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		source, err := os.ReadFile(filepath.Join(v.w.Root, name))
		if err != nil {
			return err
		}
		formatted, err := format.Source(source)
		switch {
		case err != nil:
			fmt.Fprintf(&found, "%s: %v\n", name, err)
		case !bytes.Equal(source, formatted):
			fmt.Fprintln(&found, name)
		}
		return nil
	})
	if err != nil {
		fmt.Fprintln(&found, err)
	}
	if found.Len() > 0 {
		v.report.Fail("gofmt", found.String())
	}
}

func (v *verifier) vet(ctx context.Context) {
	stage("go vet")
	v.lint(ctx, "go vet", append([]string{"vet"}, v.patterns()...))
}

func (v *verifier) staticcheck(ctx context.Context) {
	stage("staticcheck")
	v.lint(ctx, "staticcheck", append([]string{"run", staticcheckVersion}, v.patterns()...))
}

// lint runs the go command at the root; whatever makes it fail is one failure.
func (v *verifier) lint(ctx context.Context, name string, args []string) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = v.w.Root
	if out, err := cmd.CombinedOutput(); err != nil {
		v.report.Fail(name, fmt.Sprintf("%s%v", out, err))
	}
}

// patterns returns what the go command calls the packages to look at.
func (v *verifier) patterns() []string {
	if len(v.opts.Packages) > 0 {
		return v.opts.Packages
	}
	return v.w.Patterns()
}
