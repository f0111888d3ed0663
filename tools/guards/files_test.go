package guards_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// rootFolders are the rooms of the house. A new one is a decision, not an accident.
var rootFolders = []string{
	".ci", "adapters", "conformance", "eioparser", "engineio", "fuzz", "sioparser", "socketio", "tools",
}

func TestRootHasNoOtherFolder(t *testing.T) {
	w := load(t)
	unknown := map[string]bool{}
	err := w.Files(func(name string) error {
		if dir, _, ok := strings.Cut(name, "/"); ok && !slices.Contains(rootFolders, dir) {
			unknown[dir] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for dir := range unknown {
		t.Errorf("folder %s at the root", dir)
	}
}

// maxLines is where a file is split by idea.
const maxLines = 600

var (
	goodName  = regexp.MustCompile(`^[a-z0-9]+(_[a-z0-9]+)*\.go$`)
	emptyName = regexp.MustCompile(`^(utils?|helpers?|common|misc|types|manager)(_.*)?\.go$`)
	generated = regexp.MustCompile(`(?m)^// Code generated .* DO NOT EDIT\.$`)
)

func TestFileNamesAndLengths(t *testing.T) {
	w := load(t)
	err := w.Files(func(name string) error {
		base := path.Base(name)
		if path.Ext(base) != ".go" {
			return nil
		}
		if !goodName.MatchString(base) {
			t.Errorf("%s: the name is not in lower case", name)
		}
		if emptyName.MatchString(base) {
			t.Errorf("%s: the name tells nothing; name the concept or the act", name)
		}
		data, err := os.ReadFile(filepath.Join(w.Root, name))
		if err != nil {
			return err
		}
		if n := bytes.Count(data, []byte("\n")); n > maxLines && !generated.Match(data) {
			t.Errorf("%s: %d lines, over %d", name, n, maxLines)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// folder is what the guards below know of one folder of Go files.
type folder struct {
	files, tests  int
	documented    bool // some file has a package comment
	checksForLeak bool // some test file calls goleak.VerifyTestMain
}

// TestTestsNeitherSleepNorSkip: a sleep is too short on a busy machine and too
// long on every other; a skip hides that something was not tested.
func TestTestsNeitherSleepNorSkip(t *testing.T) {
	eachGoFile(t, func(name string, fset *token.FileSet, file *ast.File) {
		if !strings.HasSuffix(name, "_test.go") {
			return
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			s, ok := call.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			x, _ := s.X.(*ast.Ident)
			if x == nil {
				return true
			}
			switch {
			case x.Name == "time" && s.Sel.Name == "Sleep":
				t.Errorf("%s: sleeps; wait for a condition, or use testing/synctest", fset.Position(n.Pos()))
			case (x.Name == "t" || x.Name == "tb" || x.Name == "b" || x.Name == "f") &&
				(s.Sel.Name == "Skip" || s.Sel.Name == "Skipf" || s.Sel.Name == "SkipNow"):
				t.Errorf("%s: skips", fset.Position(n.Pos()))
			}
			return true
		})
	})
}

// TestPackagesAreDocumentedAndCheckLeaks covers every package: a package
// comment, and goleak over its tests wherever the module may require goleak
// (the parsers may not).
func TestPackagesAreDocumentedAndCheckLeaks(t *testing.T) {
	w := load(t)
	folders := map[string]*folder{}
	eachGoFile(t, func(name string, _ *token.FileSet, file *ast.File) {
		dir := path.Dir(name)
		if folders[dir] == nil {
			folders[dir] = &folder{}
		}
		f := folders[dir]
		if !strings.HasSuffix(name, "_test.go") {
			f.files++
			f.documented = f.documented || file.Doc != nil
			return
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if strings.HasPrefix(n.Name.Name, "Test") || strings.HasPrefix(n.Name.Name, "Fuzz") {
					f.tests++
				}
			case *ast.SelectorExpr:
				x, _ := n.X.(*ast.Ident)
				if x != nil && x.Name == "goleak" && n.Sel.Name == "VerifyTestMain" {
					f.checksForLeak = true
				}
			}
			return true
		})
	})
	for dir, f := range folders {
		if f.files > 0 && !f.documented {
			t.Errorf("%s: no file has a package comment", dir)
		}
		if f.tests > 0 && !f.checksForLeak && !parserFolder(dir) {
			t.Errorf("%s: tests without goleak.VerifyTestMain", dir)
		}
	}
	for _, m := range w.Released() {
		for _, name := range []string{"README.md", "CHANGELOG.md"} {
			if _, err := os.Stat(filepath.Join(w.Root, m.Dir, name)); err != nil {
				t.Errorf("%s has no %s", m.Dir, name)
			}
		}
	}
}

func parserFolder(dir string) bool {
	return below(dir, "eioparser", "sioparser") && !below(dir, "sioparser/msgpack")
}

// eachGoFile parses every Go file of the tree outside of testdata.
func eachGoFile(t *testing.T, f func(name string, fset *token.FileSet, file *ast.File)) {
	t.Helper()
	w := load(t)
	fset := token.NewFileSet()
	err := w.Files(func(name string) error {
		if path.Ext(name) != ".go" || strings.Contains(name, "/testdata/") {
			return nil
		}
		source, err := os.ReadFile(filepath.Join(w.Root, name))
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(fset, name, source, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		f(name, fset, file)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
