package guards_test

import (
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/siokit/siokit/tools/workspace"
)

// The tables of socketio/ROWS.md and of DESIGN.md name code and tests. A name
// that nobody follows when code moves is worse than none.

// rowPackages are those whose names ROWS.md may use.
var rowPackages = map[string]string{
	"socketio":      "socketio",
	"adapter":       "socketio/adapter",
	"adaptertest":   "socketio/adapter/adaptertest",
	"engineio":      "engineio",
	"transporttest": "engineio/transporttest",
	"eioparser":     "eioparser",
	"sioparser":     "sioparser",
}

var (
	rowLine = regexp.MustCompile(`(?m)^\| ([SD]\d+) \| ([^|]+) \| ([^|]*) \| ([^|]*?) ?\|$`)
	quoted  = regexp.MustCompile("`([^`]+)`")
)

// TestRowsAreTrue: each row of ROWS.md is there once, its Go names resolve, and
// its tests exist.
func TestRowsAreTrue(t *testing.T) {
	w := load(t)
	packages := typesOf(t, w)
	text, err := os.ReadFile(filepath.Join(w.Root, "socketio", "ROWS.md"))
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for _, row := range rowLine.FindAllStringSubmatch(string(text), -1) {
		name, names, tests := row[1], quoted.FindAllStringSubmatch(row[3], -1), row[4]
		rows = append(rows, name)
		if strings.Contains(row[3], "does not apply") {
			continue
		}
		if name[0] == 'S' && len(names) == 0 || tests == "" {
			t.Errorf("%s names no code or no test", name)
		}
		for _, n := range names {
			if name[0] == 'S' && !resolves(packages, n[1]) {
				t.Errorf("%s: %s does not exist", name, n[1])
			}
		}
		for part := range strings.SplitSeq(tests, ";") {
			folder, _, _ := strings.Cut(strings.TrimSpace(part), " ")
			for _, test := range quoted.FindAllStringSubmatch(part, -1) {
				if !hasTest(t, filepath.Join(w.Root, folder), test[1]) {
					t.Errorf("%s: %s has no test %s", name, folder, test[1])
				}
			}
		}
	}
	var want []string
	for i := range 78 {
		want = append(want, fmt.Sprint("S", i+1))
	}
	for i := range 10 {
		want = append(want, fmt.Sprint("D", i+1))
	}
	if got := strings.Join(rows, " "); got != strings.Join(want, " ") {
		t.Errorf("rows %s", got)
	}
}

// typesOf reads what the compiler knows of the packages.
func typesOf(t *testing.T, w *workspace.Workspace) map[string]*types.Package {
	t.Helper()
	args := []string{"list", "-export", "-deps", "-f", "{{.ImportPath}}\t{{.Export}}"}
	for _, dir := range rowPackages {
		args = append(args, "./"+dir)
	}
	list := exec.Command("go", args...)
	list.Dir = w.Root
	output, err := list.Output()
	if err != nil {
		t.Fatal(err, list.Stderr)
	}
	files := map[string]string{}
	for line := range strings.Lines(string(output)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), "\t")
		files[path] = file
	}
	exports := importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) { return os.Open(files[path]) })
	packages := map[string]*types.Package{}
	for name, dir := range rowPackages {
		m, ok := w.Module(strings.Split(dir, "/")[0])
		if !ok {
			t.Fatal("no module", dir)
		}
		path := m.Path + strings.TrimPrefix(dir, m.Dir)
		if packages[name], err = exports.Import(path); err != nil {
			t.Fatal(err)
		}
	}
	return packages
}

// resolves finds package.Name, package.Type.Member.
func resolves(packages map[string]*types.Package, name string) bool {
	parts := strings.Split(name, ".")
	if len(parts) < 2 || len(parts) > 3 || packages[parts[0]] == nil {
		return false
	}
	pkg := packages[parts[0]]
	object := pkg.Scope().Lookup(parts[1])
	if object == nil || !object.Exported() || len(parts) == 2 {
		return object != nil && object.Exported()
	}
	member, _, _ := types.LookupFieldOrMethod(object.Type(), true, pkg, parts[2])
	return member != nil && member.Exported()
}

// hasTest reports whether a folder's tests have a function of that name.
func hasTest(t *testing.T, folder, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if functions(t, file)[name] {
			return true
		}
	}
	return false
}

// functions are those of a file: F, (T).F, (*T).F.
func functions(t *testing.T, file string) map[string]bool {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, d := range parsed.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		name := f.Name.Name
		if f.Recv != nil {
			name = "(" + receiver(f.Recv.List[0].Type) + ")." + name
		}
		names[name] = true
	}
	return names
}

func receiver(of ast.Expr) string {
	switch of := of.(type) {
	case *ast.StarExpr:
		return "*" + receiver(of.X)
	case *ast.IndexExpr:
		return receiver(of.X)
	case *ast.IndexListExpr:
		return receiver(of.X)
	case *ast.Ident:
		return of.Name
	}
	return ""
}

// TestDiagramsAreFollowed: each diagram has a test, and each of its arrows a file
// and functions that exist.
func TestDiagramsAreFollowed(t *testing.T) {
	w := load(t)
	text, err := os.ReadFile(filepath.Join(w.Root, "DESIGN.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(text), "## The diagrams, arrow by arrow\n")
	if !ok {
		t.Fatal("DESIGN.md has no such section")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	diagrams, arrows := 0, 0
	for line := range strings.Lines(section) {
		names := quoted.FindAllStringSubmatch(line, -1)
		switch {
		case strings.HasPrefix(line, "**"):
			diagrams++
			if len(names) != 1 || !hasTest(t, filepath.Join(w.Root, "socketio"), names[0][1]) {
				t.Errorf("no test of its name: %s", line)
			}
		case strings.HasPrefix(line, "| ") && !strings.HasPrefix(line, "| step"):
			arrows++
			if len(names) < 2 {
				t.Errorf("an arrow without a place: %s", line)
			}
			var known map[string]bool
			for _, n := range names {
				if strings.HasSuffix(n[1], ".go") {
					known = functions(t, filepath.Join(w.Root, n[1]))
				} else if !known[n[1]] {
					t.Errorf("%s does not exist there: %s", n[1], line)
				}
			}
		}
	}
	if diagrams != 9 || arrows < 9*4 {
		t.Errorf("%d diagrams with %d arrows", diagrams, arrows)
	}
}
