package pack

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// Env is the environment in which the go command sees a workspace's modules as
// released ones. Its fields do not change; any number of goroutines may run
// commands in it.
type Env struct {
	vars []string
}

// NewEnv returns an environment in which own modules come from the proxy and
// all others from where they usually come from. modcache is an absolute folder
// that is used as module cache: the usual one would keep an earlier packing of
// the same version. What the usual one has downloaded already is not downloaded
// again.
func NewEnv(ctx context.Context, p *Proxy, prefix, modcache string) (*Env, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOMODCACHE", "GOPROXY").Output()
	if err != nil {
		return nil, fmt.Errorf("pack: go env: %w", err)
	}
	usual := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if len(usual) != 2 {
		return nil, fmt.Errorf("pack: go env printed %q", out)
	}
	// A module cache's download folder is itself laid out as a proxy.
	sources := []string{p.URL(), "file://" + usual[0] + "/cache/download"}
	if usual[1] != "" {
		sources = append(sources, usual[1])
	}
	return &Env{vars: append(os.Environ(),
		"GOWORK=off",
		"GOPROXY="+strings.Join(sources, ","),
		"GOMODCACHE="+modcache,
		"GONOSUMDB="+prefix+"/*",
		"GOPRIVATE=", // would send the go command past the proxy
		"GONOPROXY=none",
		// trimpath: the build cache then serves every run, whatever the folder is called.
		// modcacherw: the folder can be deleted like any other.
		"GOFLAGS=-mod=mod -modcacherw -trimpath -buildvcs=false",
	)}, nil
}

// Go runs the go command in a folder and returns its standard output. The error
// of a failed command holds the end of what it printed on both streams.
func (e *Env) Go(ctx context.Context, dir string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(slices.Clip(e.vars), "PWD="+dir)
	var out, errs bytes.Buffer
	cmd.Stdout = &out
	cmd.Stderr = &errs
	if err := cmd.Run(); err != nil {
		return out.Bytes(), fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, tail(errs.String()+out.String(), 200))
	}
	return out.Bytes(), nil
}

// tail returns the last n lines of a text.
func tail(text string, n int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	if len(lines) > n {
		lines = lines[len(lines)-n:]
	}
	return strings.Join(lines, "\n")
}
