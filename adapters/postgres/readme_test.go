package postgres_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siokit/siokit/adapters/postgres"
)

// TestReadmeShowsTheTable compares the README's statement with the one that every
// other test here runs.
func TestReadmeShowsTheTable(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```sql\n")
	shown, _, _ := strings.Cut(rest, "```")
	run := strings.ReplaceAll(postgres.CreateDefaultTable(), `"`, "")
	if diff := cmp.Diff(strings.Fields(run), strings.Fields(shown)); diff != "" {
		t.Errorf("run (-) and shown (+):\n%s", diff)
	}
}
