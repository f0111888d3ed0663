package guards_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"

	"github.com/siokit/siokit/tools/workspace"
)

func goMod(t *testing.T, w *workspace.Workspace, m workspace.Module) *modfile.File {
	t.Helper()
	name := filepath.Join(w.Root, m.Dir, "go.mod")
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	f, err := modfile.Parse(name, data, nil)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestEveryModuleIsUsed: a folder with a go.mod that go.work does not list
// would be tested by nobody. A foreign server of the conformance suite is built
// by its start script, and nothing of ours depends on it.
func TestEveryModuleIsUsed(t *testing.T) {
	w := load(t)
	err := w.Files(func(name string) error {
		dir, ok := strings.CutSuffix(name, "/go.mod")
		if !ok || strings.Contains(name, "/testdata/") || strings.HasPrefix(name, "conformance/fixtures/") {
			return nil
		}
		if _, ok := w.Module(dir); !ok {
			t.Errorf("%s is not listed in go.work", dir)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestModuleFilesAreFitForRelease(t *testing.T) {
	w := load(t)
	work, err := os.ReadFile(filepath.Join(w.Root, "go.work"))
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := modfile.ParseWork("go.work", work, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range w.Modules {
		f := goMod(t, w, m)
		if len(f.Replace) > 0 || len(f.Exclude) > 0 {
			t.Errorf("%s/go.mod replaces or excludes; siblings are found through go.work", m.Dir)
		}
		if f.Go == nil || f.Go.Version != parsed.Go.Version {
			t.Errorf("%s/go.mod and go.work name different Go versions", m.Dir)
		}
		if f.Toolchain != nil {
			t.Errorf("%s/go.mod names a toolchain", m.Dir)
		}
		for _, r := range f.Require {
			if w.Own(r.Mod.Path) && r.Mod.Version != w.Version {
				t.Errorf("%s/go.mod requires %s; go.work replaces %s", m.Dir, r.Mod, w.Version)
			}
		}
	}
}

func TestParsersRequireNextToNothing(t *testing.T) {
	w := load(t)
	for dir, want := range map[string][]string{
		"eioparser": nil,
		"sioparser": {jsonModule},
	} {
		m, ok := w.Module(dir)
		if !ok {
			t.Fatalf("no module %s", dir)
		}
		if !slices.Equal(m.Requires, want) {
			t.Errorf("%s requires %q, want %q", dir, m.Requires, want)
		}
	}
}

// TestGorillaComesWithEngineioOnly: who parses packets or writes an adapter
// downloads no WebSocket library.
func TestGorillaComesWithEngineioOnly(t *testing.T) {
	w := load(t)
	for _, m := range w.Released() {
		requires := slices.Contains(m.Requires, gorillaModule)
		switch {
		case m.Dir == "engineio" && !requires:
			t.Errorf("engineio does not require %s", gorillaModule)
		case below(m.Dir, "adapters/mixed", "adapters/nats/examples"): // whole servers
		case below(m.Dir, "eioparser", "sioparser", "adapters") && requires:
			t.Errorf("%s requires %s", m.Dir, gorillaModule)
		}
	}
}

// TestSumsNameNoModuleOfOurs: such a line would hold the checksum of one
// packing of the tree, wrong with the next change.
func TestSumsNameNoModuleOfOurs(t *testing.T) {
	w := load(t)
	err := w.Files(func(name string) error {
		if base := filepath.Base(name); base != "go.sum" && base != "go.work.sum" {
			return nil
		}
		data, err := os.ReadFile(filepath.Join(w.Root, name))
		if err != nil {
			return err
		}
		for line := range bytes.Lines(data) {
			if path, _, _ := strings.Cut(string(line), " "); w.Own(path) {
				t.Errorf("%s: %s", name, line)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestNpmLocksNameNoHost: npm ci shall ask the registry that the machine is set up for.
func TestNpmLocksNameNoHost(t *testing.T) {
	w := load(t)
	found := 0
	err := w.Files(func(name string) error {
		if filepath.Base(name) != "package-lock.json" {
			return nil
		}
		found++
		data, err := os.ReadFile(filepath.Join(w.Root, name))
		if bytes.Contains(data, []byte(`"resolved"`)) {
			t.Errorf("%s holds addresses of a registry", name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if found == 0 {
		t.Error("no lock file found")
	}
}
