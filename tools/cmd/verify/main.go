// Command verify runs the checks of this repository and ends with one line
// that counts them: "N passed, 0 failed".
//
//	verify lint tests alone --race --fresh
//
// The count is of real results: each test or example without subtests, each
// subtest below the others, each step of alone, and each fuzz target. The linters
// count only when they find something. A package that does not build is a failure,
// and so is a test that was skipped.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"github.com/siokit/siokit/tools/results"
	"github.com/siokit/siokit/tools/workspace"
)

type options struct {
	Stages   []string      `arg:"" enum:"lint,fmt,vet,staticcheck,tests,alone,fuzz" help:"What to run, in this order: lint (fmt, vet and staticcheck), fmt, vet, staticcheck, tests, alone, fuzz."`
	Race     bool          `help:"Run the tests with the race detector."`
	Fresh    bool          `help:"Run tests again whose result is cached."`
	Fuzztime time.Duration `default:"30s" help:"Time for each fuzz target."`
	Packages []string      `placeholder:"PATTERN" help:"Packages to vet, test and fuzz, such as ./engineio/...; all modules when not given."`
	Without  []string      `placeholder:"DIR" help:"Folders whose packages are not tested, such as tools/clients."`
	Timeout  time.Duration `default:"20m" help:"Time limit for the tests of one package."`
	Limit    time.Duration `default:"60m" help:"Time limit for everything."`
}

func main() {
	var opts options
	kong.Parse(&opts, kong.Name("verify"), kong.Description("Run this repository's checks and count them."))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, opts.Limit)
	defer cancel()

	w, err := workspace.Load(".")
	if err != nil {
		fmt.Fprintln(os.Stderr, "verify:", err)
		os.Exit(1)
	}
	v := verifier{w: w, opts: opts}
	v.run(ctx)
	if cause := context.Cause(ctx); cause != nil {
		v.report.Fail("verify", "did not come to its end: "+cause.Error())
	}
	v.report.Print(os.Stdout)
	fmt.Printf("\n%s\n", &v.report)
	countable := slices.ContainsFunc(opts.Stages, func(s string) bool { return s == "tests" || s == "alone" || s == "fuzz" })
	if v.report.Failed() > 0 || v.report.Passed == 0 && countable {
		os.Exit(1)
	}
}

// verifier adds up what the stages report.
type verifier struct {
	w      *workspace.Workspace
	opts   options
	report results.Report
}

func (v *verifier) run(ctx context.Context) {
	stages := map[string]func(context.Context){
		"fmt":         v.gofmt,
		"vet":         v.vet,
		"staticcheck": v.staticcheck,
		"tests":       v.tests,
		"alone":       v.alone,
		"fuzz":        v.fuzz,
		"lint": func(ctx context.Context) {
			v.gofmt(ctx)
			v.vet(ctx)
			v.staticcheck(ctx)
		},
	}
	for _, name := range v.opts.Stages {
		if ctx.Err() == nil {
			stages[name](ctx)
		}
	}
}

// stage announces what begins, so that a person sees what takes so long.
func stage(name string) { fmt.Printf("== %s\n", name) }
