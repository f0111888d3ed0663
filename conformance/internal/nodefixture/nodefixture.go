// Package nodefixture starts the reference servers of fixtures/node, for the
// tests that prove the suite on them.
package nodefixture

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/siokit/siokit/conformance"
)

// Target is the reference on Node, in the module's folder fixtures/node; root is
// the path to the module. env goes to the process. What npm has to fetch is
// fetched first.
func Target(root string, env ...string) (conformance.Target, error) {
	dir, err := filepath.Abs(filepath.Join(root, "fixtures", "node"))
	if err != nil {
		return nil, err
	}
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			return nil, fmt.Errorf("the reference server needs %s (version 18 or newer) in PATH: install the Debian packages nodejs and npm, or https://nodejs.org: %w", program, err)
		}
	}
	if err := install(dir); err != nil {
		return nil, err
	}
	return conformance.Command(conformance.CommandConfig{Args: []string{"node", "server.js"}, Dir: dir, Env: env}), nil
}

// install runs npm ci once, also when several test programs begin at once.
func install(dir string) error {
	lock, err := os.Open(filepath.Join(dir, "package-lock.json"))
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("locking %s: %w", lock.Name(), err)
	}
	wanted, err := lock.Stat()
	if err != nil {
		return err
	}
	// npm writes this file last.
	if done, err := os.Stat(filepath.Join(dir, "node_modules", ".package-lock.json")); err == nil && done.ModTime().After(wanted.ModTime()) {
		return nil
	}
	npm := exec.Command("npm", "ci", "--no-audit", "--no-fund")
	npm.Dir = dir
	if out, err := npm.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci in %s: %w\n%s", dir, err, out)
	}
	return nil
}
