package conformance_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/siokit/siokit/conformance"
	"github.com/siokit/siokit/conformance/spec"
)

// The public protocol suites have 25 and 32 tests. Each has cases here that are
// about the same, and the profile official holds these cases and no others.
func TestEveryTestOfThePublicSuitesHasItsCases(t *testing.T) {
	data, err := os.ReadFile("testdata/public-suites.tsv")
	if err != nil {
		t.Fatal(err)
	}
	var official []string
	for _, c := range conformance.Cases() {
		if c.In(spec.Official) {
			official = append(official, c.ID)
		}
	}
	tests := map[string]int{}
	named := map[string]bool{}
	for line := range strings.Lines(string(data)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		columns := strings.Split(strings.TrimSpace(line), "\t")
		if len(columns) != 3 {
			t.Fatalf("%q has %d columns", line, len(columns))
		}
		tests[columns[0]]++
		for id := range strings.FieldsSeq(columns[2]) {
			named[id] = true
			if !slices.Contains(official, id) {
				t.Errorf("%s: the case %s is not in the profile official", columns[1], id)
			}
		}
	}
	if tests["engine.io v4"] != 25 || tests["socket.io v5"] != 32 {
		t.Errorf("the table has %v, want 25 and 32 tests", tests)
	}
	for _, id := range official {
		if !named[id] {
			t.Errorf("%s is in the profile official and stands for no test", id)
		}
	}
}
