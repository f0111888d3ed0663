package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/siokit/siokit/conformance"
	"github.com/siokit/siokit/conformance/parsertest"
)

// parserCommand checks a parser that is a process.
type parserCommand struct {
	Cmd string `short:"c" required:"" help:"A shell command that answers questions, a line of JSON each (see the package parsertest)." placeholder:"COMMAND"`
}

func (c *parserCommand) run(ctx context.Context, out, _ io.Writer) (int, error) {
	results, err := parsertest.Process(ctx, "/bin/sh", "-c", c.Cmd)
	if err != nil {
		return conformance.ExitUsage, err
	}
	failed, skipped := 0, 0
	for _, r := range results {
		switch {
		case r.Problem != "":
			failed++
			fmt.Fprintf(out, "✗ %s  %s %s\n    %s\n    source: %s\n", r.Vector.ID, r.Vector.Parser, r.Vector.Op, strings.ReplaceAll(r.Problem, "\n", "\n    "), r.Vector.Source)
		case r.Skipped:
			skipped++
		}
	}
	fmt.Fprintf(out, "%d vectors: %d right, %d wrong, %d not supported\n", len(results), len(results)-failed-skipped, failed, skipped)
	if failed > 0 {
		return conformance.ExitFailures, nil
	}
	return conformance.ExitOK, nil
}
