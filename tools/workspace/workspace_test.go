package workspace_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/siokit/siokit/tools/internal/texttree"
	"github.com/siokit/siokit/tools/workspace"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const good = `
-- go.work --
go 1.26.0
use (
	./top
	./leaf
	./leaf/twig
	./fuzz
)
replace (
	host.org/x/leaf v0.3.0 => ./leaf
	host.org/x/leaf/twig v0.3.0 => ./leaf/twig
	host.org/x/top v0.3.0 => ./top
)
-- leaf/go.mod --
module host.org/x/leaf
-- leaf/twig/go.mod --
module host.org/x/leaf/twig
require host.org/x/leaf v0.3.0
-- top/go.mod --
module host.org/x/top
require (
	host.org/x/leaf/twig v0.3.0
	other.org/y v1.0.0
)
-- top/sub/file.go --
package sub
-- fuzz/go.mod --
module host.org/x/fuzz
require host.org/x/top v0.3.0
-- build/go/bin/go --
fetched
-- top/node_modules/p/p.js --
installed
-- top/top.test --
compiled
`

func TestLoad(t *testing.T) {
	root := texttree.Write(t, good)
	w, err := workspace.Load(filepath.Join(root, "top", "sub"))
	if err != nil {
		t.Fatal(err)
	}
	want := &workspace.Workspace{
		Root:    root,
		Prefix:  "host.org/x",
		Version: "v0.3.0",
		Modules: []workspace.Module{
			{Path: "host.org/x/leaf", Dir: "leaf", Released: true},
			{Path: "host.org/x/leaf/twig", Dir: "leaf/twig", Requires: []string{"host.org/x/leaf"}, Released: true},
			{Path: "host.org/x/top", Dir: "top", Requires: []string{"host.org/x/leaf/twig", "other.org/y"}, Released: true},
			{Path: "host.org/x/fuzz", Dir: "fuzz", Requires: []string{"host.org/x/top"}},
		},
	}
	if diff := cmp.Diff(want, w); diff != "" {
		t.Errorf("workspace (-want +got):\n%s", diff)
	}
	var released []string
	for _, m := range w.Released() {
		released = append(released, m.Dir)
	}
	if diff := cmp.Diff([]string{"leaf", "leaf/twig", "top"}, released); diff != "" {
		t.Errorf("released (-want +got):\n%s", diff)
	}
	for path, own := range map[string]bool{
		"host.org/x": true, "host.org/x/leaf": true, "host.org/xy": false, "other.org/y": false,
	} {
		if w.Own(path) != own {
			t.Errorf("Own(%q) is %v", path, !own)
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"a circle", "module host.org/x/leaf\n", "module host.org/x/leaf\nrequire host.org/x/top v0.3.0\n", "requires itself"},
		{"a sibling that is not used", "other.org/y v1.0.0", "host.org/x/lost v0.3.0", "which go.work does not use"},
		{"a path that is not the folder's", "module host.org/x/top", "module host.org/x/bottom", "lies in folder top"},
		{"two prefixes", "module host.org/x/top", "module host.org/z/top", "two prefixes"},
		{"two versions", "host.org/x/leaf v0.3.0 =>", "host.org/x/leaf v0.4.0 =>", "and at"},
		{"a missing module", "./fuzz", "./nowhere", "nowhere"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := workspace.Load(texttree.Write(t, strings.Replace(good, c.old, c.new, 1)))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestCopyLeavesOutWhatIsNotOurs(t *testing.T) {
	w, err := workspace.Load(texttree.Write(t, good))
	if err != nil {
		t.Fatal(err)
	}
	copied, err := w.Copy(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	if err := copied.Files(func(name string) error { names = append(names, name); return nil }); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"fuzz/go.mod", "go.work", "leaf/go.mod", "leaf/twig/go.mod", "top/go.mod", "top/sub/file.go",
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(w.Modules, copied.Modules); diff != "" {
		t.Errorf("modules (-original +copy):\n%s", diff)
	}
}
