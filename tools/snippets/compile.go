package snippets

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/siokit/siokit/tools/workspace"
)

// folder is where the snippets' packages seem to lie. Nothing is written there:
// the go command sees them through an overlay.
const folder = "tools/snippets/overlay"

// Build is a set of snippets ready to be compiled and run.
type Build struct {
	Snippets []Snippet

	w       *workspace.Workspace
	overlay string
	files   []string // for each snippet, where its source was written
	errors  []string // for each snippet, why it has no source
}

// Prepare writes the snippets' files and the overlay that places them in the
// tools module below dir, a temporary folder.
func Prepare(ctx context.Context, w *workspace.Workspace, dir string, all []Snippet) (*Build, error) {
	packages, err := Packages(ctx, w)
	if err != nil {
		return nil, err
	}
	b := &Build{
		Snippets: all,
		w:        w,
		overlay:  filepath.Join(dir, "overlay.json"),
		files:    make([]string, len(all)),
		errors:   make([]string, len(all)),
	}
	replace := map[string]string{}
	for i, s := range all {
		name := "snippet.go"
		if s.Kind() == Test {
			name = "snippet_test.go"
		}
		source, err := s.Source(packages)
		if err != nil {
			b.errors[i] = err.Error()
			continue
		}
		file := filepath.Join(dir, fmt.Sprintf("%d_%s", i, name))
		b.files[i] = file
		if err := os.WriteFile(file, []byte(source), 0o644); err != nil {
			return nil, err
		}
		replace[filepath.Join(w.Root, filepath.FromSlash(b.pkg(i)), name)] = file
	}
	data, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return nil, err
	}
	return b, os.WriteFile(b.overlay, data, 0o644)
}

// pkg returns the folder, relative to the root, that snippet i seems to lie in.
func (b *Build) pkg(i int) string { return fmt.Sprintf("%s/s%d", folder, i) }

// forgiven are the complaints that a fragment cannot help.
var forgiven = regexp.MustCompile(`: declared and not used: |: ".*" imported and not used$`)

// Compile compiles the snippets and returns for each what is wrong with it,
// empty when nothing is. Test files are left to [Build.Run].
func (b *Build) Compile(ctx context.Context) []string {
	faults := make([]string, len(b.Snippets))
	var compiled []int
	for i, s := range b.Snippets {
		faults[i] = b.errors[i]
		if faults[i] == "" && s.Kind() != Test {
			compiled = append(compiled, i)
		}
	}
	stray := b.compile(ctx, compiled, faults)
	if stray == "" {
		return faults
	}
	// The go command stopped before it compiled anything, at an import that it
	// cannot find. One by one it says which snippet is meant.
	for _, i := range compiled {
		faults[i] = ""
		stray := b.compile(ctx, []int{i}, faults)
		faults[i] += stray
	}
	return faults
}

// compile compiles some snippets with one command, adds what the compiler says
// to their faults and returns what belongs to none of them.
func (b *Build) compile(ctx context.Context, some []int, faults []string) (stray string) {
	if len(some) == 0 {
		return ""
	}
	args := []string{"build", "-gcflags=-e", "-overlay=" + b.overlay}
	if len(some) == 1 {
		args = append(args, "-o", os.DevNull) // one package alone would be written out
	}
	byHeader := map[string]int{}
	for _, i := range some {
		args = append(args, "./"+b.pkg(i))
		byHeader["# "+b.w.Prefix+"/"+b.pkg(i)] = i
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = b.w.Root
	out, err := cmd.CombinedOutput()
	if err == nil {
		return ""
	}
	current, compilerSpoke := -1, false
	for line := range strings.Lines(string(out)) {
		if strings.HasPrefix(line, "# ") {
			i, ok := byHeader[strings.TrimSpace(line)]
			if !ok {
				i = -1
			}
			current, compilerSpoke = i, true
			continue
		}
		switch {
		case b.forgives(current, line):
		case current >= 0:
			faults[current] += line
		default:
			stray += line
		}
	}
	if !compilerSpoke && stray == "" {
		stray = err.Error()
	}
	return stray
}

// forgives reports whether a line of the compiler says nothing about snippet i.
func (b *Build) forgives(i int, line string) bool {
	return i >= 0 && b.Snippets[i].Kind() == Fragment && forgiven.MatchString(strings.TrimSpace(line))
}

// command returns a go command on a snippet.
func (b *Build) command(ctx context.Context, i int, args ...string) *exec.Cmd {
	args = append(args, "-overlay="+b.overlay, "./"+b.pkg(i))
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = b.w.Root
	return cmd
}
