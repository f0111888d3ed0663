package guards_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/siokit/siokit/tools/workspace"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func load(t *testing.T) *workspace.Workspace {
	t.Helper()
	w, err := workspace.Load(".")
	if err != nil {
		t.Fatal(err)
	}
	return w
}
