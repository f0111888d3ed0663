// Package vectors reads the vectors of the parsers' own tests.
package vectors

import (
	"os"
	"strings"
	"testing"
)

// Read returns what the lines of a file hold in their second column, decoded;
// lines that begin with # are comments.
func Read(t testing.TB, file string, decode func(string) ([]byte, error)) [][]byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var list [][]byte
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		wire, err := decode(strings.Split(line, "\t")[1])
		if err != nil {
			t.Fatalf("%s: %s: %v", file, line, err)
		}
		list = append(list, wire)
	}
	return list
}
