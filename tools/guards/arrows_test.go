package guards_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/siokit/siokit/tools/workspace"
)

// arrow says what a part of the tree may import, directly or not. Folders are
// relative to the root and stand for all packages below them.
type arrow struct {
	from  string   // the first arrow whose folder holds a package decides
	own   []string // our folders that it may reach beside itself
	all   bool     // it may reach all of ours: it puts the parts together
	other []string // modules of others that it may reach; nil means any
	never []string // modules of others that it must not reach
}

const (
	jsonModule    = "github.com/go-json-experiment/json"
	gorillaModule = "github.com/gorilla/websocket"
	quicModule    = "github.com/quic-go/quic-go"
)

// arrows is the picture of DESIGN.md as a table.
var arrows = []arrow{
	{from: "eioparser", other: []string{}},
	{from: "sioparser/msgpack", own: []string{"sioparser"}, never: []string{gorillaModule}},
	{from: "sioparser", other: []string{jsonModule}},
	{from: "engineio/webtransport", own: []string{"engineio", "eioparser"}},
	{from: "engineio", own: []string{"eioparser"}, never: []string{quicModule}},
	{from: "socketio/adapter", own: []string{"sioparser"}, never: []string{gorillaModule}},
	{from: "socketio", own: []string{"engineio", "eioparser", "sioparser"}, never: []string{quicModule}},
	{from: "adapters/mixed", all: true}, // tests of whole clusters, with all adapters
	{from: "adapters", own: []string{"socketio/adapter", "sioparser"}, never: []string{gorillaModule}},
	{from: "conformance", own: []string{"eioparser", "sioparser"}},
	{from: "fuzz", all: true},
	{from: "tools", all: true},
}

// examplesArrow is that of examples which are modules of their own.
var examplesArrow = arrow{from: "examples", all: true}

// arrowOf returns the arrow of a folder.
func arrowOf(w *workspace.Workspace, dir string) (arrow, bool) {
	for _, m := range w.Modules {
		if strings.Contains(m.Dir, "/examples/") && below(dir, m.Dir) {
			return examplesArrow, true
		}
	}
	i := slices.IndexFunc(arrows, func(a arrow) bool { return below(dir, a.from) })
	if i < 0 {
		return arrow{}, false
	}
	return arrows[i], true
}

// listed is what go list tells of a package.
type listed struct {
	ImportPath   string
	Standard     bool
	Deps         []string
	TestImports  []string
	XTestImports []string
	Module       *struct{ Path string }
}

// list returns all packages of the workspace and all that they and their tests
// import, by import path.
func list(t *testing.T, w *workspace.Workspace) map[string]listed {
	t.Helper()
	args := []string{"list", "-deps", "-test", "-e", "-json=ImportPath,Standard,Deps,TestImports,XTestImports,Module"}
	cmd := exec.CommandContext(t.Context(), "go", append(args, w.Patterns()...)...)
	cmd.Dir = w.Root
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	packages := map[string]listed{}
	for d := json.NewDecoder(out); ; {
		var p listed
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		packages[p.ImportPath] = p
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	return packages
}

// below reports whether a folder is one of the given or lies below it.
func below(dir string, folders ...string) bool {
	return slices.ContainsFunc(folders, func(f string) bool {
		return dir == f || strings.HasPrefix(dir, f+"/")
	})
}

// broken returns how reaching the package to breaks the arrow, or "".
func (a arrow) broken(w *workspace.Workspace, to listed) string {
	switch {
	case to.Standard:
	case w.Own(to.ImportPath):
		dir := strings.TrimPrefix(to.ImportPath, w.Prefix+"/")
		if !a.all && !below(dir, append([]string{a.from}, a.own...)...) {
			return "against the arrows"
		}
	case to.Module == nil:
	case a.other != nil && !slices.Contains(a.other, to.Module.Path):
		return "which is not among the libraries of " + a.from
	case slices.Contains(a.never, to.Module.Path):
		return "which is kept out of " + a.from
	}
	return ""
}

func TestImportsFollowTheArrows(t *testing.T) {
	w := load(t)
	packages := list(t, w)
	checked := map[string]int{}
	for path, p := range packages {
		// A name with a space or .test is a variant that exists for a test only.
		if !w.Own(path) || strings.ContainsAny(path, " ") || strings.HasSuffix(path, ".test") {
			continue
		}
		dir := strings.TrimPrefix(path, w.Prefix+"/")
		a, ok := arrowOf(w, dir)
		if !ok {
			t.Errorf("%s lies in no part that has an arrow", dir)
			continue
		}
		checked[a.from]++
		reached := map[string]string{}
		for _, dep := range p.Deps {
			reached[dep] = dir
		}
		for _, direct := range slices.Concat(p.TestImports, p.XTestImports) {
			for _, dep := range append(packages[direct].Deps, direct) {
				if reached[dep] == "" {
					reached[dep] = "a test of " + dir
				}
			}
		}
		for dep, who := range reached {
			if fault := a.broken(w, packages[dep]); fault != "" {
				t.Errorf("%s reaches %s, %s", who, dep, fault)
			}
		}
	}
	for _, a := range append(arrows, examplesArrow) {
		if checked[a.from] == 0 {
			t.Errorf("no package found in %s", a.from)
		}
	}
}

func TestABrokenArrowIsSeen(t *testing.T) {
	w := load(t)
	engine := arrows[slices.IndexFunc(arrows, func(a arrow) bool { return a.from == "engineio" })]
	parser := arrows[slices.IndexFunc(arrows, func(a arrow) bool { return a.from == "eioparser" })]
	bus := arrows[slices.IndexFunc(arrows, func(a arrow) bool { return a.from == "adapters" })]
	own := func(dir string) listed { return listed{ImportPath: w.Prefix + "/" + dir} }
	other := func(path string) listed {
		return listed{ImportPath: path, Module: &struct{ Path string }{path}}
	}
	for _, c := range []struct {
		name string
		from arrow
		to   listed
		want bool
	}{
		{"engineio to sioparser", engine, own("sioparser"), true},
		{"engineio to a name that only begins alike", engine, own("eioparserx"), true},
		{"engineio to eioparser", engine, own("eioparser/eio3"), false},
		{"engineio to itself", engine, own("engineio/transporttest"), false},
		{"eioparser to a library", parser, other(jsonModule), true},
		{"eioparser to the standard library", parser, listed{ImportPath: "io", Standard: true}, false},
		{"adapters to socketio", bus, own("socketio"), true},
		{"adapters to socketio/adapter", bus, own("socketio/adapter"), false},
		{"adapters to gorilla", bus, other(gorillaModule), true},
		{"an example to what it puts together", examplesArrow, own("adapters/cluster"), false},
	} {
		if fault := c.from.broken(w, c.to); (fault != "") != c.want {
			t.Errorf("%s: %q", c.name, fault)
		}
	}
}
