// Package prefix changes what the module paths of this workspace begin with,
// for whoever publishes it, or a fork of it, elsewhere.
package prefix

import (
	"bytes"
	"fmt"
	"go/format"
	"os"
	"path"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"golang.org/x/mod/module"

	"github.com/siokit/siokit/tools/workspace"
)

// Change writes prefix in place of the workspace's own in every text file of
// the tree, keeps Go files formatted, and returns the names of the files that
// it changed. The prefix is the path that the folder names of the modules are
// appended to, such as example.com/x.
func Change(w *workspace.Workspace, prefix string) ([]string, error) {
	for _, m := range w.Modules {
		if err := module.CheckPath(prefix + "/" + m.Dir); err != nil {
			return nil, fmt.Errorf("prefix: %w", err)
		}
	}
	var changed []string
	err := w.Files(func(name string) error {
		full := filepath.Join(w.Root, filepath.FromSlash(name))
		data, err := os.ReadFile(full)
		if err != nil {
			return err
		}
		if !utf8.Valid(data) || !bytes.Contains(data, []byte(w.Prefix)) {
			return nil
		}
		out := []byte(replace(string(data), w.Prefix, prefix))
		if path.Ext(name) == ".go" {
			// Imports are sorted by path.
			if out, err = format.Source(out); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		if bytes.Equal(out, data) {
			return nil
		}
		info, err := os.Stat(full)
		if err != nil {
			return err
		}
		changed = append(changed, name)
		return os.WriteFile(full, out, info.Mode().Perm())
	})
	if err != nil {
		return changed, fmt.Errorf("prefix: %w", err)
	}
	return changed, nil
}

// replace replaces the old prefix wherever it stands as a whole: after a slash
// or before a dot, but not within a longer name.
func replace(text, old, prefix string) string {
	var out strings.Builder
	for {
		i := strings.Index(text, old)
		if i < 0 {
			out.WriteString(text)
			return out.String()
		}
		end := i + len(old)
		out.WriteString(text[:i])
		if (i > 0 && (inName(text[i-1]) || text[i-1] == '.')) || (end < len(text) && inName(text[end])) {
			out.WriteString(old)
		} else {
			out.WriteString(prefix)
		}
		text = text[end:]
	}
}

func inName(c byte) bool {
	return c == '-' || c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
