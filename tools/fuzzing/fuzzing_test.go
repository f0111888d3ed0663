package fuzzing_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/siokit/siokit/tools/fuzzing"
	"github.com/siokit/siokit/tools/internal/texttree"
	"github.com/siokit/siokit/tools/workspace"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// sample makes the workspace of testdata and returns it with the names of its
// files.
func sample(t *testing.T) (*workspace.Workspace, func() []string) {
	t.Helper()
	archive, err := os.ReadFile(filepath.Join("testdata", "workspace.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	w, err := workspace.Load(texttree.Write(t, string(archive)))
	if err != nil {
		t.Fatal(err)
	}
	return w, func() (names []string) {
		if err := w.Files(func(name string) error { names = append(names, name); return nil }); err != nil {
			t.Fatal(err)
		}
		return names
	}
}

func TestEachTargetIsAResultAndNothingStays(t *testing.T) {
	w, files := sample(t)
	t.Setenv("TMPDIR", t.TempDir())
	before := files()
	results := map[string]fuzzing.Result{}
	err := fuzzing.Run(t.Context(), w, fuzzing.Options{
		Time: time.Second,
		Done: func(r fuzzing.Result) { results[r.Target] = r },
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(results) != 2 {
		t.Fatalf("results: %v", results)
	}
	if good := results["FuzzGood"]; good.Err != nil || good.Executions == 0 || good.Took < time.Second || good.Package != "example.com/m" {
		t.Errorf("FuzzGood: %+v", good)
	}
	bad := results["FuzzBad"]
	if bad.Err == nil {
		t.Fatal("FuzzBad has passed")
	}
	for _, text := range []string{"more than 4", "testdata/fuzz/FuzzBad/", "go test fuzz v1", "[]byte("} {
		if !strings.Contains(bad.Err.Error(), text) {
			t.Errorf("the failure lacks %q:\n%v", text, bad.Err)
		}
	}
	if diff := cmp.Diff(before, files()); diff != "" {
		t.Errorf("the tree has changed:\n%s", diff)
	}
	if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestPatternsChooseThePackages(t *testing.T) {
	w, _ := sample(t)
	err := fuzzing.Run(t.Context(), w, fuzzing.Options{
		Patterns: []string{"./m/none"},
		Done:     func(r fuzzing.Result) { t.Errorf("%s has run", r.Target) },
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAPackageThatDoesNotBuildIsAnError(t *testing.T) {
	w, _ := sample(t)
	broken := []byte("package m\n\nvar _ = missing\n")
	if err := os.WriteFile(filepath.Join(w.Root, "m", "broken_test.go"), broken, 0o644); err != nil {
		t.Fatal(err)
	}
	err := fuzzing.Run(t.Context(), w, fuzzing.Options{Time: time.Second})
	if err == nil || !strings.Contains(err.Error(), "undefined: missing") {
		t.Errorf("error: %v", err)
	}
}

func TestABrokenOffRunFailsItsTargets(t *testing.T) {
	w, _ := sample(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	broken := 0
	err := fuzzing.Run(ctx, w, fuzzing.Options{
		Time: time.Hour, // FuzzBad ends at once, FuzzGood would not
		Done: func(r fuzzing.Result) {
			if r.Target == "FuzzBad" {
				cancel(enough)
			} else if errors.Is(r.Err, enough) {
				broken++
			}
		},
	})
	if err != nil || broken != 1 {
		t.Errorf("%d targets broken off, %v", broken, err)
	}
}
