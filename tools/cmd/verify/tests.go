package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/siokit/siokit/tools/alone"
	"github.com/siokit/siokit/tools/fuzzing"
	"github.com/siokit/siokit/tools/internal/group"
	"github.com/siokit/siokit/tools/results"
)

// tests runs go test on all packages and counts what it reports.
func (v *verifier) tests(ctx context.Context) {
	// Most packages wait for clients, servers and timeouts more than they work. go
	// vet is a stage of its own.
	atOnce := 2 * runtime.GOMAXPROCS(0)
	args := []string{"test", "-json", "-vet=off", "-timeout=" + v.opts.Timeout.String(), fmt.Sprintf("-p=%d", atOnce)}
	name := "go test"
	if v.opts.Race {
		name += " -race"
	}
	stage(name)
	packages, err := v.packages(ctx)
	if err != nil {
		v.report.Fail(name, err.Error())
		return
	}
	slices.SortStableFunc(packages, func(a, b string) int { return cmp.Compare(v.rank(a), v.rank(b)) })
	// The go command cannot know when a result of the tools is out of date: their
	// tests read the other modules' files.
	var cached, fresh []string
	for _, p := range packages {
		if v.opts.Fresh || v.below(p, "tools") {
			fresh = append(fresh, p)
		} else {
			cached = append(cached, p)
		}
	}
	var report results.Report
	if len(cached) > 0 {
		report.Add(v.goTest(ctx, name, slices.Concat(args, cached)))
	}
	if len(fresh) > 0 {
		report.Add(v.goTest(ctx, name, slices.Concat(args, []string{"-count=1"}, fresh)))
	}
	if slices.Contains(packages, v.w.Prefix+"/"+assembly) {
		report.Add(v.goTest(ctx, name, slices.Concat(args, []string{"-tags=purego", "./" + assembly})))
	}
	fmt.Printf("   %s\n", &report)
	v.report.Add(report)
}

// waiting are the packages whose tests take most of the time, nearly all of it
// waiting. They begin first.
var waiting = []string{"tools/clients", "tools/suite", "tools/cmd/refserver"}

func (v *verifier) rank(pkg string) int {
	for i, dir := range waiting {
		if v.below(pkg, dir) {
			return i
		}
	}
	return len(waiting)
}

// assembly is the package that has some. Its tests run without it, too.
const assembly = "eioparser/internal/base64"

// packages returns the import paths of what is to be tested.
func (v *verifier) packages(ctx context.Context) ([]string, error) {
	cmd := exec.CommandContext(ctx, "go", append([]string{"list", "-e"}, v.patterns()...)...)
	cmd.Dir = v.w.Root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w\n%s", err, stderr.String())
	}
	return slices.DeleteFunc(strings.Fields(string(out)), func(p string) bool {
		return slices.ContainsFunc(v.opts.Without, func(dir string) bool { return v.below(p, dir) })
	}), nil
}

// below reports whether a package lies in a folder or below it.
func (v *verifier) below(pkg, dir string) bool {
	return strings.HasPrefix(pkg+"/", v.w.Prefix+"/"+strings.Trim(dir, "/")+"/")
}

// goTest runs one go test -json at the root.
func (v *verifier) goTest(ctx context.Context, name string, args []string) results.Report {
	var report results.Report
	cmd := group.Command(ctx, "go", args...)
	cmd.Dir = v.w.Root
	if v.opts.Race {
		// What the tests build has the race detector, too: nothing is compiled twice.
		flags, err := exec.CommandContext(ctx, "go", "env", "GOFLAGS").Output()
		if err != nil {
			report.Fail(name, "go env: "+err.Error())
			return report
		}
		cmd.Env = append(os.Environ(), "GOFLAGS="+strings.TrimSpace(string(flags))+" -race")
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		report.Fail(name, err.Error())
		return report
	}
	report, readErr := results.Read(stdout, v.progress, os.Stdout)
	err = cmd.Wait()
	if ctx.Err() != nil {
		group.Clear(cmd) // whoever did not heed the interrupt
	}
	switch {
	case readErr != nil:
		report.Fail(name, readErr.Error())
	case err != nil && report.Failed() == 0:
		// Nothing ran and failed: the command itself could not do its work.
		report.Fail(name, stderr.String()+err.Error())
	}
	return report
}

// progress prints one line for each package that has tests, as go test does.
func (v *verifier) progress(pkg string, took time.Duration, r results.Report) {
	if r.Passed == 0 && r.Failed() == 0 {
		return
	}
	state := "ok  "
	if r.Failed() > 0 {
		state = "FAIL"
	}
	short := strings.TrimPrefix(pkg, v.w.Prefix+"/")
	fmt.Printf("%s  %-44s %5d passed %3d failed %7.1fs\n", state, short, r.Passed, r.Failed(), took.Seconds())
}

// alone counts each step of trying the modules one by one.
func (v *verifier) alone(ctx context.Context) {
	stage("alone")
	var report results.Report
	_, err := alone.Run(ctx, v.w, alone.Options{Done: func(s alone.Step) {
		state := "ok  "
		if s.Err != nil {
			state = "FAIL"
			report.Fail("alone: "+s.Name, s.Err.Error())
		} else {
			report.Passed++
		}
		fmt.Printf("%s  %-67s %7.1fs\n", state, s.Name, s.Took.Seconds())
	}})
	if err != nil {
		report.Fail("alone", err.Error())
	}
	fmt.Printf("   %s\n", &report)
	v.report.Add(report)
}

// fuzz counts each native fuzz target.
func (v *verifier) fuzz(ctx context.Context) {
	stage("fuzz")
	var report results.Report
	err := fuzzing.Run(ctx, v.w, fuzzing.Options{
		Time:     v.opts.Fuzztime,
		Patterns: v.opts.Packages,
		Done: func(r fuzzing.Result) {
			state := "ok  "
			if r.Err != nil {
				state = "FAIL"
				report.Fail(r.Package+" "+r.Target, r.Err.Error())
			} else {
				report.Passed++
			}
			fmt.Printf("%s  %-44s %12d executions %7.1fs\n", state, r.Target, r.Executions, r.Took.Seconds())
		},
	})
	if err != nil {
		report.Fail("fuzz", err.Error())
	}
	fmt.Printf("   %s\n", &report)
	v.report.Add(report)
}
