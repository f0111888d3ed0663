package snippets

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"

	"github.com/siokit/siokit/tools/workspace"
)

// preferred decides where the standard library has two packages of one name.
var preferred = map[string]string{
	"rand":     "math/rand/v2",
	"template": "html/template",
}

// Packages returns the import path for the name of each package of the standard
// library and of ours. Ours win, and the shorter of two paths.
func Packages(ctx context.Context, w *workspace.Workspace) (map[string]string, error) {
	args := []string{"list", "-e", "-f", "{{.Name}} {{.ImportPath}}", "std"}
	cmd := exec.CommandContext(ctx, "go", append(args, w.Patterns()...)...)
	cmd.Dir = w.Root
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("snippets: go list: %w", err)
	}
	found := map[string]string{}
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		name, path, _ := strings.Cut(lines.Text(), " ")
		if name == "main" || strings.Contains("/"+path+"/", "/internal/") || strings.HasPrefix(path, "vendor/") {
			continue
		}
		have := found[name]
		if have == "" || w.Own(path) && !w.Own(have) || w.Own(path) == w.Own(have) && len(path) < len(have) {
			found[name] = path
		}
	}
	for name, path := range preferred {
		found[name] = path
	}
	return found, nil
}
