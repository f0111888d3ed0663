package conformance_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var caseID = regexp.MustCompile(`\b[EMPSX](-[A-Z0-9]+)*-\d\d+\b|\bM-\d\d\b`)

// Every failure of a foreign server in the published matrix stands in FINDINGS.md
// with its cause, once, and nothing else does but what fails now and then.
func TestEveryFailureInTheMatrixHasACause(t *testing.T) {
	failures := matrixFailures(t)
	causes, sometimes := findings(t)
	for _, server := range []string{"socket.io 4.8.4 (Node)", "siokit"} {
		if len(failures[server]) > 0 {
			t.Errorf("%s fails %v", server, failures[server])
		}
		delete(failures, server)
	}
	for server, failed := range failures {
		if strings.HasSuffix(server, "(control)") {
			continue // fails by design
		}
		failed = slices.DeleteFunc(failed, func(id string) bool { return slices.Contains(sometimes[server], id) })
		slices.Sort(failed)
		slices.Sort(causes[server])
		if diff := cmp.Diff(failed, causes[server]); diff != "" {
			t.Errorf("%s: failures (-) and causes (+) differ:\n%s", server, diff)
		}
	}
}

// matrixFailures lists the failed cases of each server.
func matrixFailures(t *testing.T) map[string][]string {
	t.Helper()
	_, table, found := strings.Cut(read(t, "MATRIX.md"), "\n| case | level | requirement |")
	if !found {
		t.Fatal("MATRIX.md holds no table of cases")
	}
	failures := map[string][]string{}
	var servers []string
	for i, line := range strings.Split(table, "\n") {
		columns := strings.Split(strings.Trim(strings.ReplaceAll(line, `\|`, ""), "| "), " | ")
		switch {
		case i == 0:
			servers = columns
			for _, server := range servers {
				failures[server] = nil
			}
		case len(columns) == 3+len(servers):
			for j, server := range servers {
				if strings.ContainsAny(columns[3+j], "✗†") {
					failures[server] = append(failures[server], columns[0])
				}
			}
		}
	}
	return failures
}

// findings lists the cases that FINDINGS.md names below each server's heading: those
// that always fail, and those of the entries that say "now and then".
func findings(t *testing.T) (always, sometimes map[string][]string) {
	t.Helper()
	always, sometimes = map[string][]string{}, map[string][]string{}
	for _, section := range strings.Split(read(t, "FINDINGS.md"), "\n## ")[1:] {
		server, text, _ := strings.Cut(section, "\n")
		for _, entry := range strings.Split(text, "\n- ") {
			to := always
			if strings.Contains(strings.Join(strings.Fields(entry), " "), "now and then") {
				to = sometimes
			}
			to[server] = append(to[server], caseID.FindAllString(entry, -1)...)
		}
	}
	return always, sometimes
}

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
