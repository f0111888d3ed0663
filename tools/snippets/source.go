package snippets

import (
	"fmt"
	"go/parser"
	"go/token"
	"maps"
	"slices"
	"strings"
)

// Source returns the snippet as a whole Go file. packages gives the import path
// for each package name that a fragment may use without importing it.
// Positions in the compiler's messages are those of the document.
func (s Snippet) Source(packages map[string]string) (string, error) {
	if s.Kind() != Fragment {
		return s.position() + s.Code, nil
	}
	imports, body, err := splitImports(s.Code)
	if err != nil {
		return "", fmt.Errorf("%s:%d: %w", s.File, s.Line, err)
	}
	declared := "\n" + s.Context + "\n"
	var text string
	for _, form := range []string{"%s%s", "%sfunc _() {\n%s\n}\n"} {
		text = fmt.Sprintf(form, declared, s.position()+body)
		if _, err = parser.ParseFile(token.NewFileSet(), s.File, "package fragment\n"+text, parser.SkipObjectResolution); err == nil {
			break
		}
	}
	if err != nil {
		return "", err
	}
	file, err := parser.ParseFile(token.NewFileSet(), s.File, "package fragment\n"+imports+text, 0)
	if err != nil {
		return "", err
	}
	named := map[string]bool{}
	for _, i := range file.Imports {
		path := strings.Trim(i.Path.Value, `"`)
		named[lastElement(path)] = true
	}
	var head strings.Builder
	head.WriteString("package fragment\n\n" + imports)
	for _, name := range slices.Sorted(maps.Keys(packageNames(file))) {
		if path := packages[name]; path != "" && !named[name] {
			fmt.Fprintf(&head, "import %q\n", path)
		}
	}
	return head.String() + text, nil
}

// position tells the compiler which line of which document follows.
func (s Snippet) position() string { return fmt.Sprintf("//line %s:%d\n", s.File, s.Line) }

// splitImports separates the imports at the beginning of a fragment from the rest,
// in which the lines keep their numbers.
func splitImports(code string) (imports, rest string, err error) {
	const clause = "package fragment;"
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", clause+code, parser.ImportsOnly)
	if err != nil || len(file.Decls) == 0 {
		return "", code, err
	}
	end := fset.Position(file.Decls[len(file.Decls)-1].End()).Offset - len(clause)
	return code[:end] + "\n", strings.Repeat("\n", strings.Count(code[:end], "\n")) + code[end:], nil
}

// lastElement returns the name by which a package is usually known.
func lastElement(path string) string {
	elements := strings.Split(path, "/")
	last := elements[len(elements)-1]
	if len(elements) > 1 && len(last) > 1 && last[0] == 'v' && strings.Trim(last[1:], "0123456789") == "" {
		last = elements[len(elements)-2]
	}
	return last
}
