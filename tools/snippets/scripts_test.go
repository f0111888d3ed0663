package snippets_test

import (
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/siokit/siokit/tools/workspace"
)

var script = regexp.MustCompile("(?ms)^```js\n(.*?)^```")

// TestScriptsParse has Node read every block of JavaScript. Most are halves of a
// comparison, whose other half is the Go that is compiled.
func TestScriptsParse(t *testing.T) {
	w, err := workspace.Load(".")
	if err != nil {
		t.Fatal(err)
	}
	blocks := 0
	err = w.Files(func(name string) error {
		if path.Ext(name) != ".md" || strings.Contains(name, "testdata/") {
			return nil
		}
		text, err := os.ReadFile(filepath.Join(w.Root, name))
		for _, block := range script.FindAllSubmatchIndex(text, -1) {
			blocks++
			node := exec.CommandContext(t.Context(), "node", "--check", "--input-type=module", "-")
			node.Stdin = strings.NewReader(string(text[block[2]:block[3]]))
			if out, err := node.CombinedOutput(); err != nil {
				t.Errorf("%s:%d: %v\n%s", name, strings.Count(string(text[:block[0]]), "\n")+1, err, out)
			}
		}
		return err
	})
	if err != nil || blocks == 0 {
		t.Fatal(blocks, err)
	}
}
