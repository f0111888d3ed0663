package adaptertest

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
)

// Failures runs the checks with these names (all if none is given) against a
// cluster and returns, by name, what failed. A name that isn't run is an error.
func Failures(t *testing.T, c Cluster, names ...string) map[string]string {
	t.Helper()
	failed := make(map[string]string)
	ran := 0
	for _, ck := range applicable(t, c) {
		if len(names) > 0 && !slices.Contains(names, ck.name) {
			continue
		}
		ran++
		r := &recorder{TB: t}
		r.run(func() { ck.run(r, newFixture(r, c)) })
		if text, bad := r.result(); bad {
			failed[ck.name] = text
		}
	}
	if ran == 0 || ran < len(names) {
		t.Fatalf("%d checks of %q were run", ran, names)
	}
	return failed
}

// recorder is a testing.TB whose failures are not the test's.
type recorder struct {
	testing.TB
	mu      sync.Mutex
	failed  bool
	text    string
	cleanup []func()
}

func (r *recorder) run(f func()) {
	for _, f := range append([]func(){f}, func() {
		for _, f := range slices.Backward(r.cleanup) {
			f()
		}
	}) {
		done := make(chan struct{})
		go func() { // Fatal ends it
			defer close(done)
			f()
		}()
		<-done
	}
}

func (r *recorder) fail(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = true
	r.text += text + "\n"
}

// result is what has failed until now: what hangs in a broken adapter may go on, and
// fail, later.
func (r *recorder) result() (text string, failed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text, r.failed
}

func (r *recorder) Helper()          {}
func (r *recorder) Cleanup(f func()) { r.cleanup = append(r.cleanup, f) }
func (r *recorder) Error(args ...any) {
	r.fail(fmt.Sprint(args...))
}
func (r *recorder) Errorf(format string, args ...any) {
	r.fail(fmt.Sprintf(format, args...))
}
func (r *recorder) Fatal(args ...any) {
	r.fail(fmt.Sprint(args...))
	runtime.Goexit()
}
func (r *recorder) Fatalf(format string, args ...any) {
	r.fail(fmt.Sprintf(format, args...))
	runtime.Goexit()
}
