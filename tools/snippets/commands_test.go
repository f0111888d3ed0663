package snippets_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/siokit/siokit/tools/workspace"
)

var (
	makes = regexp.MustCompile(`(?m)^(?:\S+ && )?make ([a-z-]+)`)
	paths = regexp.MustCompile(`(?:^|\s)(?:\./|(?:conformance|tools)/)[^\s']+`)
	tests = regexp.MustCompile(`\b(?:Test|Fuzz|Benchmark)[A-Z]\w*`)
)

// TestCommandsNameWhatIsThere covers the shell commands of every document: make's
// targets, paths within the tree and whole names of tests.
func TestCommandsNameWhatIsThere(t *testing.T) {
	w, err := workspace.Load(".")
	if err != nil {
		t.Fatal(err)
	}
	makefile, err := os.ReadFile(filepath.Join(w.Root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	var code strings.Builder
	err = w.Files(func(name string) error {
		if !strings.HasSuffix(name, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(filepath.Join(w.Root, name))
		code.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range documents(t, w, "sh") {
		for _, target := range makes.FindAllStringSubmatch(s.Code, -1) {
			if !strings.Contains(string(makefile), "\n"+target[1]+":") {
				t.Errorf("%s: make has no target %s", s.Name(), target[1])
			}
		}
		for _, p := range paths.FindAllString(s.Code, -1) {
			p = strings.TrimSuffix(strings.TrimSpace(p), "/...")
			if _, err := os.Stat(filepath.Join(w.Root, p)); err != nil && !strings.HasPrefix(p, "./siokit/") {
				t.Errorf("%s: %v", s.Name(), err)
			}
		}
		for _, name := range tests.FindAllString(s.Code, -1) {
			if !strings.Contains(code.String(), "func "+name) {
				t.Errorf("%s: no test begins with %s", s.Name(), name)
			}
		}
	}
}
