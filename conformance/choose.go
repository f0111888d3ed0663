package conformance

import (
	"fmt"
	"os"
	"path"
	"strings"

	"github.com/siokit/siokit/conformance/spec"
)

// matchID reports whether a pattern names a case: its id, the beginning of its
// id up to a dash ("E-HS"), a pattern of package path ("E-*-01"), or the name
// of a profile.
func matchID(pattern string, c spec.Case) bool {
	if strings.EqualFold(pattern, c.ID) || strings.HasPrefix(strings.ToUpper(c.ID), strings.ToUpper(pattern)+"-") {
		return true
	}
	if ok, err := path.Match(strings.ToUpper(pattern), strings.ToUpper(c.ID)); err == nil && ok {
		return true
	}
	return c.In(spec.Profile(strings.ToLower(pattern)))
}

// Choose returns the cases that the options ask for, in their order. A pattern
// or profile that matches nothing is an error.
func Choose(cases []spec.Case, opts Options) ([]spec.Case, error) {
	used := make([]bool, len(opts.Patterns))
	var chosen []spec.Case
	for _, c := range cases {
		named := len(opts.Patterns) == 0
		exact := false
		for i, p := range opts.Patterns {
			if matchID(p, c) {
				used[i], named = true, true
				exact = exact || strings.EqualFold(p, c.ID)
			}
		}
		if named && (exact || opts.wants(c)) {
			chosen = append(chosen, c)
		}
	}
	for i, p := range opts.Patterns {
		if !used[i] {
			return nil, fmt.Errorf("conformance: the pattern %q matches no case", p)
		}
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("conformance: no case is left to run")
	}
	return chosen, nil
}

// wants applies profiles and levels.
func (o Options) wants(c spec.Case) bool {
	asked := len(o.Profiles) == 0
	for _, p := range o.Profiles {
		asked = asked || c.In(p)
	}
	switch c.Level {
	case spec.Quirk:
		return asked && o.Quirks
	case spec.Robust:
		return asked && (len(o.Profiles) > 0 || len(o.Patterns) > 0)
	default:
		return asked
	}
}

// ReadList reads a list of case ids or patterns: "E-HS-01,E-UP-*" or, after an
// @, the name of a file with one on each line and comments after #.
func ReadList(arg string) ([]string, error) {
	if arg == "" {
		return nil, nil
	}
	text := strings.ReplaceAll(arg, ",", "\n")
	if name, ok := strings.CutPrefix(arg, "@"); ok {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("conformance: %w", err)
		}
		text = string(data)
	}
	var list []string
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line != "" {
			list = append(list, line)
		}
	}
	return list, nil
}
