// Package snippets takes the Go code out of Markdown files and makes whole
// files of it, so that a test can compile and run what the documents show.
//
// A block that begins with ```go is one of these:
//
//   - a whole file, when it has a package clause. A program is run as well, a
//     test file is tested.
//
//   - declarations or statements. They are compiled; imports of our packages
//     and of the standard library are added, and a variable that is not used is
//     forgiven. What a fragment takes for granted is declared in a comment on
//     the line above the block, which readers don't see:
//
//     <!-- go: var io *socketio.Server; var ctx context.Context -->
//
// Blocks of JavaScript are taken out in the same way, for tests that hand them
// to Node and to a browser.
package snippets

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
)

// Snippet is one block of code of a document.
type Snippet struct {
	File    string // the document
	Line    int    // where the code begins, counted from 1
	Code    string
	Context string // what the comment above a block of Go declares
}

// Kind tells what can be done with a snippet beside compiling it.
type Kind int

const (
	Fragment Kind = iota // declarations or statements
	Program              // package main
	Test                 // a test file
	Library              // any other whole file
)

const (
	fence   = "```"
	comment = "<!-- go:"
)

// Extract returns the blocks of a language, such as "go" or "js", of a Markdown
// document.
func Extract(file, markdown, language string) []Snippet {
	var (
		all     []Snippet
		before  string // the last line that was not empty
		current *Snippet
		indent  string
		open    bool // within a block of another language
	)
	for i, line := range strings.Split(markdown, "\n") {
		trimmed := strings.TrimSpace(line)
		switch {
		case current != nil && trimmed == fence:
			all = append(all, *current)
			current = nil
		case current != nil:
			current.Code += strings.TrimPrefix(line, indent) + "\n"
		case open:
			open = trimmed != fence
		case strings.HasPrefix(trimmed, fence):
			if info, _, _ := strings.Cut(strings.TrimPrefix(trimmed, fence), " "); info != language {
				open = true
				break
			}
			indent = line[:strings.Index(line, fence)]
			current = &Snippet{File: file, Line: i + 2}
			if text, ok := strings.CutPrefix(before, comment); ok {
				current.Context = strings.TrimSpace(strings.TrimSuffix(text, "-->"))
			}
		}
		if trimmed != "" {
			before = trimmed
		}
	}
	return all
}

// Kind tells what the snippet is.
func (s Snippet) Kind() Kind {
	file, err := parser.ParseFile(token.NewFileSet(), s.File, s.Code, parser.PackageClauseOnly)
	if err != nil {
		return Fragment
	}
	switch {
	case importsTesting(s.Code):
		return Test
	case file.Name.Name == "main":
		return Program
	}
	return Library
}

func importsTesting(code string) bool {
	file, err := parser.ParseFile(token.NewFileSet(), "", code, parser.ImportsOnly)
	if err != nil {
		return false
	}
	for _, i := range file.Imports {
		if i.Path.Value == `"testing"` {
			return true
		}
	}
	return false
}

// packageNames returns the identifiers of a file that can only be packages: what
// stands before a dot and is declared nowhere in it.
func packageNames(file *ast.File) map[string]bool {
	unresolved := map[*ast.Ident]bool{}
	for _, id := range file.Unresolved {
		unresolved[id] = true
	}
	names := map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if id, ok := s.X.(*ast.Ident); ok && unresolved[id] {
				names[id.Name] = true
			}
		}
		return true
	})
	return names
}

// Name returns the snippet's place in the documents.
func (s Snippet) Name() string { return fmt.Sprintf("%s:%d", s.File, s.Line) }
