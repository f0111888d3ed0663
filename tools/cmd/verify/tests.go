package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/siokit/siokit/tools/alone"
	"github.com/siokit/siokit/tools/results"
)

// interruptWait is how long a test run that was told to stop may take to end
// what it started, before it is killed.
const interruptWait = 10 * time.Second

// tests runs go test on all packages at once and counts what it reports.
func (v *verifier) tests(ctx context.Context) {
	args := []string{"test", "-json", "-timeout=" + v.opts.Timeout.String()}
	name := "go test"
	if v.opts.Race {
		args = append(args, "-race")
		name += " -race"
	}
	if v.opts.Fresh {
		args = append(args, "-count=1")
	}
	stage(name)
	cmd := exec.CommandContext(ctx, "go", append(args, v.patterns()...)...)
	cmd.Dir = v.w.Root
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = interruptWait
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		v.report.Fail(name, err.Error())
		return
	}
	report, readErr := results.Read(stdout, v.progress, os.Stdout)
	err = cmd.Wait()
	switch {
	case readErr != nil:
		report.Fail(name, readErr.Error())
	case err != nil && report.Failed() == 0:
		// Nothing ran and failed: the command itself could not do its work.
		report.Fail(name, stderr.String()+err.Error())
	}
	fmt.Printf("   %s\n", &report)
	v.report.Add(report)
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
