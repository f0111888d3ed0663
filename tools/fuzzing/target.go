package fuzzing

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/siokit/siokit/tools/internal/group"
)

// target is one fuzz target that is to be run.
type target struct {
	Result
	time   time.Duration
	binary string // the package's tests
	dir    string // the package's folder in the copy of the tree
	cache  string // for inputs that lead somewhere new
}

// run fills in the result.
func (t *target) run(ctx context.Context) {
	ctx, cancel := context.WithTimeoutCause(ctx, t.time+grace, errors.New("it does not come to its end"))
	defer cancel()
	before := t.inputs()
	begin := time.Now()
	cmd := group.Command(ctx, t.binary,
		"-test.run=^$",
		"-test.fuzz=^"+t.Target+"$",
		"-test.fuzztime="+t.time.String(),
		"-test.fuzzcachedir="+t.cache,
		"-test.parallel=1",
		"-test.timeout=0",
	)
	cmd.Dir = t.dir
	out, err := cmd.CombinedOutput()
	if cmd.Process != nil {
		group.Clear(cmd)
	}
	t.Took = time.Since(begin)
	t.Executions = executions(out)
	failing := t.added(before)
	switch {
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	case err != nil && failing == "" && onlyDeadline.Match(out):
		err = nil
	}
	if err != nil {
		t.Err = fmt.Errorf("%w\n%s%s", err, lastLines(out), failing)
	}
}

// onlyDeadline is what a target prints that did nothing wrong but was still at
// work when its time ended, with releases of Go before 1.27 (go.dev/issue/75804).
var onlyDeadline = regexp.MustCompile(`(?m)^--- FAIL: Fuzz\w* \([\d.]+s\)\n +context deadline exceeded\nFAIL\n\z`)

var count = regexp.MustCompile(`execs: (\d+)`)

// executions reads the fuzzer's last report.
func executions(out []byte) int64 {
	all := count.FindAllSubmatch(out, -1)
	if len(all) == 0 {
		return 0
	}
	n, _ := strconv.ParseInt(string(all[len(all)-1][1]), 10, 64)
	return n
}

// lastLines is what was printed without the reports of how far it has come.
func lastLines(out []byte) string {
	var kept strings.Builder
	for line := range strings.Lines(string(out)) {
		if !strings.HasPrefix(line, "fuzz: elapsed:") {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

// inputs are the names of the target's committed inputs; later also of one that
// failed.
func (t *target) inputs() map[string]bool {
	names := map[string]bool{}
	entries, _ := os.ReadDir(t.corpus()) // there may be none
	for _, e := range entries {
		names[e.Name()] = true
	}
	return names
}

// added returns the failing inputs that the fuzzer has written since before, as
// files for the corpus.
func (t *target) added(before map[string]bool) string {
	var files strings.Builder
	for name := range t.inputs() {
		if before[name] {
			continue
		}
		text, err := os.ReadFile(filepath.Join(t.corpus(), name))
		if err != nil {
			text = []byte(err.Error())
		}
		fmt.Fprintf(&files, "testdata/fuzz/%s/%s:\n%s\n", t.Target, name, text)
	}
	return files.String()
}

func (t *target) corpus() string { return filepath.Join(t.dir, "testdata", "fuzz", t.Target) }
