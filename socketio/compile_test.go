package socketio_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The compiler refuses the lines of testdata/wrong that are marked, and no
// others.
func TestWrongProgramsDoNotCompile(t *testing.T) {
	for _, name := range []string{"wrong.go", "client.go"} {
		t.Run(name, func(t *testing.T) { compileWrong(t, filepath.Join("testdata", "wrong", name)) })
	}
}

func compileWrong(t *testing.T, name string) {
	source, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var want []int
	for i, line := range bytes.Split(source, []byte("\n")) {
		if bytes.Contains(line, []byte("// ERROR: ")) {
			want = append(want, i+1)
		}
	}
	output, err := exec.Command("go", "build", "-o", os.DevNull, "-gcflags=-e", name).CombinedOutput()
	if err == nil {
		t.Fatal("wrong programs compile")
	}
	var got []int
	for _, match := range regexp.MustCompile(`(?m)^\S*\.go:(\d+):\d+:`).FindAllSubmatch(output, -1) {
		var line int
		if _, err := fmt.Sscan(string(match[1]), &line); err != nil {
			t.Fatal(err)
		}
		got = append(got, line)
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, slices.Compact(got)); diff != "" {
		t.Errorf("lines with errors (- marked, + found):\n%s\n%s", diff, output)
	}
}
