package snippets_test

import (
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/siokit/siokit/tools/snippets"
	"github.com/siokit/siokit/tools/workspace"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestDocumentsCompileAndRun covers every Markdown file of the tree.
func TestDocumentsCompileAndRun(t *testing.T) {
	w, err := workspace.Load(".")
	if err != nil {
		t.Fatal(err)
	}
	check(t, w, documents(t, w, "go"))
}

// documents returns the blocks of a language of every Markdown file of the tree.
func documents(t *testing.T, w *workspace.Workspace, language string) []snippets.Snippet {
	t.Helper()
	var all []snippets.Snippet
	err := w.Files(func(name string) error {
		if path.Ext(name) != ".md" || strings.Contains(name, "testdata/") {
			return nil
		}
		data, err := os.ReadFile(filepath.Join(w.Root, name))
		all = append(all, snippets.Extract(name, string(data), language)...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatalf("no document shows any %s", language)
	}
	return all
}

// check compiles and runs all snippets, each as a subtest.
func check(t *testing.T, w *workspace.Workspace, all []snippets.Snippet) {
	t.Helper()
	build, err := snippets.Prepare(t.Context(), w, t.TempDir(), all)
	if err != nil {
		t.Fatal(err)
	}
	faults := build.Compile(t.Context())
	for i, s := range all {
		t.Run(s.Name(), func(t *testing.T) {
			if faults[i] != "" {
				t.Fatal(faults[i])
			}
			if k := s.Kind(); k == snippets.Program || k == snippets.Test {
				if err := build.Run(t.Context(), i, nil); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// document has a snippet of every kind; those that are wrong say so.
const document = "# Title\n" + `
A program:

` + "```go" + `
package main

import "fmt"

func main() {
	fmt.Println("hello")
	// Output:
	// hello
}
` + "```" + `

A server:

` + "```go" + `
package main

import "net/http"

func main() {
	http.ListenAndServe("127.0.0.1:3000", nil)
}
` + "```" + `

Statements that use what the text has introduced, and packages by name:

<!-- go: var names []string -->
` + "```go" + `
for _, n := range names {
	fmt.Println(strings.ToUpper(n))
}
unused := 1
` + "```" + `

1. Declarations, indented:

   ` + "```go" + `
   // Double returns twice n.
   func Double(n int) int { return 2 * n }
   ` + "```" + `

` + "```go" + `
import "net/netip"

addr, err := netip.ParseAddr("127.0.0.1")
` + "```" + `

` + "```sh" + `
echo this is not Go
` + "```" + `

` + "```go" + `
func TestSum(t *testing.T) { wrong: it does not parse }
` + "```" + `

` + "```go" + `
strings.NoSuchFunction()
` + "```" + `

` + "```go" + `
package main

import "os"

func main() { os.Exit(3) }
` + "```" + `

` + "```go" + `
package sum_test

import "testing"

func TestSum(t *testing.T) {
	if 1+1 != 3 {
		t.Error("wrong sum")
	}
}
` + "```" + `
`

func TestExtract(t *testing.T) {
	type row struct {
		Line    int
		Kind    snippets.Kind
		Context string
	}
	want := []row{
		{6, snippets.Program, ""},
		{20, snippets.Program, ""},
		{33, snippets.Fragment, "var names []string"},
		{42, snippets.Fragment, ""},
		{47, snippets.Fragment, ""},
		{57, snippets.Fragment, ""},
		{61, snippets.Fragment, ""},
		{65, snippets.Program, ""},
		{73, snippets.Test, ""},
	}
	var got []row
	for _, s := range snippets.Extract("doc.md", document, "go") {
		got = append(got, row{s.Line, s.Kind(), s.Context})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("snippets (-want +got):\n%s", diff)
	}
}

func TestCompileAndRunTellRightFromWrong(t *testing.T) {
	w, err := workspace.Load(".")
	if err != nil {
		t.Fatal(err)
	}
	all := snippets.Extract("doc.md", document, "go")
	build, err := snippets.Prepare(t.Context(), w, t.TempDir(), all)
	if err != nil {
		t.Fatal(err)
	}
	faults := build.Compile(t.Context())
	for i, want := range []string{
		"", "", "", "", "",
		"doc.md:57", // where it does not parse
		"undefined: strings.NoSuchFunction",
		"", // compiles, see below
		"",
	} {
		if (want == "") != (faults[i] == "") || !strings.Contains(faults[i], want) {
			t.Errorf("%s: fault %q, want %q", all[i].Name(), faults[i], want)
		}
	}
	for i, want := range map[int]string{
		0: "",
		1: "",
		7: "exit status 3",
		8: "wrong sum",
	} {
		err := build.Run(t.Context(), i, nil)
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", all[i].Name(), err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: error %v, want %q", all[i].Name(), err, want)
		}
	}
}

func TestAnUnknownImportIsBlamedOnItsSnippet(t *testing.T) {
	w, err := workspace.Load(".")
	if err != nil {
		t.Fatal(err)
	}
	all := []snippets.Snippet{
		{File: "doc.md", Line: 1, Code: "fmt.Println()\n"},
		{File: "doc.md", Line: 9, Code: "import \"no/such/package\"\n\npackage1.Call()\n"},
	}
	build, err := snippets.Prepare(t.Context(), w, t.TempDir(), all)
	if err != nil {
		t.Fatal(err)
	}
	faults := build.Compile(t.Context())
	if faults[0] != "" || !strings.Contains(faults[1], "no/such/package") {
		t.Errorf("faults: %q", faults)
	}
}
