// Package vectors reads the wire vectors in the testdata folders of this module:
// what stands on the wire, what it means, and where that is written down.
//
// A file is one vector a line with tabs between the columns: name, wire, meaning,
// source. Lines that begin with # are comments. Wire is a Go string in quotes;
// meaning is packets in the notation of [Packets], or "error: " and the text of
// an error, or, in some files, another Go string.
package vectors

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

// Vector is one line of a file.
type Vector struct {
	Name    string
	Wire    []byte
	Meaning string
	Source  string
}

// Load reads a file of vectors and ends the test if it is not well-formed.
func Load(t testing.TB, path string) []Vector {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var list []Vector
	for i, line := range strings.Split(string(text), "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		columns := strings.Split(line, "\t")
		if len(columns) != 4 {
			t.Fatalf("%s:%d: %d columns", path, i+1, len(columns))
		}
		wire, err := strconv.Unquote(columns[1])
		if err != nil {
			t.Fatalf("%s:%d: %s: %v", path, i+1, columns[1], err)
		}
		list = append(list, Vector{columns[0], []byte(wire), columns[2], columns[3]})
	}
	if len(list) == 0 {
		t.Fatalf("%s holds no vector", path)
	}
	return list
}

// Text is the quoted form of what a vector means, unquoted.
func (v Vector) Text(t testing.TB) []byte {
	t.Helper()
	text, err := strconv.Unquote(v.Meaning)
	if err != nil {
		t.Fatalf("%s: %s: %v", v.Name, v.Meaning, err)
	}
	return []byte(text)
}

// IsError reports whether the wire form must be refused.
func (v Vector) IsError() bool { return strings.HasPrefix(v.Meaning, "error: ") }

// Packets writes packets in the notation of the files: the type's digit, then
// the data as a Go string, with the letter b between them if it is binary; a
// space between packets; an error at the end.
type Packets struct{ text strings.Builder }

// Add appends one packet.
func (p *Packets) Add(kind byte, binary bool, data []byte) {
	p.space()
	fmt.Fprintf(&p.text, "%d", kind)
	if binary {
		p.text.WriteByte('b')
	}
	p.text.WriteString(strconv.Quote(string(data)))
}

// Fail appends an error.
func (p *Packets) Fail(err error) {
	p.space()
	fmt.Fprintf(&p.text, "error: %s", strings.TrimPrefix(err.Error(), "eioparser: "))
}

// String returns what was added.
func (p *Packets) String() string { return p.text.String() }

func (p *Packets) space() {
	if p.text.Len() > 0 {
		p.text.WriteByte(' ')
	}
}
