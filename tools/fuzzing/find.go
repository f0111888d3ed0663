package fuzzing

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/siokit/siokit/tools/internal/group"
	"github.com/siokit/siokit/tools/workspace"
)

// listed is what go list tells of a package, and its targets.
type listed struct {
	ImportPath   string
	Dir          string
	TestGoFiles  []string
	XTestGoFiles []string

	targets []string
}

var targetLine = regexp.MustCompile(`(?m)^func (Fuzz\w*)\(\w+ \*testing\.F\)`)

// find returns the packages that have fuzz targets.
func find(ctx context.Context, w *workspace.Workspace, patterns []string) ([]listed, error) {
	if len(patterns) == 0 {
		patterns = w.Patterns()
	}
	args := []string{"list", "-json=ImportPath,Dir,TestGoFiles,XTestGoFiles"}
	cmd := group.Command(ctx, "go", append(args, patterns...)...)
	cmd.Dir = w.Root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("fuzzing: go list: %w\n%s", err, stderr.String())
	}
	var packages []listed
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			return packages, nil
		}
		if err != nil {
			return nil, fmt.Errorf("fuzzing: go list: %w", err)
		}
		for _, file := range slices.Concat(p.TestGoFiles, p.XTestGoFiles) {
			source, err := os.ReadFile(filepath.Join(p.Dir, file))
			if err != nil {
				return nil, err
			}
			for _, match := range targetLine.FindAllSubmatch(source, -1) {
				p.targets = append(p.targets, string(match[1]))
			}
		}
		if len(p.targets) > 0 {
			packages = append(packages, p)
		}
	}
}
