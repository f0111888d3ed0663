package pack

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/siokit/siokit/tools/workspace"
)

// Tidied is what go mod tidy makes of one module's files. A missing file is nil.
type Tidied struct {
	Module      workspace.Module
	Mod, Sum    []byte
	WasMod, Was []byte // go.mod and go.sum before
}

// Changed reports whether tidying changed anything.
func (t Tidied) Changed() bool {
	return !bytes.Equal(t.Mod, t.WasMod) || !bytes.Equal(t.Sum, t.Was)
}

// Tidy runs go mod tidy in the copy of a module, drops our own lines from
// go.sum and returns the outcome. The siblings that the module requires must
// have been published.
func (t *Tree) Tidy(ctx context.Context, env *Env, m workspace.Module) (Tidied, error) {
	out := Tidied{Module: m}
	var err error
	if out.WasMod, out.Was, err = t.files(m); err != nil {
		return out, err
	}
	if _, err := env.Go(ctx, t.Dir(m), "mod", "tidy"); err != nil {
		return out, err
	}
	if err := t.DropOwnSums(m); err != nil {
		return out, err
	}
	out.Mod, out.Sum, err = t.files(m)
	return out, err
}

func (t *Tree) files(m workspace.Module) (mod, sum []byte, err error) {
	if mod, err = os.ReadFile(filepath.Join(t.Dir(m), "go.mod")); err != nil {
		return nil, nil, err
	}
	sum, err = os.ReadFile(filepath.Join(t.Dir(m), "go.sum"))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return mod, sum, err
}
