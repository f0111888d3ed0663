package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/siokit/siokit/conformance"
	"github.com/siokit/siokit/conformance/probe"
	"github.com/siokit/siokit/conformance/report"
	"github.com/siokit/siokit/conformance/spec"
)

// checkCommand is what sioconform does unless told otherwise.
type checkCommand struct {
	Patterns []string `arg:"" optional:"" help:"Cases to run: ids, beginnings of ids (E-HS), patterns (E-*-01) or profiles. Default: all."`

	URL          string        `short:"u" help:"The server under test, when it runs already: http://127.0.0.1:3000." placeholder:"URL"`
	Cmd          string        `short:"c" help:"The server under test as a shell command; it is started, started again when it dies, and ended. {port} and {addr} stand for where it should listen; PORT is set too." placeholder:"COMMAND"`
	StartTimeout time.Duration `default:"30s" help:"How long the command may take until it listens; it may have to be built first."`
	EnginePath   string        `help:"Where the Engine.IO echo is, instead of /engine.io/." placeholder:"PATH"`
	SocketPath   string        `help:"Where the Socket.IO server is, instead of /socket.io/." placeholder:"PATH"`
	Label        string        `help:"The server's name in reports." placeholder:"NAME"`

	Profile      []string `short:"p" help:"Run these profiles only (comma list)." placeholder:"NAME"`
	Quirks       bool     `short:"q" help:"Run the QUIRK cases too; they never fail a run."`
	Strict       bool     `short:"S" help:"A skip or a failing REF case fails the run."`
	Bare         bool     `help:"Check a server without the contract's program: only what needs none."`
	Features     []string `help:"What the server offers, instead of asking it (comma list)." placeholder:"NAME"`
	KnownFailing string   `help:"Cases that are known to fail: a comma list, or @file. An unexpected pass fails the run." placeholder:"LIST"`
	KnownFlaky   string   `help:"Cases whose failures do not count: a comma list, or @file." placeholder:"LIST"`

	Repeat   int           `short:"n" default:"1" help:"Run every case so many times."`
	Parallel int           `short:"j" default:"16" help:"Cases that run at once."`
	Patience time.Duration `default:"3s" help:"How long an answer may take."`
	Quiet    time.Duration `default:"250ms" help:"How long a silence is watched."`
	Slack    time.Duration `default:"400ms" help:"How late a timer of the server may be."`
	Timeout  time.Duration `short:"t" default:"30s" help:"How long one case may take."`

	JSON     string `help:"Write the report as JSON to a file (- for standard output)." placeholder:"FILE"`
	JUnit    string `name:"junit" help:"Write the report as JUnit XML." placeholder:"FILE"`
	TAP      string `name:"tap" help:"Write the report in the Test Anything Protocol." placeholder:"FILE"`
	Markdown string `name:"markdown" aliases:"md" help:"Write the report as a Markdown matrix." placeholder:"FILE"`
	HTML     string `name:"html" help:"Write the report as one HTML page." placeholder:"FILE"`
	Record   bool   `help:"Keep what went over the wire for every case in the JSON and HTML reports, not only for failures."`

	List    bool `short:"l" help:"List the cases and end."`
	Trace   bool `help:"Show what went over the wire for every case, not only for failures."`
	Verbose bool `short:"v" help:"A line for every case while it runs, not only for those that do not pass."`
}

func (c *checkCommand) run(ctx context.Context, out, progress io.Writer) (int, error) {
	opts, err := c.options(progress)
	if err != nil {
		return conformance.ExitUsage, err
	}
	if c.List {
		return c.list(out, opts)
	}
	target, err := c.target()
	if err != nil {
		return conformance.ExitUsage, err
	}
	r, err := conformance.Run(ctx, target, opts)
	if r == nil {
		return conformance.ExitUsage, err
	}
	r.Label = c.Label
	if werr := c.write(out, r); werr != nil {
		return conformance.ExitUsage, werr
	}
	return r.ExitCode(), err
}

func (c *checkCommand) target() (conformance.Target, error) {
	var target conformance.Target
	switch {
	case c.Cmd != "":
		target = conformance.Command(conformance.CommandConfig{Args: []string{"/bin/sh", "-c", c.Cmd}, URL: c.URL, StartTimeout: c.StartTimeout})
	case c.URL != "":
		target = conformance.URL(c.URL)
	default:
		return nil, fmt.Errorf("name the server under test with --url or --cmd (--help tells more)")
	}
	return conformance.Paths(target, c.EnginePath, c.SocketPath), nil
}

func (c *checkCommand) options(progress io.Writer) (conformance.Options, error) {
	opts := conformance.Options{
		Patterns:    c.Patterns,
		Quirks:      c.Quirks,
		Strict:      c.Strict,
		Bare:        c.Bare,
		Repeat:      c.Repeat,
		Parallel:    c.Parallel,
		Timing:      probe.Timing{Patience: c.Patience, Quiet: c.Quiet, Slack: c.Slack},
		CaseTimeout: c.Timeout,
	}
	for _, p := range c.Profile {
		profile := spec.Profile(strings.ToLower(p))
		if !contains(spec.Profiles, profile) {
			return opts, fmt.Errorf("there is no profile %q; there are: %v", p, spec.Profiles)
		}
		opts.Profiles = append(opts.Profiles, profile)
	}
	for _, f := range c.Features {
		feature := spec.Feature(strings.ToLower(f))
		if !contains(spec.Features, feature) {
			return opts, fmt.Errorf("there is no feature %q; there are: %v", f, spec.Features)
		}
		opts.Features = append(opts.Features, feature)
	}
	var err error
	if opts.KnownFailing, err = conformance.ReadList(c.KnownFailing); err != nil {
		return opts, err
	}
	if opts.KnownFlaky, err = conformance.ReadList(c.KnownFlaky); err != nil {
		return opts, err
	}
	opts.Begin = func(features []conformance.FoundFeature, run, skipped int) {
		report.Begin(progress, features, run, skipped)
	}
	opts.Progress = func(done, all int, r conformance.Result) {
		if c.Verbose || r.Verdict != conformance.Pass && r.Verdict != conformance.Skip {
			report.Line(progress, done, all, r)
		}
		if c.Trace && r.Trace != nil {
			r.Trace.WriteTo(progress)
		}
	}
	return opts, nil
}

func contains[V comparable](list []V, v V) bool {
	for _, item := range list {
		if item == v {
			return true
		}
	}
	return false
}

func (c *checkCommand) list(out io.Writer, opts conformance.Options) (int, error) {
	if len(opts.Patterns)+len(opts.Profiles) == 0 {
		// A list without a choice is a list of everything.
		opts.Profiles = spec.Profiles
	}
	opts.Quirks = true
	cases, err := conformance.Choose(conformance.Cases(), opts)
	if err != nil {
		return conformance.ExitUsage, err
	}
	for _, cs := range cases {
		fmt.Fprintf(out, "%-8s %-6s %-24s %s\n", cs.ID, cs.Level, profiles(cs), cs.Title)
	}
	fmt.Fprintf(os.Stderr, "%d cases\n", len(cases))
	return conformance.ExitOK, nil
}

func profiles(c spec.Case) string {
	names := make([]string, len(c.Profiles))
	for i, p := range c.Profiles {
		names[i] = string(p)
	}
	return strings.Join(names, ",")
}
