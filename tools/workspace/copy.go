package workspace

import (
	"os"
	"path/filepath"
)

// Copy writes the tree's files, without what [Skipped] names, below dir, which
// must exist, and returns the workspace there.
func (w *Workspace) Copy(dir string) (*Workspace, error) {
	err := w.Files(func(path string) error {
		from := filepath.Join(w.Root, filepath.FromSlash(path))
		to := filepath.Join(dir, filepath.FromSlash(path))
		info, err := os.Stat(from)
		if err != nil {
			return err
		}
		data, err := os.ReadFile(from)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		return os.WriteFile(to, data, info.Mode().Perm())
	})
	if err != nil {
		return nil, err
	}
	return Load(dir)
}
