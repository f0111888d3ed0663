package pack_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/siokit/siokit/tools/internal/texttree"
	"github.com/siokit/siokit/tools/pack"
	"github.com/siokit/siokit/tools/workspace"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const siblings = `
-- go.work --
go 1.26.0
use (
	./app
	./leaf
)
replace host.invalid/x/leaf v0.3.0 => ./leaf
-- leaf/go.mod --
module host.invalid/x/leaf

go 1.26.0
-- leaf/leaf.go --
package leaf

// Answer is what the other module prints.
const Answer = "from the leaf"
-- app/go.mod --
module host.invalid/x/app

go 1.26.0
-- app/go.sum --
host.invalid/x/leaf v0.3.0 h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
host.invalid/x/leaf v0.3.0/go.mod h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
-- app/main.go --
package main

import (
	"fmt"

	"host.invalid/x/leaf"
)

func main() { fmt.Println(leaf.Answer) }
`

// load writes the two siblings and loads them.
func load(t *testing.T) *workspace.Workspace {
	t.Helper()
	w, err := workspace.Load(texttree.Write(t, siblings))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// TestTidyAndRunASiblingThatWasNeverPublished has the go command find the leaf
// in the proxy, on a host that does not exist.
func TestTidyAndRunASiblingThatWasNeverPublished(t *testing.T) {
	tree, err := pack.Copy(load(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tree.Remove(); err != nil {
			t.Error(err)
		}
	})
	leaf, _ := tree.Workspace.Module("leaf")
	app, _ := tree.Workspace.Module("app")
	if err := tree.Publish(leaf); err != nil {
		t.Fatal(err)
	}
	env, err := tree.Env(t.Context(), "test")
	if err != nil {
		t.Fatal(err)
	}
	tidied, err := tree.Tidy(t.Context(), env, app)
	if err != nil {
		t.Fatal(err)
	}
	want := "module host.invalid/x/app\n\ngo 1.26.0\n\nrequire host.invalid/x/leaf v0.3.0\n"
	if diff := cmp.Diff(want, string(tidied.Mod)); diff != "" {
		t.Errorf("go.mod (-want +got):\n%s", diff)
	}
	if !tidied.Changed() {
		t.Error("Changed is false after a requirement was added")
	}
	if tidied.Sum != nil {
		t.Errorf("go.sum names our own modules:\n%s", tidied.Sum)
	}
	out, err := env.Go(t.Context(), tree.Dir(app), "run", ".")
	if err != nil {
		t.Fatal(err)
	}
	if got := string(out); got != "from the leaf\n" {
		t.Errorf("printed %q", got)
	}
	again, err := tree.Tidy(t.Context(), env, app)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(again.Mod)); diff != "" || again.Sum != nil {
		t.Errorf("tidied again: go.sum %q, go.mod (-want +got):\n%s", again.Sum, diff)
	}
}

func TestAddListsEveryVersion(t *testing.T) {
	w := load(t)
	dir := t.TempDir()
	proxy := pack.NewProxy(dir)
	leaf := filepath.Join(w.Root, "leaf")
	for _, v := range []string{"v0.10.0", "v0.2.0", "v0.2.0"} {
		if err := proxy.Add("host.invalid/x/leaf", v, leaf); err != nil {
			t.Fatal(err)
		}
	}
	list, err := os.ReadFile(filepath.Join(dir, "host.invalid/x/leaf/@v/list"))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(list); got != "v0.2.0\nv0.10.0\n" {
		t.Errorf("list %q", got)
	}
	if err := proxy.Add("host.invalid/x/leaf", "latest", leaf); err == nil {
		t.Error("a version that is none was published")
	}
}

func TestGoTellsWhatFailed(t *testing.T) {
	env, err := pack.NewEnv(t.Context(), pack.NewProxy(t.TempDir()), "host.invalid/x", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	_, err = env.Go(t.Context(), t.TempDir(), "build", ".")
	if err == nil || !strings.Contains(err.Error(), "go.mod") {
		t.Errorf("error %v", err)
	}
}
