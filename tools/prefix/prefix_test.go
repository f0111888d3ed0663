package prefix_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/siokit/siokit/tools/prefix"
	"github.com/siokit/siokit/tools/workspace"
)

// elsewhere is written so that it does not occur in the tree, nor in this file.
const elsewhere = "go.example" + "/moved"

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestReplaceTakesWholePathsOnly(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"import", `"host.org/a/b/engineio"`, `"new.org/x/engineio"`},
		{"address", `see https://host.org/a/b.`, `see https://new.org/x.`},
		{"alone", `host.org/a/b`, `new.org/x`},
		{"twice", `host.org/a/b host.org/a/b/c`, `new.org/x new.org/x/c`},
		{"longer name", `host.org/a/bc`, `host.org/a/bc`},
		{"longer host", `other-host.org/a/b`, `other-host.org/a/b`},
		{"below another host", `www.host.org/a/b`, `www.host.org/a/b`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := prefix.Replace(c.text, "host.org/a/b", "new.org/x"); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestChangeOfTheWholeTree gives a copy of the tree another prefix, has the go
// command find every import, builds a part that has siblings below it, and
// changes it back.
func TestChangeOfTheWholeTree(t *testing.T) {
	original, err := workspace.Load(".")
	if err != nil {
		t.Fatal(err)
	}
	w, err := original.Copy(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	before := read(t, w)
	changed, err := prefix.Change(w, elsewhere)
	if err != nil {
		t.Fatal(err)
	}
	if len(changed) < 2*len(w.Modules) {
		t.Errorf("only %d files changed", len(changed))
	}

	moved, err := workspace.Load(w.Root)
	if err != nil {
		t.Fatal(err)
	}
	if moved.Prefix != elsewhere {
		t.Errorf("prefix %q", moved.Prefix)
	}
	for name, data := range read(t, moved) {
		if strings.Contains(data, `"`+original.Prefix+`/`) {
			t.Errorf("%s still imports from %s", name, original.Prefix)
		}
	}
	for _, args := range [][]string{
		append([]string{"list", "-deps", "-test"}, moved.Patterns()...),
		{"build", "./engineio/..."},
	} {
		cmd := exec.CommandContext(t.Context(), "go", args...)
		cmd.Dir = moved.Root
		cmd.Env = append(os.Environ(), "GOWORK="+filepath.Join(moved.Root, "go.work"))
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		if err := cmd.Run(); err != nil {
			t.Errorf("go %s: %v\n%s", args[0], err, stderr.String())
		}
	}

	if _, err := prefix.Change(moved, original.Prefix); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, read(t, w)); diff != "" {
		t.Errorf("changed there and back (-before +after):\n%s", diff)
	}
}

func TestChangeRefusesWhatIsNoModulePath(t *testing.T) {
	w := &workspace.Workspace{
		Root:    t.TempDir(),
		Prefix:  "host.org/a",
		Modules: []workspace.Module{{Path: "host.org/a/m", Dir: "m"}},
	}
	for _, bad := range []string{"", "x", "no spaces/x", "example.com//x"} {
		if _, err := prefix.Change(w, bad); err == nil {
			t.Errorf("prefix %q was accepted", bad)
		}
	}
}

func read(t *testing.T, w *workspace.Workspace) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := w.Files(func(name string) error {
		data, err := os.ReadFile(filepath.Join(w.Root, name))
		if err != nil {
			return err
		}
		// What go build keeps beside go.work is not the tool's doing.
		if filepath.Base(name) != "go.work.sum" {
			files[name] = string(data)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
