// Package pack publishes the modules of this workspace into a folder that the
// go command reads as a module proxy. With it, GOWORK=off and no replace line,
// a module can be tidied, built, tested and imported just as if it had been
// released.
package pack

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
	"golang.org/x/mod/zip"
)

// Proxy is a folder in the layout of the GOPROXY protocol. It is not safe for
// concurrent use.
type Proxy struct {
	dir string
}

// NewProxy returns a proxy in dir, which must exist and be absolute.
func NewProxy(dir string) *Proxy { return &Proxy{dir: dir} }

// URL returns the proxy's entry for GOPROXY.
func (p *Proxy) URL() string { return "file://" + filepath.ToSlash(p.dir) }

// Add publishes the module whose go.mod lies in dir under the given version.
// Modules nested below dir are left out, as a release leaves them out.
func (p *Proxy) Add(path, version, dir string) error {
	v := module.Version{Path: path, Version: version}
	escaped, err := module.EscapePath(path)
	if err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	if err := module.Check(path, version); err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	folder := filepath.Join(p.dir, filepath.FromSlash(escaped), "@v")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	base := filepath.Join(folder, version)
	if err := writeZip(base+".zip", v, dir); err != nil {
		return fmt.Errorf("pack: %s: %w", v, err)
	}
	mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	if err := os.WriteFile(base+".mod", mod, 0o644); err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	// The same instant for all, so that packing the same tree gives the same proxy.
	info, err := json.Marshal(struct {
		Version string
		Time    time.Time
	}{version, time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)})
	if err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	if err := os.WriteFile(base+".info", info, 0o644); err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	return list(filepath.Join(folder, "list"), version)
}

func writeZip(name string, v module.Version, dir string) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	if err := zip.CreateFromDir(f, v, dir); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// list adds a version to the file that answers which versions exist.
func list(name, version string) error {
	data, err := os.ReadFile(name)
	if err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("pack: %w", err)
	}
	versions := strings.Fields(string(data))
	if !slices.Contains(versions, version) {
		versions = append(versions, version)
	}
	semver.Sort(versions)
	if err := os.WriteFile(name, []byte(strings.Join(versions, "\n")+"\n"), 0o644); err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	return nil
}
